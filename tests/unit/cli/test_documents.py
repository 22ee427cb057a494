"""The documents name every option, setting and event there is."""

import argparse
import re
from pathlib import Path
from typing import get_args

from agent.cli.arguments import _parser
from agent.config import KEYS, Settings, settings_table
from agent.events import Event

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
