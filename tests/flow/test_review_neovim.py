"""Accept and undo in real Neovims that know nothing of Greenloop but its language server."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.journal.store import RunStore
from tests.support.hosts import state_in
from tests.support.lsp import surroundings
from tests.support.neovim import VERSIONS, program
from tests.support.repos import a_repo
from tests.support.reviewing import store_run

pytestmark = [pytest.mark.nvim, pytest.mark.timeout(180)]

SCRIPT = Path(__file__).parents[1] / "support" / "review_in_neovim.lua"
LINES = b"".join(b"line %d\n" % n for n in range(8))

CHANGES = {
    "middle.py": (LINES, LINES.replace(b"line 3\n", b"line three\n")),
    "first.py": (LINES, b"new first\n" + LINES),
    "last.py": (LINES, LINES + b"new last\n"),
    "cut.py": (LINES, LINES.replace(b"line 7\n", b"")),
    "emptied.py": (b"a\n", b""),
    "filled.py": (b"", b"a\nb\n"),
    "no_end.py": (b"a\nb", b"A\nb"),
    "no_end_last.py": (b"a\nb", b"a\nc"),
    "no_end_more.py": (b"a\nb\nc\nd\ne", b"a\nb\nc\nd\ne\nf"),
    "ends.py": (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\nd\r\n"),
    "mark.py": (b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfA\nb\n"),
    "wide.py": ("x = '😀ä'\n\ty = 1\n".encode(), "x = '😀ö'\n\ty = 2\n".encode()),
    "many.py": (LINES, LINES.replace(b"line 1\n", b"").replace(b"line 5\n", b"5\n5.5\n")),
}


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def reviewed_in(version: str, folder: Path, changes: Any, *, typed: str = "") -> tuple[Path, Any]:
    """Accept all of a proposal in a Neovim, save, undo, save; return the repository and answers."""
    repo = a_repo(folder / "repo", {name: old for name, (old, _) in changes.items()})
    environment = surroundings(folder)
    run = store_run(RunStore(state_in(folder)), repo, changes)
    out = folder / "out.json"
    done = subprocess.run(
        [program(version), "--headless", "--clean", "-S", SCRIPT],
        cwd=repo,
        env={
            **environment,
            "COMMAND": json.dumps([sys.executable, "-m", "lsp_server"]),
            "RUN": run,
            "FILES": json.dumps(list(changes)),
            "TYPED": typed,
            "OUT": str(out),
        },
        capture_output=True,
        check=False,
        timeout=150,
    )
    assert out.exists(), done.stderr.decode()
    answer = json.loads(out.read_bytes())
    assert "error" not in answer, answer["error"]
    return repo, answer


def saved_in(answer: Any) -> dict[str, bytes]:
    return {name: base64.b64decode(data) for name, data in answer["saved"].items()}


def test_accepted_lines_change_exactly_their_bytes_and_undo_gives_them_back(
    version: str, tmp_path: Path
) -> None:
    repo, answer = reviewed_in(version, tmp_path, CHANGES)
    assert answer["accepted"]["conflicts"] == []
    assert {each["how"] for each in answer["accepted"]["done"]} == {"buffer"}
    assert saved_in(answer) == {name: new for name, (_, new) in CHANGES.items()}
    assert answer["undone"]["conflicts"] == []
    assert {name: (repo / name).read_bytes() for name in CHANGES} == {
        name: old for name, (old, _) in CHANGES.items()
    }


def test_typing_while_an_edit_is_on_its_way_is_kept_and_the_edit_made_anew(
    version: str, tmp_path: Path
) -> None:
    changes = {"a.py": CHANGES["many.py"]}
    repo, answer = reviewed_in(version, tmp_path, changes, typed="a.py")
    assert answer["accepted"]["conflicts"] == []
    old, new = changes["a.py"]
    assert saved_in(answer) == {"a.py": b"typed\n" + new}
    assert (repo / "a.py").read_bytes() == b"typed\n" + old
