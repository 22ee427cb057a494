"""Attacks on what comes back: nothing that a host would follow, run or trip over."""

from sandbox.base import FileDelete, FileWrite, Harvest, HarvestLimits
from tests.support.attacks import Scene
from tests.support.sandboxes import MIB


def came_back(harvest: Harvest) -> list[str]:
    return [change.path for change in harvest.changes]


async def test_git_entries_do_not_come_back_in_any_spelling(scene: Scene) -> None:
    await scene.attack(
        """
import os
evil = "[core]\\n\\tfsmonitor = touch OUTSIDE/owned\\n\\thooksPath = hooks\\n"
for folder in (".git", ".GIT", "src/.git", "src/.Git", ".git ", ".git.", "git~1", ".g\\u200cit"):
    os.makedirs(folder + "/hooks", exist_ok=True)
    for name in ("config", "hooks/pre-commit", "hooks/post-checkout"):
        with open(os.path.join(folder, name), "w") as file:
            file.write(evil)
        os.chmod(os.path.join(folder, name), 0o755)
os.makedirs("nested/deeper")
with open("nested/deeper/.git", "w") as file:
    file.write("gitdir: /tmp/planted\\n")
with open("honest.py", "w") as file:
    file.write("x = 1\\n")
"""
    )
    harvest = await scene.sandbox.harvest()
    assert came_back(harvest) == ["honest.py"]
    assert harvest.refused


async def test_what_git_and_pytest_would_read_comes_back_as_a_plain_file(scene: Scene) -> None:
    """They are code in the end; nothing runs them before a person or the gate looked at them."""
    await scene.attack(
        """
for name in (".gitattributes", "conftest.py", "src/conftest.py", ".envrc", "pytest.ini"):
    with open(name, "w") as file:
        file.write("planted\\n")
"""
    )
    harvest = await scene.sandbox.harvest()
    assert harvest.changes == tuple(
        FileWrite(path=path, data=b"planted\n")
        for path in (".envrc", ".gitattributes", "conftest.py", "pytest.ini", "src/conftest.py")
    )


async def test_links_and_special_files_do_not_come_back(scene: Scene) -> None:
    await scene.attack(
        """
import os, socket
os.symlink("/etc/passwd", "soft")
os.symlink("..", "up")
os.link("README", "hard")
os.mkfifo("pipe")
socket.socket(socket.AF_UNIX).bind("socket")
"""
    )
    harvest = await scene.sandbox.harvest()
    # Of two names of one file inside the tree one may come, as the plain file that it is.
    came = {change.path: change for change in harvest.changes}
    assert came in ({}, {"hard": FileWrite(path="hard", data=b"hello\n")})
    assert {"soft", "up", "pipe"} <= {item.path for item in harvest.refused}


async def test_names_with_control_characters_do_not_come_back(scene: Scene) -> None:
    await scene.attack(
        r"""
for name in (b"new\nline", b"clear\x1b[2Jscreen", b"bell\x07", b"tab\tbed", b"back\x08space",
             b"del\x7f", "c1\x9b31m".encode(), "txt\u202egnp.exe".encode()):
    open(name, "w").close()
open(b"caf\xe9", "w").close()
open("naïve 'quoted\".txt", "w").close()
"""
    )
    harvest = await scene.sandbox.harvest()
    assert came_back(harvest) == ["caf\udce9", "naïve 'quoted\".txt"]
    assert len(harvest.refused) == 8
    assert all(item.path.isprintable() for item in harvest.refused)


async def test_names_that_climb_stay_names(scene: Scene) -> None:
    """A file system cannot hold `..` as a name, but these come near."""
    await scene.attack(
        """
for name in ("..\\\\..\\\\evil", "...", ".. ", "C:\\\\evil", "-rf", "~", "$(touch owned)"):
    open(name, "w").close()
"""
    )
    harvest = await scene.sandbox.harvest()
    assert "..\\..\\evil" not in came_back(harvest)
    assert set(came_back(harvest)) == {"...", ".. ", "C:\\evil", "-rf", "~", "$(touch owned)"}


async def test_a_flood_of_files_is_capped_and_said(scene: Scene) -> None:
    await scene.attack(
        """
import os
os.mkdir("flood")
for number in range(3000):
    open("flood/%d" % number, "w").close()
"""
    )
    harvest = await scene.sandbox.harvest(HarvestLimits(files=50))
    assert len(harvest.changes) == 50
    assert any("50 files" in item.why for item in harvest.refused)


async def test_large_files_are_refused_and_small_ones_come(scene: Scene) -> None:
    await scene.attack(
        f"""
with open("large", "wb") as file:
    file.write(b"x" * {3 * MIB})
with open("small", "wb") as file:
    file.write(b"y")
"""
    )
    harvest = await scene.sandbox.harvest(HarvestLimits(file_bytes=2 * MIB))
    assert harvest.changes == (FileWrite(path="small", data=b"y"),)
    assert [item.path for item in harvest.refused] == ["large"]


async def test_a_tree_that_cannot_be_walked_costs_neither_time_nor_the_sandbox(
    scene: Scene,
) -> None:
    await scene.attack(
        """
import os
for _ in range(1200):
    os.mkdir("d")
    os.chdir("d")
open("bottom", "w").close()
os.chdir(REPO)
os.mkdir("closed")
open("closed/file", "w").close()
os.chmod("closed", 0)
"""
    )
    harvest = await scene.sandbox.harvest()
    assert came_back(harvest) in ([], ["d/" * 1200 + "bottom"])


async def test_deleted_files_come_back_as_deletions_of_the_tree_only(scene: Scene) -> None:
    await scene.shell("rm -rf src link")
    harvest = await scene.sandbox.harvest()
    assert harvest.changes == (FileDelete(path="link"), FileDelete(path="src/code.py"))
