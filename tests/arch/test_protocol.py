"""docs/protocol.md and lsp_server/protocol.schema.json say the same, and the server does it."""

import json
from functools import partial
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lsp_server.app import make_server
from lsp_server.core import open_core
from lsp_server.keeping import CoreKeeper
from tests.support.protocol_page import PAGE, Method, interfaces, methods
from tests.support.setup_wheel import ROOT

TEXT = PAGE.read_text()
SCHEMA = json.loads((ROOT / "lsp_server" / "protocol.schema.json").read_text())
INTERFACES = interfaces(TEXT)
METHODS = methods(TEXT)
OF_LSP = {"Position", "Range", "Diagnostic"}


def as_on_page(schema: Any) -> Any:
    """Leave out what the page does not say: that a number is whole, and its bounds."""
    if isinstance(schema, list):
        return [as_on_page(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        name: as_on_page(each)
        for name, each in schema.items()
        if name not in {"minimum", "maximum", "description"}
    }
    if kept.get("type") == "integer":
        kept["type"] = "number"
    return kept


def written_out(schema: Any) -> Any:
    """Replace `Partial<X>` by what it stands for."""
    if not isinstance(schema, dict):
        return schema
    if name := schema.get("partial"):
        fields = INTERFACES[name]["properties"]
        return {
            "type": "object",
            "properties": {each: {"$ref": f"#/$defs/{name}/properties/{each}"} for each in fields},
        }
    return {key: written_out(each) for key, each in schema.items()}


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)
    for each in SCHEMA["$defs"].values():
        Draft202012Validator.check_schema(each)


def test_both_know_the_same_interfaces():
    assert set(SCHEMA["$defs"]) - OF_LSP == set(INTERFACES)


@pytest.mark.parametrize("name", sorted(INTERFACES))
def test_an_interface_has_the_same_fields_in_both(name):
    assert as_on_page(SCHEMA["$defs"][name]) == written_out(INTERFACES[name])


def test_both_know_the_same_methods():
    assert sorted(SCHEMA["methods"]) == sorted(each.name for each in METHODS)


@pytest.mark.parametrize("method", METHODS, ids=lambda each: each.name)
def test_a_method_takes_and_gives_the_same_in_both(method: Method):
    known = as_on_page(SCHEMA["methods"][method.name])
    assert known["params"] == method.params
    assert known.get("result") == method.result


def test_every_name_that_is_used_is_defined():
    used = {part.split('"')[0] for part in json.dumps(SCHEMA).split('"$ref": "#/$defs/')[1:]}
    assert {each.split("/")[0] for each in used} <= set(SCHEMA["$defs"])


def test_the_server_serves_exactly_these():
    server = make_server(CoreKeeper(partial(open_core, variables={})))
    features, commands = server.protocol.fm.features, server.protocol.fm.commands
    requests = {each.name for each in METHODS if each.result is not None}
    served = {name for name in features if name.startswith("greenloop/")}
    heard = {each.name for each in METHODS if not each.to_client}
    assert served == heard
    assert set(commands) == {
        "greenloop.server." + name.removeprefix("greenloop/") for name in requests
    }


def test_the_version_is_the_same():
    assert f"Version **{SCHEMA['version']}**" in TEXT
    assert f'"protocol": {SCHEMA["version"]}' in TEXT
