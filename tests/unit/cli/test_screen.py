"""Where output goes, and that it gets there in any encoding."""

import io
import subprocess
import sys
from pathlib import Path

from agent.cli.screen import open_screen
from tests.support.cli import a_stored_run, streams


def test_stream_that_cannot_encode_gets_escapes(tmp_path: Path) -> None:
    stored = a_stored_run(tmp_path / "state", tmp_path / "caf\u00e9")
    done = subprocess.run(
        [sys.executable, "-m", "agent", "show", stored.run],
        check=True,
        capture_output=True,
        env={
            "HOME": str(tmp_path),
            "GREENLOOP_STATE_DIR": str(tmp_path / "state"),
            "PYTHONIOENCODING": "ascii",
            "PYTHONPATH": str(Path(__file__).parents[3]),
        },
    )
    assert b"caf\\xe9" in done.stdout
    assert done.stderr == b""


def test_json_silences_lines_and_lines_silence_json() -> None:
    plain, json = streams(), streams(wants_json=True)
    for shown in (plain, json):
        shown.screen.line("a line")
        shown.screen.answer({"a": 1})
    assert plain.out.getvalue() == "a line\n"
    assert json.out.getvalue() == '{"a": 1}\n'


def test_json_is_never_laid_out_for_a_terminal() -> None:
    assert streams(terminal=True).screen.is_rich
    assert not streams(terminal=True, wants_json=True).screen.is_rich
    assert streams(terminal=True, wants_json=True).screen.is_live


def test_streams_of_any_kind_will_do(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    screen = open_screen({}, wants_json=False)
    assert not screen.is_rich
    assert not screen.is_live
