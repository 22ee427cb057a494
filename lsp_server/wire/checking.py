"""Params of our own methods against `protocol.schema.json`, which holds what docs/protocol.md says.

The schema and its library are loaded with the first check, long after `initialize` was answered.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from lsp_server.wire.errors import BadParams

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError


def check_params(method: str, params: object) -> Mapping[str, Any]:
    """Return the params of a method of ours; a field that is null counts as absent.

    Raises:
        BadParams: They do not fit; names the field.
    """
    given = {} if params is None else params
    if not isinstance(given, dict):
        raise BadParams("params: must be an object")
    given = {name: value for name, value in given.items() if value is not None}
    validator = _validator(method)
    faults = sorted(validator.iter_errors(given), key=lambda fault: list(map(str, fault.path)))
    if faults:
        raise BadParams(_describe(faults[0]))
    return given


def load_checks() -> None:
    """Do what the first check would have to wait for; may be called in a thread."""
    import jsonschema  # noqa: F401

    _schema()


@cache
def _schema() -> dict[str, Any]:
    from importlib import resources

    text = (resources.files("lsp_server") / "protocol.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator(method: str) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    pointer = method.replace("~", "~0").replace("/", "~1")
    return Draft202012Validator({**_schema(), "$ref": f"#/methods/{pointer}/params"})


def _describe(fault: "ValidationError") -> str:
    path = [str(part) for part in fault.absolute_path]
    wanted: Any = fault.validator_value
    if fault.validator == "required" and isinstance(fault.instance, dict):
        missing = next(name for name in wanted if name not in fault.instance)
        return f"{'.'.join([*path, missing])}: is missing"
    field = ".".join(path) or "params"
    match fault.validator:
        case "type":
            names = [wanted] if isinstance(wanted, str) else list(wanted)
            return f"{field}: must be of type {' or '.join(names)}"
        case "enum":
            return f"{field}: must be one of {', '.join(map(str, wanted))}"
        case "const":
            return f"{field}: must be {wanted}"
        case _:
            return f"{field}: does not fit ({fault.validator})"
