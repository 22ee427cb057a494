"""What the templates of tiers 2 and 3 make of a file: text in, texts out."""

import pytest

from agent.repair.proposal import Flag, Sketch
from tests.support.repair import results_of


def check(before: str, after: str) -> Sketch:
    found = results_of(before)
    assert after in found, f"missing {after!r}, found {sorted(found)}"
    return found[after]


def in_function(*lines: str, parameters: str = "a, b") -> str:
    return f"def f({parameters}):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            in_function("if a:", "    return b", "if b > 3:", "    return a"),
            in_function("if a:", "    return b", "if b > 3 and a:", "    return a"),
        ),
        (
            in_function("if a:", "    return b", "if b > 3:", "    return a"),
            in_function("if a or b > 3:", "    return b", "if b > 3:", "    return a"),
        ),
        (
            in_function("while b > 3:", "    b -= 1"),
            in_function("while a is not None and b > 3:", "    b -= 1"),
        ),
        (
            in_function("if a or b:", "    pass", "if b > 3:", "    pass"),
            in_function("if (a or b) and b > 3:", "    pass", "if b > 3:", "    pass"),
        ),
        (
            in_function("if a < 1:", "    pass", "if b > 3:", "    pass"),
            in_function("if b > 3:", "    pass", "if b > 3:", "    pass"),
        ),
        ("a = b * c / d\n", "a = b * (c / d)\n"),
        ("a = b or c and d\n", "a = (b or c) and d\n"),
        ("a = (b + c) * d\n", "a = b + c * d\n"),
        ("a = b or c\n", "a = b if b is not None else c\n"),
        ("a = [b for b in c]\n", "a = [b for b in c if b is not None]\n"),
        (
            "a = [b for b in c]\nd = b.open\n",
            "a = [b for b in c if not b.open]\nd = b.open\n",
        ),
    ],
)
def test_conditions_ask_more_less_or_in_another_grouping(before: str, after: str) -> None:
    check(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            in_function("return a.b"),
            in_function("if a is None:", "    return None", "return a.b"),
        ),
        (
            in_function("for c in a:", "    b(c)"),
            in_function("for c in a:", "    if not c:", "        continue", "    b(c)"),
        ),
        (
            in_function("c = a(b)", "return 1"),
            in_function("c = a(b)", "if c is None:", "    return None", "return 1"),
        ),
        (
            in_function("if a < 0:", "    raise E(a)", "return b(a)"),
            in_function(
                "if a < 0:", "    raise E(a)", "if not a:", "    raise E(a)", "return b(a)"
            ),
        ),
    ],
)
def test_guards_are_put_before_a_statement(before: str, after: str) -> None:
    before, after = (text.replace("E(", "ValueError(") for text in (before, after))
    check(before, after)


@pytest.mark.parametrize(
    ("before", "not_after"),
    [
        ("a = b\n", "if "),
        ("def f(a):\n    return a\n", "self."),
        ("a = f(b, c=d)\n", "c=d, c="),
        ("a = f(b for b in c)\n", "in c, "),
        ("def f(a=1):\n    pass\n", "a=1="),
        ("def f(*a):\n    pass\n", "*a="),
        ("a = b * c\n", "= (b * c)"),
        ("import a.b\n", "b()"),
        ("def f(a):\n    return a\n", "max(a,"),
        ("a = [b]\n", "a = []"),
        ("a = {'b': 1, 'c': 2}\n", "{'c': 2, 'b': 1}"),
        ("a = f(b, c=d)\n", "f(c=d, b)"),
        ("time.monotonic()\n", "* 2."),
        ("a = isinstance\n", "(list, "),
        ("if a:\n    b()\nelse:\n    c()\n", "b()\nc()"),
    ],
)
def test_what_has_no_place_is_not_drawn(before: str, not_after: str) -> None:
    assert not any(not_after in text for text in results_of(before))


def test_a_loop_is_not_left_where_there_is_none() -> None:
    assert not any("continue" in text for text in results_of(in_function("return a.b")))


