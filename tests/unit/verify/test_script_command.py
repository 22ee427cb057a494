"""What a package says of how its tests are run, taken apart."""

import json

import pytest

from agent.verify.javascript.command import (
    ScriptCommand,
    Tool,
    recognise_script,
    script_of_manifest,
)

SCRIPTS = {
    "test": "npm run lint && npm run build && npm run test:unit -- --silent",
    "lint": "eslint .",
    "build": "tsc -p . && node copy.js",
    "test:unit": "NODE_ENV=test vitest run --coverage src",
    "loop": "npm run loop",
}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("node --test", ScriptCommand(tool=Tool.NODE)),
        (
            "node --import tsx --test --test-reporter=spec 'test/**/*.ts'",
            ScriptCommand(tool=Tool.NODE, arguments=("--import", "tsx"), files=("test/**/*.ts",)),
        ),
        (
            "tsx --test test/a.ts",
            ScriptCommand(tool=Tool.NODE, arguments=("--import", "tsx"), files=("test/a.ts",)),
        ),
        ("c8 -r lcov node --test test/", ScriptCommand(tool=Tool.NODE, files=("test/",))),
        ("npx jest --coverage --verbose", ScriptCommand(tool=Tool.JEST)),
        (
            "cross-env TZ=UTC jest -c jest.unit.js --reporters default packages",
            ScriptCommand(
                tool=Tool.JEST,
                arguments=("-c", "jest.unit.js"),
                files=("packages",),
                variables={"TZ": "UTC"},
            ),
        ),
        (
            "node --experimental-vm-modules node_modules/jest/bin/jest.js --watchAll",
            ScriptCommand(tool=Tool.JEST, variables={"NODE_OPTIONS": "--experimental-vm-modules"}),
        ),
        ("vitest", ScriptCommand(tool=Tool.VITEST)),
        (
            "vitest run --root web --reporter=dot --coverage.provider v8",
            ScriptCommand(tool=Tool.VITEST, arguments=("--root", "web"), files=("v8",)),
        ),
        (
            "nyc --reporter=text mocha -r ts-node/register --parallel --spec test/*.ts",
            ScriptCommand(
                tool=Tool.MOCHA, arguments=("-r", "ts-node/register"), files=("test/*.ts",)
            ),
        ),
        ("pnpm exec vitest run", ScriptCommand(tool=Tool.VITEST)),
        ("prettier --check . && eslint . && mocha", ScriptCommand(tool=Tool.MOCHA)),
        ("tsc --noEmit && vitest run", ScriptCommand(tool=Tool.VITEST)),
        (
            "cd packages/core && npx jest",
            ScriptCommand(tool=Tool.JEST, directory="packages/core"),
        ),
        (
            "npm test",
            ScriptCommand(
                tool=Tool.VITEST,
                files=("src",),
                variables={"NODE_ENV": "test"},
                before=("tsc -p .", "node copy.js"),
            ),
        ),
    ],
)
def test_a_command_is_taken_apart(command: str, expected: ScriptCommand) -> None:
    assert recognise_script(command, SCRIPTS) == expected


@pytest.mark.parametrize(
    "command",
    [
        *("make test", "npm run loop", "npm run nothing", "tape test.js", "node test.js", ""),
        *("jest | tee log", "jest > log", "mocha $FILES", "cd / && jest", "cd ../x && jest"),
        *("echo jest", "'unclosed", "karma start"),
    ],
)
def test_what_is_not_understood_is_not_guessed(command: str) -> None:
    assert recognise_script(command, SCRIPTS) is None


@pytest.mark.parametrize(
    ("manifest", "tool"),
    [
        ({"scripts": {"test": "jest"}}, Tool.JEST),
        ({"scripts": {"test": "gulp", "test:unit": "mocha"}}, Tool.MOCHA),
        ({"scripts": {"test": "gulp"}, "devDependencies": {"vitest": "1"}}, Tool.VITEST),
        ({"dependencies": {"jest": "1"}, "scripts": {"test": 3}}, Tool.JEST),
    ],
)
def test_the_manifest_says_how_tests_are_run(manifest: object, tool: Tool) -> None:
    found = script_of_manifest(json.dumps(manifest).encode())
    assert found is not None
    assert found.tool is tool


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"scripts": []}', b"\xff", b"[" * 100_000])
def test_a_manifest_that_says_nothing_is_no_error(data: bytes) -> None:
    assert script_of_manifest(data) is None
