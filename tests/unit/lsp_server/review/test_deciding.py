import fcntl
import json
import os
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from jsonschema import Draft202012Validator

import lsp_server
from agent.edits.changes import Content, Mode
from agent.host.api import Checked
from agent.task import TaskSpec
from lsp_server.review import stored
from tests.support.lsp import Answered
from tests.support.reviewing import Desk, Editor, reviewing

OLD = b"".join(b"line %d\n" % n for n in range(20))
NEW = OLD.replace(b"line 3\n", b"line three\n").replace(b"line 15\n", b"line 15\nline 15.5\n")
ONE = OLD.replace(b"line 3\n", b"line three\n")
OTHER = OLD.replace(b"line 15\n", b"line 15\nline 15.5\n")


@pytest.fixture
async def desk(tmp_path):
    async with reviewing(tmp_path) as desk:
        yield desk


async def ask(editor: Editor, method: str, params: dict) -> dict:
    """Send a request of ours and hold its answer to the schema."""
    answer = await editor.peer.request(method, params)
    schema = json.loads((Path(lsp_server.__file__).parent / "protocol.schema.json").read_bytes())
    pointer = f"#/methods/{method.replace('/', '~1')}/result"
    Draft202012Validator({**schema, "$ref": pointer}).validate(answer)
    return answer


async def decide(editor: Editor, run: str, decision: str, **others: object) -> dict:
    return await ask(editor, "greenloop/decide", {"run": run, "decision": decision, **others})


async def proposal(editor: Editor, run: str) -> dict:
    return await ask(editor, "greenloop/proposal", {"run": run})


def hunks_of(proposal: dict) -> list[dict]:
    return [hunk for file in proposal["files"] for hunk in file["hunks"]]


def states_of(proposal: dict) -> list[str]:
    return [hunk["state"] for hunk in hunks_of(proposal)]


async def test_a_proposal_names_hunks_with_their_lines(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        found = await proposal(editor, run)
    (file,) = found["files"]
    first, second = file["hunks"]
    assert (found["verdict"], found["check"]["state"]) == ("green", "measured")
    assert file["uri"] == (desk.repo / "a.py").as_uri()
    assert first["base"] == first["proposed"] == first["now"] == {"line": 3, "count": 1}
    assert (first["old"], first["new"]) == ("line 3\n", "line three\n")
    assert second["base"] == second["now"] == {"line": 16, "count": 0}
    assert second["proposed"] == {"line": 16, "count": 1}


async def test_tests_that_need_a_hunk_are_named_with_it(desk: Desk):
    test = b"def test_b():\n    assert True\n"
    run = desk.run_with(
        {"a.py": (OLD, ONE), "tests/test_b.py": (None, test)},
        own_tests=("tests/test_b.py::test_b",),
    )
    async with desk.client() as editor:
        hunk, own = hunks_of(await proposal(editor, run))
        assert (hunk["neededFor"], hunk["ownTest"], own["ownTest"]) == ([], False, True)
    needed = {hunk["id"]: ["tests/test_a.py::test_a"]}
    run = desk.run_with({"a.py": (OLD, ONE)}, needed_for=needed)
    async with desk.client() as editor:
        (hunk,) = hunks_of(await proposal(editor, run))
    assert hunk["neededFor"] == ["tests/test_a.py::test_a"]


async def test_a_file_that_is_not_open_is_written_on_disk(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
    async with desk.client() as editor:
        first = hunks_of(await proposal(editor, run))[0]
        decided = await decide(editor, run, "accept", hunks=[first["id"]])
    path = desk.repo / "a.py"
    assert path.read_bytes() == ONE
    assert decided["done"] == [
        {
            "path": "a.py",
            "uri": path.as_uri(),
            "how": "disk",
            "saved": True,
            "save": False,
            "hunks": [first["id"]],
        }
    ]
    assert states_of(decided["proposal"]) == ["accepted", "open", "open", "open"]
    assert decided["proposal"]["canUndo"]
    assert hunks_of(decided["proposal"])[1]["now"] == {"line": 16, "count": 0}


@pytest.mark.parametrize("kind", ["neovim", "vscode"])
async def test_an_open_file_is_changed_in_the_editor_and_not_on_disk(desk: Desk, kind):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client(kind) as editor:
        uri = await editor.open(desk.repo / "a.py")
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri].encode() == NEW
    assert (desk.repo / "a.py").read_bytes() == OLD
    (done,) = decided["done"]
    assert (done["how"], done["saved"], done["save"]) == ("buffer", False, True)
    assert editor.labels == ["Greenloop: accept 2 changes in a.py"]


async def test_a_buffer_with_unsaved_changes_is_not_to_be_saved(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py")
        await editor.type(uri, "typed\n" + OLD.decode())
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri] == "typed\n" + NEW.decode()
    assert decided["done"][0]["save"] is False


@pytest.mark.parametrize("newer", [b"# of another program\n" + OLD, None])
async def test_a_buffer_whose_file_was_changed_by_others_is_not_to_be_saved(desk: Desk, newer):
    run = desk.run_with({"a.py": (OLD, NEW)})
    path = desk.repo / "a.py"
    async with desk.client() as editor:
        uri = await editor.open(path)
        await proposal(editor, run)
        path.unlink() if newer is None else path.write_bytes(newer)
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri].encode() == NEW
    assert decided["done"][0]["save"] is False


