"""Other ways to put an expression that only Python has."""

from collections.abc import Iterator

from agent.repair.lang.base import Idiom
from agent.repo.syntax import SyntaxNode, text_of


def idioms(node: SyntaxNode) -> Iterator[Idiom]:
    """Yield the other ways to write the node."""
    if node.type == "yield" and node.is_named:
        yield from _other_yield(text_of(node))


def _other_yield(text: str) -> Iterator[Idiom]:
    """`yield x` ↔ `yield from x`, for generators that call themselves or flatten."""
    if text.startswith("yield from "):
        yield Idiom(
            text=text.replace("yield from ", "yield ", 1), template="another yield", prior=0.4
        )
    elif text.startswith("yield "):
        yield Idiom(
            text=text.replace("yield ", "yield from ", 1), template="another yield", prior=0.4
        )
