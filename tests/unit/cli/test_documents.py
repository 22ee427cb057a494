"""The documents name every option, setting and event there is."""

import argparse
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import get_args

from agent.cli.arguments import _parser
from agent.config import KEYS, Settings, settings_table
from agent.context.entries import Entry
from agent.events import Event
from agent.models.fake.reading import parse_script
from agent.models.fake.script import (
    Echo,
    Edits,
    Flaw,
    Ids,
    LeaksIn,
    Pace,
    ReasoningKey,
    Scene,
    Script,
    When,
)
from agent.models.profile import Dialect, Patience, Price, Timers
from agent.models.profiles import _KEYS, find_profile
from agent.telling.lanes import _ENDS as ENDS

DOCS = Path(__file__).parents[3] / "docs"


def commands() -> dict[str, argparse.ArgumentParser]:
    (choices,) = (
        action.choices
        for action in _parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return dict(choices)


def test_every_command_and_option_is_described() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    for name, command in commands().items():
        assert f"## greenloop {name}" in text
        for option in re.findall(r"--[a-z-]+", command.format_help()):
            assert option in text or option == "--help"


def test_every_option_that_is_described_exists() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    known = "".join(command.format_help() for command in commands().values())
    assert {option for option in re.findall(r"`(--[a-z-]+)", text) if option not in known} == set()


def test_every_setting_is_described_with_its_default() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, flags=re.MULTILINE))
    assert set(rows) == set(KEYS)
    for name, value, _ in settings_table(Settings(state_dir=Path("/x"))):
        shown = value.strip("()").removesuffix(".0")
        assert shown in rows[name] or name == "state_dir"


def test_every_event_is_described() -> None:
    text = (DOCS / "journal.md").read_text(encoding="utf-8")
    assert {kind.__name__ for kind in get_args(Event) if f"`{kind.__name__}`" not in text} == set()


def test_every_entry_of_a_log_is_described() -> None:
    text = (DOCS / "journal.md").read_text(encoding="utf-8")
    assert {kind.__name__ for kind in get_args(Entry) if f"`{kind.__name__}`" not in text} == set()


def test_every_tool_of_a_model_is_described() -> None:
    text = (DOCS / "loop.md").read_text(encoding="utf-8")
    tools = {path.stem for path in (DOCS.parent / "agent/tools/texts").glob("*.md")}
    assert tools
    assert {tool for tool in tools if f"`{tool}`" not in text} == set()


def test_every_end_of_an_attempt_is_described() -> None:
    text = (DOCS / "loop.md").read_text(encoding="utf-8")
    assert {how for how in ENDS if f"`{how}`" not in text} == set()


def test_the_script_in_the_documents_can_be_served() -> None:
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (conversation,) = parse_script(script).conversations
    assert len(conversation.scenes) == 2


def test_every_key_of_a_script_is_described() -> None:
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    names = {each.name for kind in (Script, Scene, Pace, When) for each in fields(kind)}
    assert {name for name in names - {"answer"} if f"`{name}`" not in text} == set()
    choices = {
        each for kind in (Flaw, Echo, Ids, Edits, LeaksIn, ReasoningKey) for each in get_args(kind)
    }
    assert {choice for choice in choices if f"`{choice}`" not in text} == set()


def test_every_configuration_in_the_documents_is_valid() -> None:
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) > 8
    for block in blocks:
        given = tomllib.loads(block)
        assert set(given) <= set(KEYS), block
        for name in given.get("models", {}):
            profile = find_profile(name, given["models"])
            assert profile.model or profile.dialect is Dialect.CHAT, block


def test_every_key_of_a_profile_is_described() -> None:
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    names = {*_KEYS, *(each.name for kind in (Timers, Patience, Price) for each in fields(kind))}
    assert {name for name in names if not re.search(rf"[`{{ ]{name}[`, }}]", text)} == set()