async def test_a_patch_whose_verdict_is_not_written_yet_is_not_reviewed(desk: Desk):
    kept = desk.store.open(desk.run_with({"a.py": (OLD, NEW)}))
    started = kept.summary().started
    with desk.store.new_run(TaskSpec(repo=desk.repo)) as writer:
        writer.append(replace(started, run=writer.run))
        writer.write_patch(kept.patch(), "")
        async with desk.client() as editor:
            with pytest.raises(Answered, match="is still going on"):
                await proposal(editor, writer.run)
            writer.write_result(kept.result())
            writer.append(kept.summary().finished)
            assert (await proposal(editor, writer.run))["verdict"] == "green"


@pytest.mark.parametrize("typed", ["", "typed\n"])
async def test_tests_count_as_mended_where_the_files_are_just_as_measured(
    desk: Desk, typed, monkeypatch
):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        mended: list[str] = []
        monkeypatch.setattr((await desk.keeper.get()).results, "mended", mended.append)
        uri = await editor.open(desk.repo / "a.py")
        await editor.type(uri, typed + OLD.decode())
        decided = await decide(editor, run, "accept")
    assert states_of(decided["proposal"]) == ["accepted", "accepted"]
    assert mended == ([] if typed else [run])


@pytest.mark.parametrize("kind", ["neovim", "vscode"])
async def test_typing_while_an_edit_is_on_its_way_is_kept(desk: Desk, kind):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client(kind) as editor:
        uri = await editor.open(desk.repo / "a.py")

        async def type_above() -> None:
            await editor.type(uri, "typed\n" + OLD.decode())

        editor.before_edit = type_above
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri] == "typed\n" + NEW.decode()
    assert states_of(decided["proposal"]) == ["accepted", "accepted"]
    assert decided["conflicts"] == []


@pytest.mark.parametrize("kind", ["neovim", "vscode"])
async def test_typing_on_the_same_lines_is_a_conflict_and_the_other_hunk_goes_in(desk: Desk, kind):
    run = desk.run_with({"a.py": (OLD, NEW)})
    mine = OLD.decode().replace("line 3\n", "my line 3\n")
    async with desk.client(kind) as editor:
        uri = await editor.open(desk.repo / "a.py")

        async def type_there() -> None:
            await editor.type(uri, mine)

        editor.before_edit = type_there
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri] == mine.replace("line 15\n", "line 15\nline 15.5\n")
    assert states_of(decided["proposal"]) == ["open", "accepted"]
    (conflict,) = decided["conflicts"]
    assert (conflict["line"], conflict["expected"], conflict["found"]) == (
        3,
        "line 3\n",
        "my line 3\n",
    )


async def test_an_edit_that_the_editor_refuses_is_a_conflict(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py")
        editor.refusal = "the buffer is read-only"
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri].encode() == OLD
    (conflict,) = decided["conflicts"]
    assert conflict["why"] == "the editor did not take the change: the buffer is read-only"
    assert states_of(decided["proposal"]) == ["open", "open"]


