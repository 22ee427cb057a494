"""The Lua unit tests, in both Neovims, and the help as Vim reads it."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.neovim import PLUGIN, program

pytestmark = [pytest.mark.nvim, pytest.mark.timeout(120)]

HERE = Path(__file__).parent
UNITS = sorted((HERE / "units").glob("*.lua"))


def nvim(version: str, *arguments: str, home: Path) -> "subprocess.CompletedProcess[str]":
    home.mkdir(mode=0o700, exist_ok=True)
    names = ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "CACHE_HOME", "RUNTIME_DIR")
    return subprocess.run(
        [str(program(version)), "-u", "NONE", "-i", "NONE", *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)} | {f"XDG_{n}": str(home) for n in names},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("units", UNITS, ids=lambda path: path.stem)
def test_units_in_lua_pass(version, units, tmp_path):
    done = nvim(
        version, "-l", str(HERE / "run_units.lua"), str(PLUGIN), str(units), home=tmp_path / "home"
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_loads_and_the_command_is_cheap(version, tmp_path):
    modules = [
        ".".join(path.relative_to(PLUGIN / "lua").with_suffix("").parts)
        for path in sorted((PLUGIN / "lua").rglob("*.lua"))
        if path.name != "types.lua"
    ]
    script = tmp_path / "load.lua"
    script.write_text(
        f"vim.opt.runtimepath:prepend('{PLUGIN}')\n"
        f"vim.cmd.runtime('plugin/greenloop.lua')\n"
        "for name in pairs(package.loaded) do\n"
        "  assert(not name:find('^greenloop'), name .. ' is loaded before it is used')\n"
        "end\n"
        f"for _, name in ipairs(vim.json.decode('{str(modules).replace(chr(39), chr(34))}')) do\n"
        "  require((name:gsub('%.init$', '')))\n"
        "end\n"
    )
    done = nvim(version, "-l", str(script), home=tmp_path / "home")
    assert done.returncode == 0, done.stdout + done.stderr


def test_help_has_tags_for_all_that_it_and_the_plugin_refer_to(version, tmp_path):
    docs = tmp_path / "doc"
    docs.mkdir()
    text = (PLUGIN / "doc" / "greenloop.txt").read_text()
    (docs / "greenloop.txt").write_text(text)
    done = nvim(version, "--headless", f"+helptags {docs}", "+qall", home=tmp_path / "home")
    assert done.returncode == 0
    assert "E154" not in done.stderr  # a tag twice
    tags = {line.split("\t")[0] for line in (docs / "tags").read_text().splitlines()}
    sources = "".join(path.read_text() for path in (PLUGIN / "lua").rglob("*.lua"))
    plugs = (PLUGIN / "plugin" / "greenloop.lua").read_text()
    wanted = {word for word in _words(sources + text, "greenloop-") if not word.startswith("<")}
    wanted |= {f":Greenloop-{name}" for name in _subcommands(sources)}
    wanted |= {f"<Plug>(greenloop-{name})" for name in _plugs(plugs)}
    assert wanted - tags == set()


def _words(text: str, beginning: str) -> set[str]:
    """Return what stands between bars in the help, or behind `help` in the plugin."""
    in_bars = set(re.findall(rf"\|({beginning}[\w-]+)\|", text))
    return in_bars | set(re.findall(rf":?help ({beginning}[\w-]+)", text))


def _subcommands(sources: str) -> list[str]:
    table = sources[sources.index("M.subs = {") :]
    table = table[: table.index("\n}\n")]
    return re.findall(r"^  (\w+) = ", table, re.MULTILINE)


def _plugs(text: str) -> list[str]:
    return re.findall(r"^plug\([^,]+, '([\w-]+)'", text, re.MULTILINE)
