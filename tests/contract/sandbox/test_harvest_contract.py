"""What `Sandbox.harvest` promises, on every backend; its attacks are in attacks/."""

from sandbox.base import (
    FileChange,
    FileDelete,
    FileWrite,
    Harvest,
    HarvestLimits,
    LinkWrite,
    Sandbox,
)
from tests.support.sandboxes import py, sh

NOTHING = Harvest(changes=(), refused=())


async def test_an_untouched_tree_gives_nothing(sandbox: Sandbox) -> None:
    assert await sandbox.harvest() == NOTHING
    await sh(sandbox, "cat src/app.py run.sh; touch /tmp/elsewhere")
    assert await sandbox.harvest() == NOTHING


async def test_new_changed_and_deleted_files_come_back_once(sandbox: Sandbox) -> None:
    await sh(sandbox, "echo new > a/new 2>/dev/null || mkdir a; echo new > a/new; rm run.sh")
    await sh(sandbox, "echo '# more' >> src/app.py")
    assert await sandbox.harvest() == Harvest(
        changes=(
            FileWrite(path="a/new", data=b"new\n"),
            FileDelete(path="run.sh"),
            FileWrite(path="src/app.py", data=b"print('app')\n# more\n"),
        ),
        refused=(),
    )
    assert await sandbox.harvest() == NOTHING


async def test_content_is_bytes_and_of_the_mode_only_x_counts(sandbox: Sandbox) -> None:
    await py(
        sandbox,
        """
import os
content = bytes(range(256)) * 40 + b"no newline at the end"
for name, mode in ((b"plain", 0o666), (b"tool", 0o4755), (b"caf\\xe9\\xff", 0o600)):
    with open(name, "wb") as file:
        file.write(content)
    os.chmod(name, mode)
""",
    )
    content = bytes(range(256)) * 40 + b"no newline at the end"
    assert (await sandbox.harvest()).changes == (
        FileWrite(path="caf\udce9\udcff", data=content),
        FileWrite(path="plain", data=content),
        FileWrite(path="tool", data=content, executable=True),
    )


async def test_an_execute_bit_alone_is_a_change(sandbox: Sandbox) -> None:
    await sh(sandbox, "chmod +x src/app.py")
    assert (await sandbox.harvest()).changes == (
        FileWrite(path="src/app.py", data=b"print('app')\n", executable=True),
    )


async def test_a_file_that_became_a_folder_is_deleted_and_its_files_come(sandbox: Sandbox) -> None:
    await sh(sandbox, "rm run.sh; mkdir run.sh; echo inner > run.sh/file")
    assert (await sandbox.harvest()).changes == (
        FileDelete(path="run.sh"),
        FileWrite(path="run.sh/file", data=b"inner\n"),
    )


async def test_an_empty_file_and_a_deep_one_come_back(sandbox: Sandbox) -> None:
    deep = "/".join(["a" * 60] * 8) + "/file"
    await sh(sandbox, f"mkdir -p {deep.rpartition('/')[0]}; echo x > {deep}; : > empty")
    assert (await sandbox.harvest()).changes == (
        FileWrite(path=deep, data=b"x\n"),
        FileWrite(path="empty", data=b""),
    )


async def test_the_total_is_capped_and_the_rest_named(sandbox: Sandbox) -> None:
    await sh(sandbox, "for n in 1 2 3 4; do head -c 1000 /dev/zero > f$n; done")
    harvest = await sandbox.harvest(HarvestLimits(total_bytes=2_500))
    taken = [change.path for change in harvest.changes]
    left = [item.path for item in harvest.refused]
    assert (len(taken), len(left)) == (2, 2)
    assert sorted(taken + left) == ["f1", "f2", "f3", "f4"]


async def test_a_harvest_given_back_as_a_sync_changes_nothing(sandbox: Sandbox) -> None:
    """The way of every accepted change: out, into the attempt, and in again with the next sync."""
    await sh(sandbox, "echo new > new; rm run.sh; chmod +x src/app.py")
    changes: list[FileChange] = list((await sandbox.harvest()).changes)
    await sandbox.sync(changes)
    assert await sandbox.harvest() == NOTHING
    listed = await sh(sandbox, "cat new; ls; test -x src/app.py && echo still")
    assert listed.output == b"new\nlink\nnew\nsrc\nstill\n"


async def test_what_the_host_put_in_does_not_come_back(sandbox: Sandbox) -> None:
    await sandbox.sync([FileWrite(path="mine", data=b"1"), LinkWrite(path="soft", target="mine")])
    assert await sandbox.harvest() == NOTHING
    await sh(sandbox, "echo 2 > mine")
    assert (await sandbox.harvest()).changes == (FileWrite(path="mine", data=b"2\n"),)