async def test_bytes_outside_of_the_hunks_stay(desk: Desk):
    old = b"\xef\xbb\xbf# caf\xc3\xa9 \xf0\x9f\x98\x80\r\n\tx = 1\r\ny = 2"
    new = old.replace(b"\tx = 1", b"\tx = 2")
    run = desk.run_with({"a.py": (old, new), "b.py": (old, new)})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py")
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri] == new.decode("utf-8-sig")
    assert [each["how"] for each in decided["done"]] == ["disk", "buffer"]
    assert (desk.repo / "b.py").read_bytes() == new


async def test_accept_of_one_file_leaves_the_others_open(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
    async with desk.client() as editor:
        decided = await decide(editor, run, "accept", path="b.py")
    assert states_of(decided["proposal"]) == ["open", "open", "accepted", "accepted"]
    assert (desk.repo / "a.py").read_bytes() == OLD


async def test_files_are_added_and_deleted_on_disk_and_undone(desk: Desk):
    run = desk.run_with({"new/n.py": (None, b"n\n"), "old.py": (b"o\n", None)})
    async with desk.client() as editor:
        await decide(editor, run, "accept")
        assert (desk.repo / "new/n.py").read_bytes() == b"n\n"
        assert not (desk.repo / "old.py").exists()
        undone = await ask(editor, "greenloop/undo", {"run": run})
    assert not (desk.repo / "new").exists()
    assert (desk.repo / "old.py").read_bytes() == b"o\n"
    assert states_of(undone["proposal"]) == ["open", "open"]
    assert not undone["proposal"]["canUndo"]


async def test_a_deletion_of_a_file_with_unsaved_typing_is_a_conflict(desk: Desk):
    run = desk.run_with({"old.py": (b"o\n", None)})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "old.py")
        await editor.type(uri, "o\nmore\n")
        decided = await decide(editor, run, "accept")
    assert (desk.repo / "old.py").read_bytes() == b"o\n"
    (conflict,) = decided["conflicts"]
    assert conflict["why"] == "it has unsaved changes in the editor; save it first"


async def test_the_executable_bit_and_lines_of_an_open_file(desk: Desk):
    new = Content(data=NEW, mode=Mode.EXECUTABLE)
    run = desk.run_with({"a.py": (OLD, new)})
    path = desk.repo / "a.py"
    async with desk.client() as editor:
        uri = await editor.open(path)
        decided = await decide(editor, run, "accept")
        assert decided["conflicts"] == []
        assert editor.texts[uri].encode() == NEW
        assert path.stat().st_mode & 0o100
        await editor.save(uri, path)
        await ask(editor, "greenloop/undo", {"run": run})
        assert editor.texts[uri].encode() == OLD
        assert not path.stat().st_mode & 0o100


