"""Recognises a test runner of JavaScript in a command line, and in `package.json`. Pure.

Understood are `node --test`, jest, vitest and mocha, alone or behind what people put before them:
variables, `npx`, coverage tools, other scripts of the package, steps that build something first.
Linters and type checks before the tests are left out; they are no tests.
"""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final

MANIFEST: Final = "package.json"
DEEPEST: Final = 4
"""Scripts that are looked into, one naming the next."""


class Tool(StrEnum):
    """The runners whose reports are understood."""

    NODE = "node"
    JEST = "jest"
    VITEST = "vitest"
    MOCHA = "mocha"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCommand:
    """How the tests of a package are started, taken apart."""

    tool: Tool
    arguments: tuple[str, ...] = ()
    """Options of the runner; those that choose files or another report are left out."""
    files: tuple[str, ...] = ()
    """What it is told to run: files, folders, patterns. Empty: what it finds."""
    variables: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    """Shell commands that build what is tested, in order."""
    directory: str = ""
    """From a leading `cd DIR &&`; empty: the top of the repository."""


_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_SHELL: Final = re.compile(r"[|;&<>$`\n(){}]")
_FOLDER: Final = re.compile(r"cd\s+([A-Za-z0-9_./-]+)$")
_LAUNCHERS: Final = frozenset(
    {"npx", "bunx", "env", "cross-env", "cross-env-shell", "dotenv", "--"}
)
_MANAGERS: Final = frozenset({"npm", "yarn", "pnpm", "bun"})
_COVERAGE: Final = frozenset({"c8", "nyc", "istanbul"})
_NO_TESTS: Final = frozenset(
    {
        *("eslint", "prettier", "xo", "standard", "biome", "tslint", "stylelint", "oxlint"),
        *("publint", "attw", "knip", "cspell", "depcheck", "size-limit", "echo", "rimraf"),
        *("markdownlint", "markdownlint-cli2", "commitlint", "tsd", "dtslint", "jshint", "flow"),
    }
)
"""First words of steps that look at the code without running it, or do nothing for the tests."""
_TYPES_ONLY: Final = frozenset({"--noEmit", "--noemit"})

_VALUED: Final[Mapping[Tool, frozenset[str]]] = {
    Tool.NODE: frozenset(
        {
            *("--import", "--require", "-r", "--loader", "--experimental-loader", "-C"),
            *("--conditions", "--env-file", "--test-concurrency", "--test-timeout"),
            *("--test-reporter", "--test-reporter-destination", "--test-name-pattern"),
            *("--test-skip-pattern", "--test-shard", "--experimental-test-coverage"),
        }
    ),
    Tool.JEST: frozenset(
        {
            *("-c", "--config", "-w", "--maxWorkers", "--env", "--testEnvironment", "--rootDir"),
            *("--selectProjects", "--setupFilesAfterEnv", "--testTimeout", "--reporters"),
            *("--outputFile", "-t", "--testNamePattern", "--coverageDirectory", "--preset"),
            *("--collectCoverageFrom", "--coverageReporters", "--shard", "--transform"),
        }
    ),
    Tool.VITEST: frozenset(
        {
            *("-c", "--config", "-r", "--root", "--dir", "--environment", "--pool", "--project"),
            *("--reporter", "--outputFile", "-t", "--testNamePattern", "--testTimeout", "--shard"),
            *("--hookTimeout", "--maxWorkers", "--minWorkers", "--mode", "--workspace", "--bail"),
        }
    ),
    Tool.MOCHA: frozenset(
        {
            *("-r", "--require", "--import", "-t", "--timeout", "-u", "--ui", "--config", "-n"),
            *("--extension", "--ignore", "--exclude", "--package", "-R", "--reporter", "-O"),
            *("--reporter-option", "--reporter-options", "-g", "--grep", "-f", "--fgrep"),
            *("-s", "--slow", "-j", "--jobs", "--retries", "--loader", "--node-option"),
            *("--experimental-loader", "--file", "--spec", "--watch-files", "--watch-ignore"),
        }
    ),
}
"""Options that take the next word, unless it is joined to them by `=`."""

