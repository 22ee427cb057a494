"""JSON into the types of lsprotocol, or one line that names the field that does not fit."""

import re
from typing import Any

from cattrs import Converter, transform_error

from lsp_server.wire.errors import BadParams


def params_of(converter: Converter, raw: Any, message_type: type[Any], method: str) -> Any:
    """Return the `params` of a message in their type; None where a method has none.

    Raises:
        BadParams: They do not fit.
    """
    whole: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "id": 0}
    if raw is not None:
        whole["params"] = raw
    try:
        return converter.structure(whole, message_type).params
    except Exception as exc:
        raise BadParams(_first_fault(exc)) from exc


def _first_fault(exc: Exception) -> str:
    reason, _, path = transform_error(exc, path="")[0].rpartition(" @ ")
    path = path.removeprefix(".params").lstrip(".")
    field = re.sub(r"_([a-z])", lambda match: match[1].upper(), path) or "params"
    if "required field missing" in reason:
        return f"{field}: is missing"
    expected = re.search(r"expected (\w+)$", reason)
    if expected and expected[1] not in {"Optional", "Union"}:
        return f"{field}: must be of type {expected[1]}"
    return f"{field}: does not fit"