async def test_undo_gives_back_buffers_and_files(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py")
        await decide(editor, run, "accept")
        assert (desk.repo / "b.py").read_bytes() == NEW
        undone = await ask(editor, "greenloop/undo", {"run": run})
        assert editor.texts[uri].encode() == OLD
    assert (desk.repo / "b.py").read_bytes() == OLD
    assert undone["conflicts"] == []
    assert sorted(each["how"] for each in undone["done"]) == ["buffer", "disk"]


async def test_undo_keeps_what_was_typed_elsewhere(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py")
        first, second = hunks_of(await proposal(editor, run))
        await decide(editor, run, "accept", hunks=[first["id"]])
        await editor.type(uri, "typed\n" + editor.texts[uri])
        await decide(editor, run, "accept", hunks=[second["id"]])
        await ask(editor, "greenloop/undo", {"run": run})
        assert editor.texts[uri] == "typed\n" + OLD.decode()


async def test_undo_refuses_as_a_whole_where_accepted_lines_have_changed(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py")
        await decide(editor, run, "accept")
        typed = editor.texts[uri].replace("line three", "line three!")
        await editor.type(uri, typed)
        undone = await ask(editor, "greenloop/undo", {"run": run})
        assert editor.texts[uri] == typed
    assert (desk.repo / "b.py").read_bytes() == NEW
    (conflict,) = undone["conflicts"]
    assert (conflict["path"], conflict["line"]) == ("a.py", 3)
    assert undone["done"] == []


async def test_undo_of_a_file_that_was_opened_since_goes_through_the_editor(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        await decide(editor, run, "accept")
        uri = await editor.open(desk.repo / "a.py")
        undone = await ask(editor, "greenloop/undo", {"run": run})
        assert editor.texts[uri].encode() == OLD
        assert [each["how"] for each in undone["done"]] == ["buffer"]
        again = await ask(editor, "greenloop/undo", {"run": run})
    assert again["refused"] == "nothing of this run is accepted, so there is nothing to undo"


async def test_undo_of_a_buffer_that_was_saved_and_closed_goes_to_disk(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    path = desk.repo / "a.py"
    async with desk.client() as editor:
        uri = await editor.open(path)
        await decide(editor, run, "accept")
        await editor.save(uri, path)
        await editor.close(uri)
        await ask(editor, "greenloop/undo", {"run": run})
    assert path.read_bytes() == OLD


async def test_decisions_survive_a_restart_and_another_client_sees_them(tmp_path: Path):
    typed = NEW.decode().replace("line 15.5", "line fifteen and a half")
    async with reviewing(tmp_path) as desk:
        run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
        async with desk.client() as editor:
            params = {"run": run, "path": "a.py", "text": typed}
            edited = await ask(editor, "greenloop/edit", params)
            first, second, *_ = hunks_of(edited)
            await decide(editor, run, "accept", hunks=[first["id"]])
            await decide(editor, run, "reject", hunks=[second["id"]])
            left = await ask(editor, "greenloop/check", {"run": run})
        async with desk.client() as other:
            assert await proposal(other, run) == left
    async with reviewing(tmp_path) as desk, desk.client() as editor:
        assert await proposal(editor, run) == left
        assert states_of(left) == ["accepted", "rejected", "open", "open"]
        await decide(editor, run, "reopen")
        await decide(editor, run, "accept")
        assert (desk.repo / "a.py").read_text() == typed
        await ask(editor, "greenloop/undo", {"run": run})
        assert (desk.repo / "a.py").read_bytes() == OLD


async def test_what_another_process_decided_is_seen_at_once(tmp_path: Path):
    async with reviewing(tmp_path) as desk, reviewing(tmp_path) as other:
        run = desk.run_with({"a.py": (OLD, NEW)})
        async with desk.client() as one, other.client() as two:
            first, second = hunks_of(await proposal(one, run))
            assert states_of(await proposal(two, run)) == ["open", "open"]
            await decide(one, run, "accept", hunks=[first["id"]])
            assert states_of(await proposal(two, run)) == ["accepted", "open"]
            await decide(two, run, "accept", hunks=[second["id"]])
            undone = await ask(one, "greenloop/undo", {"run": run})
    assert states_of(undone["proposal"]) == ["open", "open"]
    assert (desk.repo / "a.py").read_bytes() == OLD


async def test_what_is_known_not_to_be_green_is_not_accepted_unless_asked(desk: Desk):
    desk.host.checked = Checked(verdict="unchanged", message="1 test still fails: t", receipt="")
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        first, _ = hunks_of(await proposal(editor, run))
        rejected = await decide(editor, run, "reject", hunks=[first["id"]])
        assert rejected["proposal"]["check"]["state"] == "running"
        checked = await ask(editor, "greenloop/check", {"run": run})
        assert checked["check"] == {
            "state": "measured",
            "verdict": "unchanged",
            "message": "1 test still fails: t",
            "receipt": "",
        }
        refused = await decide(editor, run, "accept")
        assert "unchanged: 1 test still fails: t" in refused["refused"]
        assert (desk.repo / "a.py").read_bytes() == OLD
        await decide(editor, run, "accept", evenIfNotGreen=True)
    assert (desk.repo / "a.py").read_bytes() == OTHER


async def test_what_is_left_is_measured_once_and_the_whole_never_again(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        first, second = hunks_of(await proposal(editor, run))
        for hunk in (first, second, first):
            await decide(editor, run, "reject", hunks=[hunk["id"]])
            await ask(editor, "greenloop/check", {"run": run})
            reopened = await decide(editor, run, "reopen")
            assert reopened["proposal"]["check"]["verdict"] == "green"
            assert reopened["proposal"]["check"]["state"] == "measured"
    deltas = [asked.delta["a.py"].data for name, asked in desk.host.asked if name == "check"]
    assert deltas == [OTHER, ONE]


async def test_everything_rejected_needs_no_measurement(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        decided = await decide(editor, run, "reject")
    check = decided["proposal"]["check"]
    assert (check["state"], check["verdict"]) == ("measured", "")
    assert not [name for name, _ in desk.host.asked if name == "check"]


async def test_both_ends_of_a_measurement_are_told(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        first, _ = hunks_of(await proposal(editor, run))
        before = len(editor.peer.seen)
        await decide(editor, run, "reject", hunks=[first["id"]])
        await ask(editor, "greenloop/check", {"run": run})
        await editor.peer.told("greenloop/proposal/changed", lambda p: p["revision"] == 2)
        told = [
            message["params"]
            for message in editor.peer.seen[before:]
            if message.get("method") == "greenloop/proposal/changed"
        ]
    assert all(each["run"] == run for each in told)
    assert len(told) >= 2


async def test_an_edited_proposal_is_what_is_accepted(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    text = NEW.decode().replace("line three", "line tres")
    async with desk.client() as editor:
        edited = await ask(editor, "greenloop/edit", {"run": run, "path": "a.py", "text": text})
        (file,) = edited["files"]
        assert file["edited"]
        assert edited["check"]["state"] == "stale"
        uri = file["proposedUri"]
        content = await ask(editor, "greenloop/content", {"uri": uri})
        assert content == {"text": text, "exists": True, "binary": False}
        await decide(editor, run, "accept")
    assert (desk.repo / "a.py").read_text() == text


async def test_the_two_texts_of_a_file_can_be_read(desk: Desk):
    run = desk.run_with({"a b.py": (OLD, NEW), "n.py": (None, b"n\n"), "x.bin": (b"\0", b"\0x")})
    async with desk.client() as editor:
        found = await proposal(editor, run)
        texts = {}
        for file in found["files"]:
            for name in ("baseUri", "proposedUri"):
                answer = await ask(editor, "greenloop/content", {"uri": file[name]})
                texts[file["path"], name] = tuple(answer.values())
        first = hunks_of(found)[0]
        await decide(editor, run, "reject", hunks=[first["id"]])
        uri = found["files"][0]["proposedUri"]
        left = await ask(editor, "greenloop/content", {"uri": uri})
    assert texts["a b.py", "baseUri"] == (OLD.decode(), True, False)
    assert texts["a b.py", "proposedUri"] == (NEW.decode(), True, False)
    assert texts["n.py", "baseUri"] == ("", False, False)
    assert texts["x.bin", "proposedUri"] == ("", True, True)
    assert left["text"] == OTHER.decode()


async def test_a_rejected_hunk_has_its_place_in_the_proposed_text_and_no_lines(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        decided = await decide(editor, run, "reject")
    assert [hunk["proposed"] for hunk in hunks_of(decided["proposal"])] == [
        {"line": 3, "count": 0},
        {"line": 16, "count": 0},
    ]


@pytest.mark.parametrize(
    ("method", "params", "kind"),
    [
        ("proposal", {"run": "nothing"}, "not_found"),
        ("proposal", {"run": "../.."}, "not_found"),
        ("proposal", {"run": "last"}, "not_found"),
        ("content", {"uri": "file:///etc/passwd"}, "bad_request"),
        ("content", {"uri": "greenloop-base:/a.py?run=nothing"}, "not_found"),
        ("content", {"uri": "greenloop-base:/a.py"}, "bad_request"),
        ("undo", {"run": "nothing"}, "not_found"),
    ],
)
async def test_what_is_not_there_is_refused(desk: Desk, method, params, kind):
    desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        with pytest.raises(Answered) as refusal:
            await editor.peer.request(f"greenloop/{method}", params)
    assert refusal.value.code == -32803
    assert refusal.value.data["kind"] == kind


async def test_files_and_hunks_that_are_not_in_the_proposal_are_refused(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "x.bin": (b"\0", b"\0x")})
    async with desk.client() as editor:
        for method, params, kind in (
            ("decide", {"decision": "accept", "hunks": ["no"]}, "stale"),
            ("decide", {"decision": "accept", "path": "b.py"}, "not_found"),
            ("edit", {"path": "b.py", "text": ""}, "not_found"),
            ("edit", {"path": "x.bin", "text": "t"}, "bad_request"),
            ("content", {"uri": f"greenloop-base:/b.py?run={run}"}, "not_found"),
        ):
            with pytest.raises(Answered) as refusal:
                await editor.peer.request(f"greenloop/{method}", {"run": run, **params})
            assert refusal.value.data["kind"] == kind


async def test_an_accepted_hunk_is_not_rejected(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        first, _ = hunks_of(await proposal(editor, run))
        await decide(editor, run, "accept", hunks=[first["id"]])
        decided = await decide(editor, run, "reject", hunks=[first["id"]])
    assert decided["refused"].startswith("it is accepted and in your file by now")
    assert states_of(decided["proposal"]) == ["accepted", "open"]


async def test_a_file_below_a_linked_folder_is_the_one_that_is_open(desk: Desk, tmp_path: Path):
    run = desk.run_with({"a.py": (OLD, NEW)})
    link = tmp_path / "link"
    link.symlink_to(desk.repo)
    async with desk.client(folder=link) as editor:
        uri = await editor.open(link / "a.py")
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri].encode() == NEW
    assert (desk.repo / "a.py").read_bytes() == OLD
    assert decided["done"][0]["uri"] == uri


async def test_nothing_is_measured_in_a_workspace_that_is_not_trusted(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client(options={"trusted": False, "client": {"review": True}}) as editor:
        first, _ = hunks_of(await proposal(editor, run))
        await decide(editor, run, "reject", hunks=[first["id"]])
        with pytest.raises(Answered) as refusal:
            await ask(editor, "greenloop/check", {"run": run})
    assert refusal.value.data["kind"] == "untrusted"
    assert not [name for name, _ in desk.host.asked if name == "check"]


async def test_a_measurement_that_could_not_be_made_says_why_and_can_be_repeated(desk: Desk):
    desk.host.checked = Checked(verdict="infrastructure", message="Docker is gone.", receipt="")
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        first, _ = hunks_of(await proposal(editor, run))
        await decide(editor, run, "reject", hunks=[first["id"]])
        failed = await ask(editor, "greenloop/check", {"run": run})
        assert (failed["check"]["state"], failed["check"]["message"]) == (
            "failed",
            "Docker is gone.",
        )
        desk.host.checked = Checked(verdict="green", message="1 test fixed", receipt="/r.json")
        again = await ask(editor, "greenloop/check", {"run": run})
    assert (again["check"]["state"], again["check"]["verdict"]) == ("measured", "green")


async def test_a_check_that_nobody_asked_for_waits_when_rechecks_are_off(desk: Desk):
    options = {"settings": {"recheckOnReject": False}, "client": {"review": True, "runs": True}}
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client(options=options) as editor:
        first, _ = hunks_of(await proposal(editor, run))
        decided = await decide(editor, run, "reject", hunks=[first["id"]])
        assert decided["proposal"]["check"]["state"] == "stale"
        assert not [name for name, _ in desk.host.asked if name == "check"]
        checked = await ask(editor, "greenloop/check", {"run": run})
    assert checked["check"]["state"] == "measured"


async def test_a_buffer_is_not_to_be_saved_when_the_setting_says_no(desk: Desk):
    options = {"settings": {"saveOnAccept": False}, "client": {"review": True, "runs": True}}
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client(options=options) as editor:
        await editor.open(desk.repo / "a.py")
        decided = await decide(editor, run, "accept")
    assert decided["done"][0]["save"] is False


async def test_two_clients_decide_at_once_and_both_decisions_hold(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
    async with desk.client() as one, desk.client() as other, anyio.create_task_group() as tasks:
        hunks = hunks_of(await proposal(one, run))
        tasks.start_soon(decide, one, run, "accept")
        for hunk in hunks[2:]:
            tasks.start_soon(_reject, other, run, hunk["id"])
    async with desk.client() as later:
        states = states_of(await proposal(later, run))
    assert set(states) <= {"accepted", "rejected"}


async def _reject(editor: Editor, run: str, hunk: str) -> None:
    await decide(editor, run, "reject", hunks=[hunk])


async def test_a_question_of_the_editor_holds_up_nobody_who_only_looks(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor, desk.client() as other:
        await editor.open(desk.repo / "a.py")
        answered = anyio.Event()
        editor.before_edit = answered.wait
        request = await editor.peer.begin("greenloop/decide", {"run": run, "decision": "accept"})
        await editor.peer.told("workspace/applyEdit")
        assert states_of(await proposal(other, run)) == ["open", "open"]
        answered.set()
        decided = await editor.peer.answer(request)
        assert states_of(decided["proposal"]) == ["accepted", "accepted"]


async def test_an_editor_that_leaves_in_the_middle_leaves_nothing_locked(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        await editor.open(desk.repo / "a.py")
        editor.before_edit = anyio.Event().wait
        await editor.peer.begin("greenloop/decide", {"run": run, "decision": "accept"})
        await editor.peer.told("workspace/applyEdit")
    async with desk.client() as other:
        decided = await decide(other, run, "accept")
    assert [each["how"] for each in decided["done"]] == ["disk"]
    assert (desk.repo / "a.py").read_bytes() == NEW


async def test_another_process_that_decides_is_waited_for_and_then_named(desk: Desk, monkeypatch):
    monkeypatch.setattr(stored, "_LOCK_WAIT_S", 0.2)
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        await proposal(editor, run)
        with (desk.state / "runs" / run / "review.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(Answered) as refusal:
                await decide(editor, run, "reject")
        assert refusal.value.data["kind"] == "not_ready"
        assert states_of(await proposal(editor, run)) == ["open", "open"]
        await decide(editor, run, "reject")


async def test_decisions_that_cannot_be_read_are_named_with_their_file(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    file = desk.state / "runs" / run / "review.json"
    file.write_text('{"version": 99}')
    async with desk.client() as editor:
        with pytest.raises(Answered) as refusal:
            await proposal(editor, run)
    assert str(file) in refusal.value.message
    assert "Traceback" not in json.dumps(refusal.value.data)


async def test_a_client_that_cannot_be_asked_to_edit_gets_its_saved_files_written(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
    async with desk.client(capabilities={"window": {}}) as editor:
        await editor.open(desk.repo / "a.py")
        uri = await editor.open(desk.repo / "b.py")
        await editor.type(uri, "typed\n" + OLD.decode())
        decided = await decide(editor, run, "accept")
    assert (desk.repo / "a.py").read_bytes() == NEW
    assert (desk.repo / "b.py").read_bytes() == OLD
    assert [each["why"] for each in decided["conflicts"]] == [
        "it has unsaved changes in the editor; save it first"
    ]


async def test_a_read_only_file_stops_the_other_files_and_says_so(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
    (desk.repo / "b.py").chmod(0o444)
    async with desk.client() as editor:
        decided = await decide(editor, run, "accept")
    assert decided["done"] == []
    assert (desk.repo / "a.py").read_bytes() == OLD
    assert [(each["path"], each["why"]) for each in decided["conflicts"]] == [
        (
            "a.py",
            "nothing was written, because of b.py: "
            "it is read-only; make it writable first: chmod u+w",
        ),
        ("b.py", "it is read-only; make it writable first: chmod u+w"),
    ]


async def test_counts_of_a_run_follow_its_decisions(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        first, _ = hunks_of(await proposal(editor, run))
        await decide(editor, run, "reject", hunks=[first["id"]])
        lines = (await editor.peer.request("greenloop/runs", {}))["runs"]
    assert lines[0]["hunks"] == {"open": 1, "accepted": 0, "rejected": 1}


async def test_a_name_that_is_no_utf_8_is_reviewed_like_any_other(desk: Desk):
    name = os.fsdecode(b"caf\xe9 #1.py")
    run = desk.run_with({name: (OLD, NEW)})
    path = desk.repo / name
    async with desk.client() as editor:
        (file,) = (await proposal(editor, run))["files"]
        assert file["path"] == "caf\\xe9 #1.py"
        content = await ask(editor, "greenloop/content", {"uri": file["proposedUri"]})
        assert content["text"] == NEW.decode()
        text = NEW.decode().replace("line three", "line tres")
        await ask(editor, "greenloop/edit", {"run": run, "path": file["path"], "text": text})
        uri = await editor.open(path)
        assert (await proposal(editor, run))["files"][0]["uri"] == uri
        decided = await decide(editor, run, "accept", path=file["path"])
        assert editor.texts[uri] == text
    assert decided["conflicts"] == []


async def test_a_hunk_of_line_ends_alone_is_left_to_a_closed_file(desk: Desk):
    run = desk.run_with({"a.py": (b"a\r\nb\r\n", b"a\nb\n")})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py")
        decided = await decide(editor, run, "accept")
        (conflict,) = decided["conflicts"]
        assert conflict["why"] == (
            "only line ends differ, and the editor keeps its own; close the file first"
        )
        await editor.close(uri)
        await decide(editor, run, "accept")
    assert (desk.repo / "a.py").read_bytes() == b"a\nb\n"


async def test_an_editor_that_made_mixed_line_ends_alike_gets_only_the_changed_lines(desk: Desk):
    old = b"a\r\nb\nc\r\nd\r\n"
    run = desk.run_with({"a.py": (old, old.replace(b"c", b"C"))})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py", "a\r\nb\r\nc\r\nd\r\n")
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri] == "a\r\nb\r\nC\r\nd\r\n"
    assert decided["conflicts"] == []


async def test_a_text_in_an_unknown_encoding_is_not_touched(desk: Desk):
    old = b"caf\xe9\nb\n"
    run = desk.run_with({"a.py": (old, old.replace(b"b", b"B"))})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py", "caf\ufffd\nb\n")
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri] == "caf\ufffd\nb\n"
    assert [each["why"] for each in decided["conflicts"]] == [
        "its encoding in the editor is not known"
    ]


async def test_a_text_in_latin_1_is_changed_in_the_editor(desk: Desk):
    old = b"# coding: latin-1\ncaf\xe9\nb\n"
    run = desk.run_with({"a.py": (old, old.replace(b"b", b"\xe9"))})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py", old.decode("latin-1"))
        await decide(editor, run, "accept")
        assert editor.texts[uri] == "# coding: latin-1\ncafé\né\n"


async def test_a_file_that_is_closed_while_its_edit_is_on_the_way_is_a_conflict(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "a.py")

        async def close() -> None:
            await editor.close(uri)
            editor.refusal = "there is no such document"

        editor.before_edit = close
        decided = await decide(editor, run, "accept")
        assert len(decided["conflicts"]) == 1
        editor.refusal = ""
        await decide(editor, run, "accept")
    assert (desk.repo / "a.py").read_bytes() == NEW


async def test_a_new_file_whose_empty_buffer_is_open_is_written_there(desk: Desk):
    run = desk.run_with({"n.py": (None, b"n = 1\n")})
    async with desk.client() as editor:
        uri = await editor.open(desk.repo / "n.py", "")
        decided = await decide(editor, run, "accept")
        assert editor.texts[uri] == "n = 1\n"
        assert not (desk.repo / "n.py").exists()
        assert decided["done"][0]["how"] == "buffer"
        await ask(editor, "greenloop/undo", {"run": run})
        assert editor.texts[uri] == ""


async def test_a_new_file_that_somebody_wrote_meanwhile_is_a_conflict(desk: Desk):
    run = desk.run_with({"n.py": (None, b"n = 1\n")})
    (desk.repo / "n.py").write_bytes(b"mine\n")
    async with desk.client() as editor:
        decided = await decide(editor, run, "accept")
    assert (desk.repo / "n.py").read_bytes() == b"mine\n"
    assert decided["conflicts"][0]["why"] == "there is a file of that name by now"


async def test_a_folder_in_the_place_of_a_new_file_is_a_conflict(desk: Desk):
    run = desk.run_with({"n.py": (None, b"n = 1\n")})
    (desk.repo / "n.py").mkdir()
    async with desk.client() as editor:
        (file,) = (await proposal(editor, run))["files"]
        assert file["hunks"][0]["conflict"] == "there is a folder of that name by now"
        decided = await decide(editor, run, "accept")
    assert decided["conflicts"][0]["why"] == "there is a folder of that name by now"
