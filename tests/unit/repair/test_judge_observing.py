"""What patches do beyond the tests, observed for real in processes of this machine."""

import subprocess
import sys
import textwrap
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest

from agent.repair.confirm import Patch
from agent.repair.judge.behaviours import behaviours
from agent.repair.judge.groups import groups, telling
from agent.repair.proposal import Proposal
from agent.repair.validate.base import Watched, part_of
from agent.repair.validate.fork_server import inside_files
from agent.repair.validate.observing import START, Observing, Seen
from agent.task import TestId
from agent.verify.bench import Bench
from agent.verify.pytest_runner import PytestRunner
from agent.verify.report import Baseline, Outcome, TestReport, TestResult
from sandbox.base import TOOLS_DIR, Environment, ProbeLine, Sandbox, SandboxSpec
from sandbox.errors import SandboxLost
from tests.support.repair import LocalProcess, a_source, a_unit_proposal, base_of

CODE = """
    import random
    import time

    LIMIT = 3


    def total(price, count, tax=0):
        return price + count


    def pick(items):
        for item in items:
            yield item


    def sort(items):
        items.append(0)
        items.sort()


    class Account:
        def __init__(self, balance):
            self.balance = balance

        def withdraw(self, amount):
            if amount > self.balance:
                raise ValueError("not enough")
            self.balance -= amount
            return self.balance


    class Locked:
        def __deepcopy__(self, memo):
            raise TypeError("not to be copied")

        def size(self, count):
            return count + 1


    def stamp(value):
        return (time.perf_counter(), value)


    def names(words):
        return list({word + "s" for word in words})


    async def later(value):
        return value + 1


    def over(value):
        return value > LIMIT
"""
TESTS = """
    import asyncio

    from shop import Account, Locked, later, names, over, pick, sort, stamp, total


    def test_total(): assert total(2, 3) == 6
    def test_zero(): assert total(0, 0) == 0
    def test_pick(): assert list(pick([1, 2])) == [1, 2]
    def test_sort(): assert sort([3, 1]) is None
    def test_account(): assert Account(3).withdraw(3) == 0
    def test_locked(): assert Locked().size(1) == 2
    def test_stamp(): assert stamp(1)[1] == 1
    def test_names(): assert set(names(["a", "b"])) == {"as", "bs"}
    def test_later(): assert asyncio.run(later(1)) == 2
    def test_over(): assert over(4)
"""


def a_project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shop.py").write_text(textwrap.dedent(CODE).lstrip())
    (folder / "test_shop.py").write_text(textwrap.dedent(TESTS).lstrip())
    return folder


def an_edit(folder: Path, before: str, after: str, *, swap: bool = True) -> Proposal:
    source = a_source((folder / "shop.py").read_text(), "shop.py")
    return a_unit_proposal(source, before, after, swap=swap)


