"""Keeps secrets out of whatever leaves this process: journals, logs, JSON on stdout.

One filter: first the exact values of variables whose names say that they are secret, then the
shapes of well-known credentials. It works on text and never on the code under test itself.
"""

import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

MINIMUM_SECRET_CHARACTERS: Final = 8
"""Shorter values are words such as `admin`; replacing them would wreck every text they are in."""

_SECRET_NAME: Final = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|AUTH(?!OR)|_KEY$"
    r"|_PAT$|COOKIE|SESSION_?ID|WEBHOOK",
    re.IGNORECASE,
)
_POINTER_NAME: Final = re.compile(
    r"_(SOCK|FILE|PATH|DIR|FOLDER|HOME|COMMAND|CMD|TYPE|ID|NAME)$", re.IGNORECASE
)
"""Such variables say where a secret is, not what it is."""

_URL_PASSWORD: Final = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
_SHAPES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    (
        "private key",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"
            r".*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
    ),
    ("JSON web token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    ("API key", re.compile(r"\bsk-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{16,}")),
    ("GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})")),
    ("GitLab token", re.compile(r"\bglpat-[\w-]{20,}")),
    ("AWS key id", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}")),
    ("Google key", re.compile(r"\bAIza[\w-]{35}")),
    ("registry token", re.compile(r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,})")),
)
"""Unmistakable: these do not occur in text that means something else."""
_LOOSE_SHAPES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("password in a URL", re.compile(r"(?<=://)[^\s/:@'\"]*:[^\s/@'\"]+(?=@)")),
    ("authorization", re.compile(r"(?i)(?:(?<=\bbearer )|(?<=\bbasic ))(?=\S*\d)[\w.~+/=-]{16,}")),
)
"""Test data looks like this too."""

_DIFF_KEYS: Final = frozenset({"patch"})
_ID_KEYS: Final = frozenset(
    {
        *("targets", "failing", "flaky", "failing_before", "failing_after", "own_tests"),
        *("needed_for", "results", "id"),
    }
)
"""What stands below these keys of results and records is looked at less broadly: see `value`."""


class Redactor:
    """Replaces secrets in text. Build it once per process with `from_variables`."""

    def __init__(self, secrets: Iterable[tuple[str, str]] = ()) -> None:
        """Take (name, value) pairs of exact secrets; the names appear in their place."""
        self._names: dict[str, str] = {}
        self._exact = re.compile(r"(?!)")
        self._learn(secrets)

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> "Redactor":
        """Know the values of all variables whose names say so, and all passwords in URLs."""
        return cls(pair for name in variables for pair in _secrets_of(name, variables[name]))

    def learn(self, name: str, value: str) -> None:
        """Know one more exact secret from now on: a key that came from elsewhere."""
        self._learn([(name, value)])

    def _learn(self, secrets: Iterable[tuple[str, str]]) -> None:
        for name, value in secrets:
            self._names |= {spelling: name for spelling in _spellings(value) if spelling}
        longest_first = sorted(self._names, key=len, reverse=True)
        self._exact = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def text(self, text: str) -> str:
        """Replace known values and everything that has the shape of a credential."""
        return _without(_LOOSE_SHAPES, self.identifier(text))

    def identifier(self, text: str) -> str:
        """Replace known values and unmistakable credentials.

        For test ids: `test_parse[http://user:pw@host]` is the name of a test, and whoever gets
        another one cannot run it.
        """
        return _without(_SHAPES, self.exact(text))

    def exact(self, text: str) -> str:
        """Replace known values only.

        For diffs: a URL with a password in somebody's test data is their code, and a diff in
        which it were replaced would no longer apply.
        """
        return self._exact.sub(lambda match: f"[redacted {self._names[match[0]]}]", text)

    def value(self, value: Any) -> Any:
        """Replace in every text of a JSON value; in diffs and test ids only what must be."""
        return self._walk(value, self.text)

    def _walk(self, value: Any, change: Callable[[str], str]) -> Any:
        match value:
            case str():
                return change(value)
            case Mapping():
                return {
                    change(str(key)): self._walk(item, self._change_below(key) or change)
                    for key, item in value.items()
                }
            case list() | tuple():
                return [self._walk(item, change) for item in value]
            case _:
                return value

    def _change_below(self, key: object) -> Callable[[str], str] | None:
        if key in _DIFF_KEYS:
            return self.exact
        return self.identifier if key in _ID_KEYS else None


def _without(shapes: Iterable[tuple[str, re.Pattern[str]]], text: str) -> str:
    for name, shape in shapes:
        text = shape.sub(f"[redacted {name}]", text)
    return text


def log_filter(redactor: Redactor) -> Callable[[logging.LogRecord], bool]:
    """Return a filter for a logging handler that takes secrets out of messages and tracebacks."""
    formatter = logging.Formatter()

    def redact(record: logging.LogRecord) -> bool:
        record.msg, record.args = redactor.text(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redactor.text(formatter.formatException(record.exc_info))
        return True

    return redact


def _secrets_of(name: str, value: str) -> Iterable[tuple[str, str]]:
    if _SECRET_NAME.search(name) and not _POINTER_NAME.search(name) and _looks_secret(value):
        yield name, value
    for password in _URL_PASSWORD.findall(value):
        if _looks_secret(password):
            yield name, password


def _looks_secret(value: str) -> bool:
    if len(value) < MINIMUM_SECRET_CHARACTERS:
        return False
    kinds = [any(map(kind, value)) for kind in (str.islower, str.isupper, str.isdigit)]
    kinds.append(not value.isalnum())
    return sum(kinds) > 1 or len(value) >= 16


def _spellings(value: str) -> Iterable[str]:
    yield value
    yield quote(value, safe="")
    yield b64encode(value.encode("utf-8", "surrogateescape")).decode()
    yield repr(value)[1:-1]
    yield from (line for line in value.splitlines() if len(line) >= 16)
