"""Tells failures of the code apart from failures of the place where it runs. Pure.

A test that needs the network, or a module that is not installed, is nothing that an edit of the
repository repairs; it is said aloud instead of searched for.
"""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from agent.task import TestId
from agent.verify.report import TestReport, TestResult
from agent.workspace.base import Base

_NETWORK_TYPES = frozenset(
    {
        "gaierror",
        "URLError",
        "ConnectError",
        "NewConnectionError",
        "MaxRetryError",
        "NameResolutionError",
    }
)
_NETWORK_TEXTS = re.compile(
    r"name resolution|name or service not known|network is unreachable|getaddrinfo failed|"
    r"nodename nor servname|failed to resolve|no route to host|max retries exceeded|"
    r"\bENOTFOUND\b|\bEAI_AGAIN\b|\bENETUNREACH\b",
    re.IGNORECASE,
)
_NO_MODULE = re.compile(r"No module named '(?P<name>[\w.]+)'")
_NO_PACKAGE = re.compile(r"Cannot find (?:module|package) '(?P<name>(?:@[\w.-]+/)?[\w][\w.-]*)")
_SYNTAX_PLACE = re.compile(r"\((?P<path>[^()]+), line \d+\)$")


def needs_network(report: TestReport, ids: Iterable[TestId]) -> tuple[TestId, ...]:
    """Return those of the failing tests that fail for want of a network."""
    return tuple(id_ for id_ in ids if _is_network_failure(report.results[id_]))


def beyond_repair(report: TestReport, ids: Iterable[TestId], base: Base) -> dict[TestId, str]:
    """Return files that cannot be collected for a reason outside the code, with that reason."""
    found: dict[TestId, str] = {}
    for id_ in ids:
        result = report.results[id_]
        if "::" not in id_ and (why := _outside_cause(result, base)):
            found[id_] = why
    return found


def _is_network_failure(result: TestResult) -> bool:
    return result.error_type in _NETWORK_TYPES or bool(_NETWORK_TEXTS.search(result.message))


def _outside_cause(result: TestResult, base: Base) -> str:
    if result.error_type == "ModuleNotFoundError" and (found := _NO_MODULE.search(result.message)):
        top = found["name"].partition(".")[0]
        return "" if _is_in_tree(top, base) else f"the module {found['name']} is not installed"
    if found := _NO_PACKAGE.match(result.message):
        return f"the package {found['name']} is not installed"
    if result.error_type in {"SyntaxError", "IndentationError", "TabError"}:
        place = _SYNTAX_PLACE.search(result.message)
        if place and place["path"].endswith(f"/{result.path}"):
            return f"the test file itself is not valid Python: {result.message}"
    return ""


def _is_in_tree(module: str, base: Base) -> bool:
    return any(
        module in parts or f"{module}.py" == parts[-1]
        for parts in (PurePosixPath(path).parts for path in base.paths())
    )