@asynccontextmanager
async def an_observer(folder: Path) -> AsyncGenerator[Observing, None]:
    tools = folder.parent / "tools"
    for name, data in inside_files().items():
        (tools / name).parent.mkdir(parents=True, exist_ok=True)
        (tools / name).write_bytes(data)
    process = await anyio.open_process(
        [sys.executable, "-B", "-c", START.replace(TOOLS_DIR, str(tools))],
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Observing(LocalProcess(process))
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.aclose()


def an_opening(folder: Path, *tests: str, patches: Sequence[Patch]) -> dict[str, object]:
    return {
        "root": str(folder),
        "files": ["test_shop.py"],
        "options": ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:randomly"],
        "cwd_on_path": True,
        "workers": 2,
        "seconds": 20.0,
        "tests": [[TestId(f"test_shop.py::{test}"), 0.5] for test in tests],
        "patches": [[part_of(proposal) for proposal in patch] for patch in patches],
    }


async def observed(folder: Path, *tests: str, patches: Sequence[Patch]) -> Seen:
    async with an_observer(folder) as scripts:
        return await scripts.observe(an_opening(folder, *tests, patches=patches))


def grouped(seen: Seen) -> tuple[int, ...]:
    assert not seen.note
    return groups(seen, telling(seen))


def calls(seen: Seen) -> dict[str, str]:
    """What the untouched code does, by the call as it is typed."""
    return {one.typed.inline: one.base.value.shown for one in seen.inputs if one.typed}


async def test_patches_that_do_the_same_are_one_group(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    texts = ("price * count", "count * price", "2 * count", "price * count + 0 * tax")
    patches = [(an_edit(folder, "price + count", text),) for text in texts]
    seen = await observed(folder, "test_total", "test_zero", patches=patches)
    assert grouped(seen) == (1, 1, 2, 1)
    known = calls(seen)
    assert known["total(2, 3)"] == "5"
    assert len(known) > 20
    assert any("tax=" in call for call in known)


async def test_an_edit_that_cannot_be_swapped_is_imported_anew(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [
        (an_edit(folder, "price + count", "price * count"),),
        (an_edit(folder, "price + count", "count * price", swap=False),),
        (an_edit(folder, "price + count", "price + 2 * count", swap=False),),
        (an_edit(folder, "LIMIT = 3", "LIMIT = 2", swap=False),),
    ]
    seen = await observed(folder, "test_total", "test_zero", patches=patches)
    assert grouped(seen) == (1, 1, 2, 3)


async def test_edits_outside_of_functions_show_in_the_functions_around(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    texts = ("LIMIT = 2", "LIMIT = 1 + 1", "LIMIT = 1")
    patches = [(an_edit(folder, "LIMIT = 3", text, swap=False),) for text in texts]
    patches.append((an_edit(folder, "tax=0", "tax=1", swap=False),))
    seen = await observed(folder, "test_total", "test_over", patches=patches)
    assert grouped(seen) == (1, 1, 2, 3)


async def test_a_default_that_was_edited_counts(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    shop = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text(shop.replace("price + count", "price + count + tax"))
    texts = ("tax=1", "tax=2 - 1", "tax=2")
    patches = [(an_edit(folder, "tax=0", text, swap=False),) for text in texts]
    seen = await observed(folder, "test_total", patches=patches)
    assert grouped(seen) == (1, 1, 2)
    assert calls(seen)["total(2, 3)"] == "5"


async def test_two_edits_at_once_are_one_patch(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    first = an_edit(folder, "price + count", "price * count")
    patches = [
        (first,),
        (first, an_edit(folder, "yield item", "yield 1")),
        (first, an_edit(folder, "LIMIT = 3", "LIMIT = 3 + 0", swap=False)),
    ]
    seen = await observed(folder, "test_total", "test_pick", patches=patches)
    assert grouped(seen) == (1, 2, 1)


async def test_what_a_call_raises_counts(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [
        (an_edit(folder, '"not enough"', '"too much"'),),
        (an_edit(folder, "raise ValueError", "raise KeyError"),),
        (an_edit(folder, "amount > self.balance", "self.balance < amount"),),
        (an_edit(folder, "self.balance -= amount", "self.balance = self.balance - amount"),),
    ]
    seen = await observed(folder, "test_account", patches=patches)
    assert grouped(seen) == (1, 2, 3, 3)
    assert calls(seen)["Account(3).withdraw(4)"] == "ValueError: not enough"


async def test_a_generator_is_read_to_its_end(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [
        (an_edit(folder, "yield item", "yield items[0]"),),
        (an_edit(folder, "yield item", "yield (item)"),),
    ]
    seen = await observed(folder, "test_pick", patches=patches)
    assert grouped(seen) == (1, 2)
    assert calls(seen)["pick([1, 2])"] == "[1, 2]"


async def test_what_becomes_of_the_arguments_counts(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [
        (an_edit(folder, "items.sort()", "items.sort(reverse=True)"),),
        (an_edit(folder, "items.sort()", "items[:] = sorted(items)"),),
    ]
    seen = await observed(folder, "test_sort", patches=patches)
    assert grouped(seen) == (1, 2)
    (recorded,) = [one for one in seen.inputs if one.is_recorded]
    assert recorded.typed is not None
    assert recorded.typed.setup == ("items = [3, 1]",)
    assert recorded.typed.named == "sort(items)"
    assert [(name, shown.source) for name, shown in recorded.base.changed] == [
        ("items", "[0, 1, 3]")
    ]


async def test_a_coroutine_is_waited_for(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [(an_edit(folder, "value + 1", text),) for text in ("value + 1.0", "1 + value")]
    seen = await observed(folder, "test_later", patches=patches)
    assert grouped(seen) == (1, 2)


async def test_a_receiver_that_cannot_be_copied_is_left_out(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [(an_edit(folder, "count + 1", text),) for text in ("1 + count", "2")]
    seen = await observed(folder, "test_locked", patches=patches)
    assert seen.note == "no test that was run calls what they edit"


async def test_what_differs_each_time_is_left_out(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [(an_edit(folder, "time.perf_counter()", text),) for text in ("1", "2")]
    seen = await observed(folder, "test_stamp", patches=patches)
    assert seen.note == "what they edit gives another result each time"


async def test_what_hangs_on_the_order_of_a_set_is_no_question(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    (folder / "test_shop.py").write_text(
        "from shop import names\n\n\n"
        "def test_names():\n    assert len(names([str(n) for n in range(20)])) == 20\n"
    )
    patches = [(an_edit(folder, 'word + "s"', text),) for text in ('word + "t"', '"s" + word')]
    seen = await observed(folder, "test_names", patches=patches)
    assert [one.typed for one in seen.inputs if one.is_recorded] == [None]


async def test_a_patch_that_does_not_end_is_not_measured(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [
        (an_edit(folder, "return price + count", "while True: pass"),),
        (an_edit(folder, "price + count", "price * count"),),
    ]
    seen = await observed(folder, "test_total", "test_zero", patches=patches)
    assert grouped(seen) == (0, 1)


async def test_a_patch_that_ends_the_process_is_not_measured(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [
        (an_edit(folder, "return price + count", "import os; os._exit(0)"),),
        (an_edit(folder, "price + count", "price * count"),),
    ]
    seen = await observed(folder, "test_total", patches=patches)
    assert grouped(seen) == (0, 1)


async def test_code_of_the_base_that_does_not_end_can_be_mended(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    shop = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text(
        shop + "\n\ndef down(n):\n    while n != 0:\n        n -= 2\n    return n\n"
    )
    (folder / "test_shop.py").write_text(
        "from shop import down\n\n\ndef test_three():\n    assert down(3) <= 0\n\n\n"
        "def test_two():\n    assert down(2) == 0\n"
    )
    patches = [
        (an_edit(folder, "n != 0", "n > 0"),),
        (an_edit(folder, "n != 0", "0 < n"),),
        (an_edit(folder, "n != 0", "n >= 2"),),
    ]
    seen = await observed(folder, "test_three", "test_two", patches=patches)
    assert grouped(seen) == (1, 1, 2)
    assert "does not end" in calls(seen).values()


async def test_an_object_that_cannot_be_packed_in_time_spoils_nothing_else(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    shop = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text(
        f"{shop}\n\nclass Slow:\n"
        "    def __deepcopy__(self, memo):\n        return Slow()\n\n"
        "    def __getstate__(self):\n        while True:\n            pass\n"
    )
    (folder / "test_shop.py").write_text(
        "from shop import Slow, total\n\n\n"
        "def test_slow():\n    assert total(1, 2) == total(2, 1)\n"
        "    try:\n        total(Slow(), 1)\n    except TypeError:\n        pass\n"
        "    assert total(3, 4) == 7\n"
    )
    patches = [(an_edit(folder, "price + count", text),) for text in ("count + price", "price")]
    seen = await observed(folder, "test_slow", patches=patches)
    assert grouped(seen) == (1, 2)
    assert calls(seen)["total(3, 4)"] == "7"


async def test_inputs_and_outcomes_are_the_same_each_time(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [(an_edit(folder, "price + count", text),) for text in ("price", "count * price")]
    first, second = [
        await observed(folder, "test_total", "test_zero", patches=patches) for _turn in range(2)
    ]
    assert first == second


async def test_ready_made_tests_are_tried_on_patches(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [
        (an_edit(folder, "price + count", "price * count"),),
        (an_edit(folder, "price + count", "price - count", swap=False),),
        (an_edit(folder, "return price + count", "while True: pass"),),
    ]
    head = "import pytest\n\nfrom shop import total\n\n\ndef test_it():\n    "
    tests = [
        f"{head}assert total(3, 4) == 7\n",
        f"{head}assert total(3, 4) == 12\n",
        f"{head}with pytest.raises(TypeError):\n        total(None, 4)\n",
    ]
    async with an_observer(folder) as scripts:
        await scripts.observe(an_opening(folder, "test_total", patches=patches))
        passes = await scripts.passing(tests, [-1, 0, 1], seconds=20)
        hanging = await scripts.passing(tests[:1], [2], seconds=20)
    assert passes == [[True, False, True], [False, True, True], [False, False, True]]
    assert hanging == [[False]]


async def test_a_session_that_cannot_start_is_told(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    (folder / "conftest.py").write_text("raise RuntimeError\n")
    patches = [(an_edit(folder, "price + count", text),) for text in ("price", "count")]
    seen = await observed(folder, "test_total", patches=patches)
    assert seen.note.startswith("pytest ended with exit code")


async def test_a_process_that_dies_is_told(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    (folder / "conftest.py").write_text("import os\nos._exit(0)\n")
    patches = [(an_edit(folder, "price + count", text),) for text in ("price", "count")]
    seen = await observed(folder, "test_total", patches=patches)
    assert seen == Seen(note="the process that observes them ended early (exited)")


async def test_objects_are_changed_in_what_they_were_made_from(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    patches = [
        (an_edit(folder, "amount > self.balance", "amount > max(3, self.balance)"),),
        (an_edit(folder, "amount > self.balance", "self.balance < amount"),),
    ]
    seen = await observed(folder, "test_account", patches=patches)
    assert grouped(seen) == (1, 2)
    assert "Account(2).withdraw(3)" in calls(seen)


async def test_an_object_that_copies_itself_otherwise_is_copied_by_its_state(
    tmp_path: Path,
) -> None:
    folder = a_project(tmp_path)
    shop = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text(
        f"{shop}\n\nclass Shelf:\n"
        "    def __init__(self, *things):\n        self.lists = [[thing] for thing in things]\n\n"
        "    def __reduce__(self):\n        return Shelf, ()\n\n"
        "    def first(self):\n        return self.lists[0]\n"
    )
    (folder / "test_shop.py").write_text(
        "from shop import Shelf\n\n\ndef test_first():\n    assert Shelf(1, 2).first() == [1]\n"
    )
    patches = [(an_edit(folder, "self.lists[0]", text),) for text in ("[1]", "self.lists[0][:]")]
    patches.append((an_edit(folder, "self.lists[0]", "self.lists[1]"),))
    seen = await observed(folder, "test_first", patches=patches)
    assert [one.base.value.shown for one in seen.inputs if one.is_recorded] == ["[1]"]
    assert grouped(seen)[2] != grouped(seen)[0]


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[1, 2]",
        "{}",
        '{"inputs": [1]}',
        '{"inputs": [{"at": []}], "base": [], "patches": []}',
        '{"inputs": [], "base": 3, "patches": 4}',
        '{"inputs": [{"at": 1}], "base": [{"at": 1}], "patches": [[{"at": 1}]]}',
    ],
)
async def test_nonsense_is_told_and_not_believed(line: str) -> None:
    seen = await Observing(Answering(line)).observe({})
    assert seen.note
    assert seen.patches == ()
    assert await Observing(Answering(line)).passing([], [], seconds=1) == []


class Answering:
    """A process of the sandbox that says one line."""

    def __init__(self, line: str) -> None:
        self._line = line

    async def send(self, data: bytes) -> None:
        assert data.endswith(b"\n")

    async def close_stdin(self) -> None:
        pass

    async def receive(self) -> bytes:
        return self._line.encode() + b"\n"


class Losing:
    """An engine whose sandboxes are lost at once, or never come."""

    name = "losing"

    def __init__(self, *, waits: bool) -> None:
        self._waits = waits

    @asynccontextmanager
    async def open(self, spec: SandboxSpec) -> AsyncGenerator[Sandbox, None]:
        if self._waits:
            await anyio.sleep_forever()
        raise SandboxLost(f"nothing is in {spec.workdir}")
        yield

    async def probe(self) -> tuple[ProbeLine, ...]:
        return ()

    async def reap(self) -> tuple[str, ...]:
        return ()


@pytest.mark.parametrize(("waits", "why"), [(False, "lost"), (True, "no time")])
async def test_a_search_goes_on_without_what_could_not_be_observed(
    tmp_path: Path, waits: bool, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.repair.judge.behaviours.COLLECT_S", 0.05)
    folder = a_project(tmp_path)
    patches = [(an_edit(folder, "price + count", text),) for text in ("price", "count")]
    target = TestId("test_shop.py::test_total")
    result = TestResult(id=target, outcome=Outcome.FAILED, duration_s=0.1)
    report = TestReport(results={target: result})
    bench = Bench(
        base=base_of(folder),
        engine=Losing(waits=waits),
        environment=Environment(kind="host", why="", identity=""),
        runner=PytestRunner(interpreter=sys.executable),
    )
    baseline = Baseline(report=report, targets=(target,), flaky=(), wall_s=1.0)
    watched = Watched(targets=((target, 0.1),), passing=())
    found = await behaviours(bench, baseline, watched, patches, seconds=0.05)
    assert (found.groups, found.count) == ((0, 0), 0)
    assert why in found.note