def test_outside_of_functions_nothing_is_returned() -> None:
    assert not any("return" in text for text in results_of("a = 1\nb = a\n"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "class A:\n    def f(self, a):\n        self.check(a)\n        return a\n\n"
            "    def g(self, a):\n        return -a\n",
            "class A:\n    def f(self, a):\n        self.check(a)\n        return a\n\n"
            "    def g(self, a):\n        self.check(a)\n        return -a\n",
        ),
        (
            in_function("for c in a:", "    b.append(c)", "d = a", "return b"),
            in_function("for c in a:", "    b.append(c)", "d = a", "b.append(d)", "return b"),
        ),
        (
            in_function("c = None", "while a:", "    a = b", "return c"),
            in_function("c = None", "while a:", "    c = a", "    a = b", "return c"),
        ),
        (in_function("a.b = 1"), in_function("a = list(a)", "a.b = 1")),
        (
            in_function("while b:", "    new_mod = b(mod)", parameters="mod, b"),
            in_function(
                "while b:", "    new_mod = b(mod)", "    mod = new_mod", parameters="mod, b"
            ),
        ),
        (
            "class A:\n    def __init__(self, size):\n        self.x = 1\n",
            "class A:\n    def __init__(self, size):\n        self.size = size\n"
            "        self.x = 1\n",
        ),
        (
            in_function("if a in b:", "    return None", "return f(a)"),
            in_function("if a in b:", "    return None", "b.add(a)", "return f(a)"),
        ),
        (in_function("a.strip()"), in_function("return a.strip()")),
        (in_function("a.strip()"), in_function("a = a.strip()")),
        (in_function("c = b"), in_function("c.append(b)")),
        (
            in_function("for c in a:", "    raise ValueError(c)", "return None"),
            in_function("for c in a:", "    return None", "return None"),
        ),
    ],
)
def test_statements_are_put_in_or_used(before: str, after: str) -> None:
    check(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (in_function("a()", "b()"), in_function("b()", "a()")),
        (
            in_function("for c in a:", "    d(c)", "    b()"),
            in_function("for c in a:", "    d(c)", "b()"),
        ),
        (
            in_function("for c in a:", "    b()", "    d(c)"),
            in_function("b()", "for c in a:", "    d(c)"),
        ),
        (
            in_function("for c in a:", "    d(c)", "b()"),
            in_function("for c in a:", "    d(c)", "    b()"),
        ),
        (
            in_function("b()", "for c in a:", "    d(c)"),
            in_function("for c in a:", "    b()", "    d(c)"),
        ),
        (
            in_function("if a:", "    b()"),
            in_function("if a:", "    pass", "b()"),
        ),
        (
            in_function("a()", "for c in a:", "    d(c)", "b()"),
            in_function("for c in a:", "    d(c)", "b()", "a()"),
        ),
    ],
)
def test_statements_are_moved(before: str, after: str) -> None:
    check(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def g(a, key=None):\n    pass\ndef f(key):\n    return g(1)\n", "g(1, key=key)"),
        ("def g(a, deep=False):\n    pass\nb = g(1)\n", "g(1, deep=True)"),
        ("a = f(1, wide=True)\nb = f(2)\n", "f(2, wide=True)"),
        ("def f(a, **rest):\n    return g(a)\n", "g(a, **rest)"),
        ("a = max(b)\n", "max(b, key=len)"),
        ("a = next(b)\n", "next(b, None)"),
        ("a = b.pop(c)\n", "b.pop(c, None)"),
        ("def f(a, b):\n    pass\n", "def f(a, b=None):"),
        ("def f(a):\n    return a.b\ndef g(a):\n    return a\n", "def g(a):\n    return a.b\n"),
        ("a = b.c.d\ne = b.d\n", "e = b.c.d\n"),
        ("from e import clean\na = clean(b)\nc = d\n", "c = clean(d)\n"),
        ("a = b.reset()\nc = d\n", "c = d.reset()\n"),
        ("for a in b:\n    pass\n", "for a in (b or []):"),
        ("a = b[c, d]\n", "a = b[d, c]"),
        ("def f(a, k, n):\n    return f(a, k)\n", "f(a, k - n)"),
        ("def f(a, k):\n    for b in a:\n        pass\n", "for b in a[k:]:"),
        ("a = b\n", "a = max(a, b)"),
        ("a = b\n", "a = max(0, b)"),
        ("a = f(b[1:], c)\n", "f(b[1:], c[1:])"),
        ("def f(a):\n    return True\n", "return not a"),
        ("def f(a):\n    return True\n", "return a == 0"),
        ("def f(a, b):\n    a(b(1))\n", "a(a)"),
        ("a[u] = b[v] + 1\n", "b[v] = b[v] + 1"),
        ("a = []\n", "a = [[]]"),
        ("a = {1, 2}\nb = {2, 3}\n", "a = {1, 2, 3}"),
        ("a = [b, c, d]\n", "a = [b, d]"),
        ("import ast\na = (ast.Add, ast.Div)\nb = ast.Sub\n", "(ast.Add, ast.Div, ast.Sub)"),
        ("a = {',', ')'}\nb = ':'\n", "{',', ')', ':'}"),
        (
            "class A:\n    def f(self):\n        g(fold=self.fold)\n        h(1)\n",
            "h(1, fold=self.fold)",
        ),
        ("isinstance(a, list)\n", "isinstance(a, (list, tuple))"),
        ("isinstance(a, (list, set))\n", "isinstance(a, (list, set, tuple))"),
        ("try:\n    a()\nexcept KeyError:\n    b()\n", "except (KeyError, TypeError):"),
        ("def f(a):\n    raise KeyError(a)\n", "raise ValueError(a)"),
        ("type(a) == list\n", "isinstance(a, list)"),
        ("a = b.next()\n", "a = next(b)"),
        ("a = b.get(c, [])\n", "(b.get(c) or [])"),
        ("a = '{b} ' '{c}'\n", "f'{b} ' f'{c}'"),
        ("import math\na = math.sin(b)\n", "math.sinh(b)"),
        ("def f(a):\n    while True:\n        a()\n", "while a:"),
        ("if len(a) == 0:\n    b()\n", "if len(a) <= 1:"),
        ("a = abs(b - c)\n", "abs(b - c ** 2)"),
        ("def f(a):\n    return []\n", "return [a]"),
        ("def f(a, b):\n    a.update(b)\n", "    a = b\n"),
        ("def f(self, a):\n    b = self.c\n    d = a\n", "d = self.c"),
        ("def f(a, b):\n    return b - 1\n", "return a + b - 1"),
        ("for a in b:\n    pass\n", "for a in b.items():"),
        ("a = [b, c]\nd = {'e': 1}\n", "a = [c]\n"),
        ("from a import Box\nisinstance(b, dict)\n", "isinstance(b, Box)"),
    ],
)
def test_values_are_made_as_the_file_makes_them(before: str, after: str) -> None:
    found = results_of(before)
    assert any(after in text for text in found), sorted(found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = ','\n", "a = ', '\n"),
        ("a = r'[a-z]+'\n", "a = r'[a-z]*'\n"),
        ("a = r'[a-z]+'\n", "a = r'[a-z-]+'\n"),
        ("a = r'a.b\\d'\n", "a = r'a\\.b\\d'\n"),
        ("a = r'a.*b'\n", "a = r'a.*?b'\n"),
        ("a = r'\\d+'\n", "a = r'^\\d+'\n"),
        ("a = r'\\d+'\n", "a = r'\\d+$'\n"),
        ("a = '%s!' % b\n", "a = '%r!' % b\n"),
        ("a = '{}'.format(b)\n", "a = '{!r}'.format(b)\n"),
        ("a = 'b {c}'\n", "a = f'b {c}'\n"),
        ("a = 'b\\d'\n", "a = r'b\\d'\n"),
        ("a = 'b'\n", "a = b'b'\n"),
        ("a = 'b\\n'\n", "a = 'b'\n"),
    ],
)
def test_texts_are_edited_within(before: str, after: str) -> None:
    check(before, after)