_DROPPED: Final[Mapping[Tool, frozenset[str]]] = {
    Tool.NODE: frozenset(
        {
            *("--test", "--watch", "--test-reporter", "--test-reporter-destination"),
            *("--experimental-test-coverage", "--test-shard"),
        }
    ),
    Tool.JEST: frozenset(
        {
            *("--watch", "--watchAll", "--coverage", "--reporters", "--outputFile", "--json"),
            *("--verbose", "--silent", "--bail", "-b", "--onlyChanged", "-o", "--notify"),
            *("--coverageDirectory", "--collectCoverageFrom", "--coverageReporters", "--ci"),
            *("--collectCoverage", "--shard", "--updateSnapshot", "-u", "--watchman", "--cache"),
        }
    ),
    Tool.VITEST: frozenset(
        {
            *("--watch", "-w", "--coverage", "--reporter", "--outputFile", "--ui", "--run"),
            *("--changed", "--bail", "--update", "-u", "--shard", "--open", "--silent"),
        }
    ),
    Tool.MOCHA: frozenset(
        {
            *("-w", "--watch", "-R", "--reporter", "-O", "--reporter-option"),
            *("--reporter-options", "-b", "--bail", "-p", "--parallel", "-j", "--jobs"),
            *("--watch-files", "--watch-ignore"),
        }
    ),
}
"""Options that would stop early, wait, measure coverage, or write another report than ours.

Mocha's parallel mode tells its reporter less than it needs.
"""


def recognise_script(command: str, scripts: Mapping[str, str]) -> ScriptCommand | None:
    """Return the runner that a shell command starts, maybe through a package's scripts."""
    steps = [step for step in _steps(command, scripts) if not _is_no_test(step)]
    directory = ""
    if steps and (folder := _FOLDER.match(steps[0])):
        if folder[1].startswith("/") or ".." in folder[1].split("/"):
            return None
        directory, steps = folder[1], steps[1:]
    found = [(place, one) for place, step in enumerate(steps) if (one := _runner(step))]
    if not found:
        return None
    place, one = found[-1]
    earlier = {at for at, _other in found}
    before = tuple(step for at, step in enumerate(steps[:place]) if at not in earlier)
    return ScriptCommand(
        tool=one.tool,
        arguments=one.arguments,
        files=one.files,
        variables=one.variables,
        before=before,
        directory="" if directory == "." else directory,
    )


def script_of_manifest(data: bytes) -> ScriptCommand | None:
    """Return how a `package.json` says its tests are run.

    The `test` script decides; where there is none that we know, a runner among the dependencies.
    """
    manifest = _manifest(data)
    scripts = scripts_of_manifest(data)
    names = ("test", "test:unit", "unit", "test:unit:run", "tests", "test:ci", "test:run")
    for name in names:
        if name in scripts and (found := recognise_script(scripts[name], scripts)):
            return found
    known: set[str] = set()
    for key in ("devDependencies", "dependencies"):
        listed = manifest.get(key)
        known |= set(listed) if isinstance(listed, dict) else set()
    for tool in (Tool.VITEST, Tool.JEST, Tool.MOCHA):
        if tool.value in known:
            return ScriptCommand(tool=tool)
    return None


def scripts_of_manifest(data: bytes) -> Mapping[str, str]:
    """Return the scripts of a `package.json` by name; none where it cannot be read."""
    scripts = _manifest(data).get("scripts")
    if not isinstance(scripts, dict):
        return {}
    return {str(name): text for name, text in scripts.items() if isinstance(text, str)}


def _manifest(data: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _steps(command: str, scripts: Mapping[str, str], depth: int = 0) -> list[str]:
    """Return the commands that run one after the other, scripts of the package looked up."""
    found: list[str] = []
    for step in re.split(r"\s*(?:&&|;)\s*", command.strip()):
        name = _named_script(step, scripts) if depth < DEEPEST else None
        if name:
            found += _steps(scripts[name], scripts, depth + 1)
        elif step:
            found.append(step)
    return found


def _named_script(step: str, scripts: Mapping[str, str]) -> str | None:
    """Return the script that `npm run X`, `yarn X` or `npm test` names."""
    words = _words(step)
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in {"cross-env", "env"}):
        words = words[1:]
    if len(words) < 2 or words[0] not in _MANAGERS:
        return None
    rest = [word for word in words[1:] if not word.startswith("-")]
    if rest[:1] == ["run"] or rest[:1] == ["run-script"]:
        rest = rest[1:]
    name = {"t": "test", "tst": "test"}.get(rest[0], rest[0]) if rest else ""
    return name if name in scripts else None


