"""What each template makes of a line: text in, texts out."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.repair.proposal import Flag
from agent.repair.source import Failure
from tests.support.repair import DATA, results_of


def check(before: str, *after: str, failure: Failure | None = None) -> None:
    found = results_of(before, failure)
    missing = [text for text in after if text not in found]
    assert not missing, f"missing {missing}, found {sorted(found)}"


def a_crash(error: str, message: str = "", **local_types: str) -> Failure:
    return Failure(error=error, message=message, is_crash=True, local_types=local_types)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = b < c\n", "a = b <= c\n"),
        ("a = b is not c\n", "a = b != c\n"),
        ("a = b not in c\n", "a = b in c\n"),
        ("a = b and c\n", "a = b or c\n"),
        ("a = b and c\n", "a = c\n"),
        ("a = b - c\n", "a = c - b\n"),
        ("a = b - c\n", "a = b\n"),
        ("a = b // c\n", "a = b / c\n"),
        ("a += 1\n", "a -= 1\n"),
        ("a += b\n", "a = b\n"),
        ("a = b\n", "a += b\n"),
        ("a = b < c < d\n", "a = b < c <= d\n"),
        ("a = -b\n", "a = b\n"),
        ("a = ~b\n", "a = -b\n"),
    ],
)
def test_operators(before: str, after: str) -> None:
    check(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if a:\n    b()\n", "if not a:\n    b()\n"),
        ("if not a:\n    b()\n", "if a:\n    b()\n"),
        ("if a:\n    b()\n", "if a is not None:\n    b()\n"),
        ("if not a:\n    b()\n", "if a is None:\n    b()\n"),
        ("if a is None:\n    b()\n", "if not a:\n    b()\n"),
        ("if a is not None:\n    b()\n", "if a:\n    b()\n"),
        ("a = b if c else d\n", "a = d if c else b\n"),
        ("a = b if c else d\n", "a = b\n"),
        ("a = b if c else d\n", "a = b if not c else d\n"),
        ("a = [b for b in c if b]\n", "a = [b for b in c if not b]\n"),
        ("assert a\n", "assert not a\n"),
        ("if (a or b):\n    c()\n", "if (not (a or b)):\n    c()\n"),
        ("while True:\n    break\n", "while True:\n    continue\n"),
    ],
)
def test_conditions(before: str, after: str) -> None:
    check(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = b[1]\n", "a = b[0]\n"),
        ("a = b[c]\n", "a = b[c - 1]\n"),
        ("a = b[c]\n", "a = b[-1]\n"),
        ("a = b[c]\n", "a = b.get(c)\n"),
        ("a = b[c]\n", "a = b\n"),
        ("a = b[c:d]\n", "a = b[c:]\n"),
        ("a = b[c:d]\n", "a = b[d:c]\n"),
        ("a = b[c:d]\n", "a = b[c:d + 1]\n"),
        ("a = b[c:d]\n", "a = b[c + 1:d]\n"),
        ("for a in range(b):\n    c\n", "for a in range(b + 1):\n    c\n"),
        ("for a in range(b):\n    c\n", "for a in range(1, b):\n    c\n"),
        ("a = b\n", "a = b[0]\n"),
    ],
)
def test_positions(before: str, after: str) -> None:
    check(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 5\n", "a = 6\n"),
        ("a = 0x10\n", "a = 17\n"),
        ("a = 0.25\n", "a = 0.5\n"),
        ("a = True\n", "a = False\n"),
        ("a = False\n", "a = True\n"),
        ("a = None\n", "a = []\n"),
        ("a = 'b '\n", "a = 'b'\n"),
        ("a = 'b'\nc = 'd'\n", "a = 'd'\nc = 'd'\n"),
        ("a = [b, c]\n", "a = [c, b]\n"),
        ("def f(a=1):\n    pass\n", "def f(a=2):\n    pass\n"),
    ],
)
def test_constants(before: str, after: str) -> None:
    check(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(a, b):\n    return a\n", "def f(a, b):\n    return b\n"),
        ("LIMIT = 1\nLIMITS = f(LIMIT)\n", "LIMIT = 1\nLIMITS = f(LIMITS)\n"),
        ("def f(a):\n    return min(a)\n", "def f(a):\n    return max(a)\n"),
        ("a = b.lower()\n", "a = b.upper()\n"),
        ("a.append(b)\n", "a.extend(b)\n"),
        ("a = b.width * b.height\n", "a = b.height * b.height\n"),
        (
            "class A:\n    size = 1\n    def f(self, a):\n        return a.siez\n",
            "class A:\n    size = 1\n    def f(self, a):\n        return a.size\n",
        ),
        ("def f(self, a):\n    return self.a\n", "def f(self, a):\n    return a\n"),
        ("a = self.b.c\n", "a = self.c\n"),
        (
            "class A:\n    def f(self):\n        return g()\n    def g(self):\n        pass\n",
            "class A:\n    def f(self):\n        return self.g()\n    def g(self):\n        pass\n",
        ),
    ],
)
def test_names_and_members(before: str, after: str) -> None:
    check(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = f(b, c)\n", "a = f(c, b)\n"),
        ("a = f(b, c=d)\n", "a = f(b)\n"),
        ("def f(a, b):\n    return g(a)\n", "def f(a, b):\n    return g(a, b)\n"),
        ("a = list(b)\n", "a = b\n"),
        ("a = b.strip()\n", "a = b\n"),
        ("a = b()\n", "a = b\n"),
        ("a = b.c\n", "a = b.c()\n"),
        ("a = b\n", "a = list(b)\n"),
        ("a = b\n", "a = b.strip()\n"),
        ("def f(a):\n    return\n", "def f(a):\n    return a\n"),
        ("def f(a):\n    return a + 1\n", "def f(a):\n    return a\n"),
        ("def f(a):\n    return g(a)\n", "def f(a):\n    return not g(a)\n"),
        ("def f(a):\n    yield g(a)\n", "def f(a):\n    yield from g(a)\n"),
        ("def f(a):\n    yield from g(a)\n", "def f(a):\n    yield g(a)\n"),
    ],
)
def test_calls_and_returns(before: str, after: str) -> None:
    check(before, after)


@pytest.mark.parametrize(
    ("failure", "before", "after"),
    [
        (
            a_crash("NameError", "name 'nmae' is not defined"),
            "def f(name):\n    return nmae\n",
            "def f(name):\n    return name\n",
        ),
        (
            a_crash("NameError", "name 'os' is not defined"),
            '"""Doc."""\nimport sys\n\na = os.sep\n',
            '"""Doc."""\nimport os\nimport sys\n\na = os.sep\n',
        ),
        (
            a_crash("NameError", "name 're' is not defined"),
            '"""Doc."""\na = re.compile("b")\n',
            '"""Doc."""\nimport re\na = re.compile("b")\n',
        ),
        (
            a_crash("NameError", "name 'size' is not defined"),
            "class A:\n    size = 1\n    def f(self):\n        return size\n",
            "class A:\n    size = 1\n    def f(self):\n        return self.size\n",
        ),
        (
            a_crash("AttributeError", "'str' object has no attribute 'lowr'"),
            "a = b.lowr()\nc = d.lower()\n",
            "a = b.lower()\nc = d.lower()\n",
        ),
        (
            a_crash("AttributeError", "'NoneType' object has no attribute 'strip'", b="NoneType"),
            "def f(b):\n    return b.strip()\n",
            "def f(b):\n    return (b.strip() if b is not None else None)\n",
        ),
        (
            a_crash("AttributeError", "'NoneType' object has no attribute 'strip'", b="NoneType"),
            "def f(b):\n    return b.strip()\n",
            "def f(b):\n    if b is None:\n        return ''\n    return b.strip()\n",
        ),
        (a_crash("KeyError", "'k'"), "a = b[k]\n", "a = b.get(k, 0)\n"),
        (a_crash("IndexError", "out of range"), "a = b[c]\n", "a = (b[c] if b else None)\n"),
        (a_crash("IndexError", "out of range"), "a = b[len(b)]\n", "a = b[len(b) - 1]\n"),
        (
            a_crash("IndexError", "out of range"),
            "def f(b):\n    return b[0]\n",
            "def f(b):\n    if not b:\n        return b\n    return b[0]\n",
        ),
        (a_crash("ZeroDivisionError"), "a = b / c\n", "a = (b / c if c else 0)\n"),
        (
            a_crash("UnboundLocalError", "cannot access local variable 'a' where it is"),
            "def f(b):\n    for c in b:\n        a = c\n    return a\n",
            "def f(b):\n    a = None\n    for c in b:\n        a = c\n    return a\n",
        ),
        (
            a_crash("TypeError", "'NoneType' object is not iterable", b="NoneType"),
            "for a in b:\n    pass\n",
            "for a in (b or []):\n    pass\n",
        ),
        (
            a_crash("TypeError", 'can only concatenate str (not "int") to str'),
            "a = b + c\n",
            "a = b + str(c)\n",
        ),
        (
            a_crash("TypeError", "f() got an unexpected keyword argument 'colour'"),
            "def f(color):\n    pass\ndef g(color):\n    f(colour=1)\n",
            "def f(color):\n    pass\ndef g(color):\n    f(color=1)\n",
        ),
        (a_crash("StopIteration"), "a = next(b)\n", "a = next(b, None)\n"),
        (
            a_crash("TypeError", "unorderable"),
            "try:\n    a()\nexcept ValueError:\n    b()\n",
            "try:\n    a()\nexcept (ValueError, TypeError):\n    b()\n",
        ),
        (
            a_crash("TypeError", "unorderable"),
            "try:\n    a()\nexcept (KeyError, ValueError) as e:\n    b()\n",
            "try:\n    a()\nexcept (KeyError, ValueError, TypeError) as e:\n    b()\n",
        ),
        (
            a_crash("OverflowError", "int too large"),
            "try:\n    a(b)\nexcept (TypeError, ValueError) as e:\n    c()\n",
            "try:\n    a(b)\nexcept (TypeError, ValueError, OverflowError) as e:\n    c()\n",
        ),
        (
            a_crash("ModuleNotFoundError", "No module named 'jsno'"),
            "import jsno\n",
            "import json\n",
        ),
        (
            a_crash("UnboundLocalError", "cannot access local variable 'a' where it is"),
            "def f(b):\n    c = 1\n    if b:\n        a = c\n    return a\n",
            "def f(b):\n    c = 1\n    a = None\n    if b:\n        a = c\n    return a\n",
        ),
        (
            a_crash("TypeError", "f() got an unexpected keyword argument 'colour'"),
            "def f(paint):\n    pass\nf(colour=1)\n",
            "def f(paint):\n    pass\nf(1)\n",
        ),
        (
            a_crash("TypeError", "f() takes 1 positional argument but 2 were given"),
            "f(a, b)\n",
            "f(a)\n",
        ),
        (
            a_crash("TypeError", "f() takes 1 positional argument but 2 were given"),
            "f(a, b)\n",
            "f((a, b))\n",
        ),
        (
            a_crash("TypeError", "f() missing 1 required positional argument: 'key'"),
            "def g(key):\n    return f(1)\n",
            "def g(key):\n    return f(1, key)\n",
        ),
        (
            a_crash("TypeError", "'coroutine' object is not iterable"),
            "async def f(a):\n    return list(g(a))\n",
            "async def f(a):\n    return list(await g(a))\n",
        ),
        (
            a_crash("AttributeError", "'coroutine' object has no attribute 'b'"),
            "async def f(a):\n    return g(a).b\n",
            "async def f(a):\n    return (await g(a)).b\n",
        ),
        (
            a_crash("TypeError", "a bytes-like object is required, not 'str'"),
            "a = b.split(',')\n",
            "a = b.split(b',')\n",
        ),
        (
            a_crash("TypeError", "a bytes-like object is required, not 'str'"),
            "a = b.split(c)\n",
            "a = b.split(c.encode())\n",
        ),
        (
            a_crash("TypeError", "object of type 'generator' has no len()"),
            "a = len(b)\n",
            "a = len(list(b))\n",
        ),
        (
            a_crash("ValueError", "max() arg is an empty sequence"),
            "a = max(b)\n",
            "a = max(b, default=None)\n",
        ),
        (
            a_crash("ValueError", "max() arg is an empty sequence"),
            "def f(b):\n    return max(b)\n",
            "def f(b):\n    if not b:\n        return 0\n    return max(b)\n",
        ),
        (
            a_crash("RecursionError", "maximum recursion depth exceeded"),
            "def f(n):\n    return f(n - 1)\n",
            "def f(n):\n    if not n:\n        return n\n    return f(n - 1)\n",
        ),
    ],
)
def test_error_messages_lead_to_edits(failure: Failure, before: str, after: str) -> None:
    check(before, after, failure=failure)


def test_guided_edits_come_before_the_others() -> None:
    failure = a_crash("NameError", "name 'nmae' is not defined")
    found = results_of("def f(name, other):\n    return nmae\n", failure)
    best = max(found.values(), key=lambda sketch: sketch.prior)
    assert (best.template, best.tier) == ("near name", 0)


@pytest.mark.parametrize(
    ("failure", "before", "not_after"),
    [
        (a_crash("NameError", "name 'c' is not defined"), "a = b\n", "import"),
        (a_crash("KeyError", "'k'"), "b[k] = a\n", "get"),
        (a_crash("TypeError", "g() takes 1 positional argument"), "f(a, b)\n", "f((a, b))"),
        (a_crash("TypeError", "'coroutine' object"), "def f(a):\n    return g(a)\n", "await"),
        (
            a_crash("TypeError", "'coroutine' object"),
            "async def f(a):\n    return await g(a)\n",
            "await await",
        ),
        (a_crash("ZeroDivisionError"), "a = b * c\n", "if c else"),
        (
            a_crash("TypeError", "'NoneType' object is not iterable", b="list"),
            "a = f(*b)\n",
            "(b or [])",
        ),
    ],
)
def test_what_a_message_does_not_ask_for_is_not_drawn_for_it(
    failure: Failure, before: str, not_after: str
) -> None:
    guided = [text for text, one in results_of(before, failure).items() if one.tier == 0]
    assert not any(not_after in text for text in guided)


def test_guards_are_for_the_line_that_crashed() -> None:
    passed_by = Failure(error="IndexError", message="", is_crash=False)
    found = results_of("def f(b):\n    return b[0]\n", passed_by)
    assert not any("if not b" in text for text in found)


def test_a_call_that_gives_no_nothing_is_hardly_asked_for_its_presence() -> None:
    found = results_of("if a.get(b):\n    c()\n")["if a.get(b) is not None:\n    c()\n"]
    assert (found.prior, found.flags) == (0.5, frozenset())
    found = results_of("if any(a):\n    c()\n")["if any(a) is not None:\n    c()\n"]
    assert found.prior < 0.2
    assert found.flags == {Flag.CONSTANT}


@pytest.mark.parametrize(
    ("elsewhere", "likely"),
    [("True", ["False", "True"]), ("-1", ["-1"]), ("[]", ["[]"]), ("'none'", ["'none'"])],
)
def test_a_guard_answers_first_what_the_function_answers_elsewhere(
    elsewhere: str, likely: list[str]
) -> None:
    before = f"def f(b):\n    if len(b) > 9:\n        return {elsewhere}\n    return b[0]\n"
    found = results_of(before, a_crash("IndexError", "list index out of range"))
    line = "    if not b:\n        return {}\n    return b[0]\n"
    start = before.removesuffix("    return b[0]\n")
    values = [*likely, "b", "None", "0"]
    priors = [found[start + line.format(value)].prior for value in values]
    assert priors == sorted(priors, reverse=True)
    assert priors[len(likely) - 1] > 2 * priors[len(likely)]


@pytest.mark.parametrize(
    ("before", "after", "flag"),
    [
        ("a = b and c\n", "a = b\n", Flag.DELETES),
        ("def f(a):\n    return g(a)\n", "def f(a):\n    return None\n", Flag.CONSTANT),
    ],
)
def test_doubtful_edits_are_flagged(before: str, after: str, flag: Flag) -> None:
    assert results_of(before)[after].flags == {flag}


def test_swallowing_is_flagged() -> None:
    before = "try:\n    a()\nexcept ValueError:\n    b()\n"
    after = "try:\n    a()\nexcept (ValueError, KeyError):\n    b()\n"
    assert results_of(before, a_crash("KeyError", "'k'"))[after].flags == {Flag.SWALLOWS}


@pytest.mark.parametrize(
    "before",
    [
        "from a import b\n",
        "def f(a: int) -> None: ...\n",
        "import a.b as c\n",
        "global_name: int\n",
    ],
)
def test_bindings_are_left_alone(before: str) -> None:
    names = {"from a import": "b", "def f": "f", "import a": "c", "global_n": "global_name"}
    kept = next(name for start, name in names.items() if before.startswith(start))
    assert all(kept in text for text in results_of(before))


def test_most_edits_of_real_code_compile() -> None:
    texts = [path.read_text() for path in sorted(DATA.glob("*/project/*.py"))]
    good = bad = 0
    for text in texts:
        for after in list(results_of(text))[::9]:
            try:
                ast.parse(after)
                good += 1
            except SyntaxError:
                bad += 1
    assert good > 1_000
    assert bad < good / 50


WORDS = [
    "a",
    "b",
    ".",
    "(",
    ")",
    "[",
    "]",
    ":",
    "=",
    "+",
    "if",
    "not",
    "def",
    "f",
    "1",
    "'x'",
    "None",
]


@given(st.lists(st.sampled_from([*WORDS, "\n", "    "]), max_size=30))
def test_no_text_breaks_a_template(words: list[str]) -> None:
    text = " ".join(words) + "\n"
    assert all(sketch.edits for sketch in results_of(text).values())
