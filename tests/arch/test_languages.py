"""The offline search knows no language: what is one's own stands behind `Grammar`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.repo.languages import Language, built_in, load_grammar

REPAIR = Path(__file__).parents[2] / "agent" / "repair"
OF_A_LANGUAGE = ("lang", "inside")
"""The packs, and what runs inside of a Python."""
MODULES = sorted(
    path for path in REPAIR.rglob("*.py") if path.relative_to(REPAIR).parts[0] not in OF_A_LANGUAGE
)


def node_types() -> frozenset[str]:
    """Names of syntax nodes that are no word of their own: `if_statement`, not `call`."""
    found = set()
    for language in Language:
        grammar = load_grammar(built_in().specs[language])
        names = (grammar.node_kind_for_id(id_) for id_ in range(grammar.node_kind_count))
        found |= {name for name in names if name and "_" in name.strip("_")}
    return frozenset(found)


NODE_TYPES = node_types()


def breaches(source: str) -> Iterator[str]:
    """What a module says that only holds for one language."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str(text)) if text in NODE_TYPES:
                yield f"line {node.lineno}: names the syntax node `{text}`"
            case ast.Compare(
                left=ast.Attribute(attr="type"), comparators=[ast.Constant(value=str(text))]
            ) if text != "comment":
                yield f"line {node.lineno}: compares a node's type with a name"
            case ast.Attribute(value=ast.Name(id="Language"), attr=attr):
                yield f"line {node.lineno}: picks Language.{attr}"
            case ast.ImportFrom(module=str(module)) if module.startswith("agent.repair.lang."):
                part = module.removeprefix("agent.repair.lang.").partition(".")[0]
                if (REPAIR / "lang" / part).is_dir():
                    yield f"line {node.lineno}: imports the pack of {part}"
            case _:
                continue


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPAIR)))
def test_the_search_names_no_syntax_of_a_language(path: Path) -> None:
    assert list(breaches(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        'kinds = {"if_statement"}',
        'if node.type == "block": pass',
        "language = Language.PYTHON",
        "from agent.repair.lang.javascript.tables import WORDS",
        "from agent.repair.lang.python import messages",
    ],
)
def test_a_breach_is_seen(source: str) -> None:
    assert list(breaches(source))


def test_every_language_of_the_search_has_a_pack() -> None:
    from agent.repair.lang import grammar_for

    for language in Language:
        grammar = grammar_for(language)
        assert grammar.language is language
        assert 0 <= grammar.deepest_tier <= 4