def _is_no_test(step: str) -> bool:
    words = [word for word in _words(step) if not _ASSIGNMENT.match(word)]
    while words and words[0] in _LAUNCHERS:
        words = words[1:]
    if not words:
        return True
    name = PurePosixPath(words[0]).name
    return name in _NO_TESTS or (name in {"tsc", "vue-tsc"} and not _TYPES_ONLY.isdisjoint(words))


def _words(step: str) -> list[str]:
    try:
        return shlex.split(step)
    except ValueError:
        return []


def _runner(step: str) -> ScriptCommand | None:
    """Return the runner that one command starts; None where a shell or something else does."""
    bare = re.sub(r"'[^']*'|\"[^\"$`]*\"", "", step)
    if _SHELL.search(bare):
        return None
    words = _words(step)
    variables: dict[str, str] = {}
    while words:
        word = words.pop(0)
        name = PurePosixPath(word).name
        if _ASSIGNMENT.match(word):
            key, _, value = word.partition("=")
            variables[key] = value
        elif name in _COVERAGE:
            words = _after_options(words)
        elif name in {"node", "nodejs"}:
            return _of_node(words, variables)
        elif name == "tsx" and "--test" in words:
            return _taken_apart(Tool.NODE, ["--import", "tsx", *words], variables)
        elif name in {"jest", "jest-cli", "vitest", "mocha", "_mocha"}:
            tool = Tool(name.removeprefix("_").removesuffix("-cli"))
            return _taken_apart(tool, words, variables)
        elif name in _MANAGERS:
            words = [one for one in words if one not in {"exec", "x", "dlx"}]
        elif not (name in _LAUNCHERS or word in {"--yes", "-y", "--no-install", "--no"}):
            return None
    return None


def _of_node(words: Sequence[str], variables: Mapping[str, str]) -> ScriptCommand | None:
    """`node --test …`, or a runner's program that node is started with."""
    if "--test" in words:
        return _taken_apart(Tool.NODE, words, variables)
    for place, word in enumerate(words):
        path = PurePosixPath(word)
        if not word.startswith("-") and "node_modules" in path.parts:
            tool = _tool_of(path)
            options = {"NODE_OPTIONS": " ".join(words[:place])} if place else {}
            more = {**variables, **options}
            return _taken_apart(tool, words[place + 1 :], more) if tool else None
    return None


def _tool_of(program: PurePosixPath) -> Tool | None:
    """Return the runner by the package in which its program lies, or by the program's name."""
    for tool in (Tool.JEST, Tool.VITEST, Tool.MOCHA):
        if tool.value in program.parts or program.stem in {tool.value, f"_{tool.value}"}:
            return tool
    return None


def _after_options(words: Sequence[str]) -> list[str]:
    """Drop a coverage tool's own words: everything before what it starts."""
    known = {*(tool.value for tool in Tool), "_mocha", "npx", "nodejs"}
    for place, word in enumerate(words):
        if PurePosixPath(word).name in known or _ASSIGNMENT.match(word):
            return list(words[place:])
    return []


def _taken_apart(tool: Tool, words: Sequence[str], variables: Mapping[str, str]) -> ScriptCommand:
    """Part a runner's options from the files it is given."""
    rest = list(words)
    if tool is Tool.VITEST and rest[:1] in (["run"], ["watch"], ["dev"]):
        rest = rest[1:]
    options: list[str] = []
    files: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            continue
        if not word.startswith("-") or word == "-":
            files.append(word)
            continue
        name, joined, _value = word.partition("=")
        taken = [word]
        if not joined and name in _VALUED[tool] and rest:
            taken.append(rest.pop(0))
        is_own = name in _DROPPED[tool] or name.startswith(("--coverage.", "--test-coverage"))
        if tool is Tool.MOCHA and name == "--spec":
            files.append(word.partition("=")[2] if joined else taken[-1])
        elif not is_own:
            options += taken
    return ScriptCommand(
        tool=tool, arguments=tuple(options), files=tuple(files), variables=dict(variables)
    )
