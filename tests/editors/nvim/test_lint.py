"""Format and lint of the plugin's Lua, with StyLua and luacheck."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.neovim import PLUGIN, ROOT, program

pytestmark = [pytest.mark.nvim, pytest.mark.timeout(180)]

HERE = Path(__file__).parent
STYLUA = HERE / "stylua"
LUA = [*sorted(PLUGIN.rglob("*.lua")), *sorted(HERE.rglob("*.lua"))]


def run(*arguments: object, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(each) for each in arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=150,
        check=False,
    )


def test_luacheck_finds_nothing():
    luacheck = program("0.12").parents[1] / "luacheck" / "luacheck"
    done = run(luacheck, "--no-color", "-q", "--config", PLUGIN / ".luacheckrc", PLUGIN, HERE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.node
def test_lua_is_in_the_form_that_stylua_gives_it(tmp_path):
    tools = ROOT / ".cache" / "node" / "bin"
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(STYLUA / name, tmp_path)
    script = f'PATH="{tools}:$PATH" exec npm ci --ignore-scripts --no-audit --no-fund'
    installed = run("sh", "-c", script, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    done = run(
        tools / "node",
        STYLUA / "format.mjs",
        tmp_path,
        "--check",
        PLUGIN / ".stylua.toml",
        *LUA,
    )
    assert done.returncode == 0, done.stdout + done.stderr
