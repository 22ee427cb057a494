"""Warnings go to a file, without secrets; a log that cannot be written disturbs nobody."""

import logging
from pathlib import Path

import pytest

from agent.cli.logs import logged
from agent.journal.redaction import Redactor

SECRET = "hunter2-hunter2"


def test_warnings_are_written_without_secrets_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "greenloop.log"
    with logged(path, Redactor([("MY_TOKEN", SECRET)])):
        assert not path.exists()
        logging.getLogger("sandbox.x").info("quiet")
        assert not path.exists()
        logging.getLogger("sandbox.x").warning("loud %s caf\udce9", SECRET)
    logging.getLogger("sandbox.x").warning("afterwards")
    (line,) = path.read_text(encoding="utf-8").splitlines()
    assert line.endswith("WARNING sandbox.x: loud [redacted MY_TOKEN] caf\\udce9")


def test_log_that_cannot_be_written_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    with logged(tmp_path / "file" / "greenloop.log", Redactor()):
        logging.getLogger("sandbox.x").warning("lost")
    assert capsys.readouterr().err == ""
