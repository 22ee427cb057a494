"""Builds HTML such that text can never become markup: plain strings are escaped, always.

Only this module makes `Html`; whatever is not `Html` is text.
"""

import html
from collections.abc import Iterable
from typing import NewType

from agent.telling.wording import clean

Html = NewType("Html", str)
"""Finished markup. Never wrap text of others in it; `text` and `element` are the ways in."""

_VOID = frozenset({"input", "meta", "br"})


def text(content: str) -> Html:
    """Return text as markup, control characters and direction marks made visible."""
    return Html(html.escape(clean(content), quote=True))


def element(name: str, /, *content: Html, **attributes: str) -> Html:
    """Return one element; `class_` and `for_` lose their underscore, `data_x` becomes `data-x`."""
    pairs = (
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items()
    )
    start = f"<{name}{''.join(pairs)}>"
    return Html(start if name in _VOID else f"{start}{''.join(content)}</{name}>")


def joined(parts: Iterable[Html]) -> Html:
    """Return several pieces as one."""
    return Html("".join(parts))


def raw_asset(name: str, content: str) -> Html:
    """Return a style or script of ours; its content is a file of this package, never data."""
    return Html(f"<{name}>{content}</{name}>")


def div(class_: str, *content: Html, **attributes: str) -> Html:
    """Return a `div`."""
    return element("div", *content, class_=class_, **attributes)


def span(class_: str, content: str) -> Html:
    """Return a `span` with text."""
    return element("span", text(content), class_=class_)


def section(title: str, *content: Html, id_: str) -> Html:
    """Return a titled part of the page."""
    return element("section", element("h2", text(title)), *content, id=id_)
