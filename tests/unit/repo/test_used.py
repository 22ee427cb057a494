"""Uses as they are kept, and what is a use in languages whose words are read by a lexer."""

from hypothesis import given
from hypothesis import strategies as st

from agent.repo.facts import FileFacts
from agent.repo.reading import read_facts
from agent.repo.used import (
    LAYOUT_ONLY,
    WORDS_ONLY,
    Reference,
    pack_captured,
    pack_words,
    references_in,
)
from agent.task import RepoPath

KEYWORDS = frozenset({b"if", b"catch", b"new"})
IGNORED = frozenset({b"self"})


def uses(path: str, text: str) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    facts = read_facts(RepoPath(path), text.encode())
    assert isinstance(facts, FileFacts)
    return {one.name: (one.lines, one.call_lines) for one in facts.references}


def test_words_are_uses_by_line_and_calls_are_those_before_a_parenthesis() -> None:
    packed = pack_words(b"a b(\n\n  a.b c(a", KEYWORDS, IGNORED)
    assert references_in(packed.packed) == (
        Reference("a", (1, 3), ()),
        Reference("b", (1, 3), (1,)),
        Reference("c", (3,), (3,)),
    )
    assert packed.names == "a b c"


def test_keywords_and_numbers_are_no_uses_but_members_are() -> None:
    packed = pack_words(b"if 0xff 1e5 new a\np.catch(...new\nself.self", KEYWORDS, IGNORED)
    assert [one.name for one in references_in(packed.packed)] == ["a", "p", "catch"]
    assert packed.names == "a catch p"


def test_captured_names_may_hold_anything() -> None:
    data = b"foo-bar x\nfoo-bar(\xff)"
    spans = {0: 7, 8: 9, 10: 17, 18: 19}
    packed = pack_captured(data, spans, {8}, frozenset())
    assert references_in(packed.packed) == (
        Reference("foo-bar", (1, 2), (2,)),
        Reference("x", (1,), (1,)),
        Reference("\udcff", (2,), ()),
    )


def test_nothing_used_is_nothing() -> None:
    assert references_in(b"") == ()
    assert references_in(pack_words(b"", KEYWORDS, IGNORED).packed) == ()
    assert references_in(pack_captured(b"", {}, {}, IGNORED).packed) == ()


@given(st.binary(max_size=300))
def test_names_are_those_that_have_lines(data: bytes) -> None:
    packed = pack_words(data.translate(WORDS_ONLY), KEYWORDS, IGNORED)
    found = [one.name for one in references_in(packed.packed)]
    assert sorted(found) == sorted(packed.names.split(" ")) if found else packed.names == ""
    assert data.translate(LAYOUT_ONLY).count(b"\n") == data.count(b"\n")


def test_python_strings_hold_no_uses_but_the_code_in_them_does() -> None:
    found = uses("a.py", 'x = f"plain {inner(f\'{deep!r:>{width}}\')} {other:d}" + rb"no"\n# not\n')
    assert sorted(found) == ["deep", "inner", "other", "width"]
    assert found["inner"] == ((1,), (1,))


def test_python_words_that_are_keywords_in_places_are_names_elsewhere() -> None:
    found = uses("a.py", "match value:\n    case 1:\n        print(re.match(type))\n")
    assert sorted(found) == ["match", "print", "re", "type", "value"]
    assert found["match"] == ((3,), (3,))


def test_javascript_members_may_be_called_like_keywords() -> None:
    text = "run().catch(stop).finally(() => map.delete(key));\nconst a = [...new Set(b)];\n"
    found = uses("a.js", text)
    assert {"catch", "finally", "delete", "Set"} <= found.keys()
    assert "new" not in found
    assert "const" not in found


def test_javascript_templates_expressions_and_elements_are_told_from_text() -> None:
    text = "let a = `text ${inner(`more ${deep}`)} rest`;\nlet b = /word+/g;\n"
    assert sorted(uses("a.js", text)) == ["deep", "inner"]
    found = uses("a.tsx", "const a = () => <Cart total={sum}>Some text</Cart>;\n")
    assert sorted(found) == ["Cart", "sum", "total"]


def test_typescript_words_of_types_are_no_uses() -> None:
    text = "type A = readonly string[];\nlet of: keyof B;\ninterface C { from: B }\n"
    assert sorted(uses("a.ts", text)) == ["B"]