def test_plain_words_are_not_taken_for_patterns() -> None:
    assert not any("(?i)" in text for text in results_of("a = 'what? no. yes'\n"))


def test_documentation_is_left_alone() -> None:
    assert all('"""Doc, b."""' in text for text in results_of('"""Doc, b."""\na = 1\n'))


@pytest.mark.parametrize(
    ("before", "after", "flag"),
    [
        (in_function("a()", "b()"), in_function("b()"), Flag.DELETES),
        (in_function("a()"), in_function("pass"), Flag.DELETES),
        (
            in_function("if a:", "    b()", "    a()", "return 1"),
            in_function("b()", "a()", "return 1"),
            Flag.DELETES,
        ),
        (in_function("if a:", "    b()"), in_function("if True:", "    b()"), Flag.CONSTANT),
        (f"@cached\n{in_function('return a')}", in_function("return a"), Flag.DELETES),
    ],
)
def test_what_takes_code_away_is_of_tier_3_and_flagged(before: str, after: str, flag: Flag) -> None:
    sketch = check(before, after)
    assert (sketch.tier, sketch.flags) == (3, {flag})


def test_a_statement_that_leaves_is_flagged_as_cutting_off_the_rest() -> None:
    text = in_function("if a:", "    return b", "c = a(b)", "d(c)", "return c")
    after = text.replace("    c = a(b)\n", "    return b\n    c = a(b)\n")
    assert check(text, after).flags == {Flag.UNREACHABLE}


def test_decorators_of_others_are_put_on() -> None:
    found = results_of("@cached\ndef f():\n    pass\n\n\ndef g():\n    pass\n")
    assert "@cached\ndef f():\n    pass\n\n\n@cached\ndef g():\n    pass\n" in found


def test_imports_are_never_removed_or_moved() -> None:
    before = "import a\nimport b\nc = a\n"
    assert all(text.startswith(("import a\nimport b\n",)) for text in results_of(before))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "def f(a):\r\n    return a.b\r\n",
            "def f(a):\r\n    if a is None:\r\n        return None\r\n    return a.b\r\n",
        ),
        (
            "def f(a):\n\treturn a.b\n",
            "def f(a):\n\tif a is None:\n\t\treturn None\n\treturn a.b\n",
        ),
        (
            "def f(a):\n  return a.b\n",
            "def f(a):\n  if a is None:\n    return None\n  return a.b\n",
        ),
        ("def f(a):\n    a.b()", "def f(a):\n    pass"),
    ],
)
def test_lines_are_put_in_as_the_file_is_laid_out(before: str, after: str) -> None:
    check(before, after)
