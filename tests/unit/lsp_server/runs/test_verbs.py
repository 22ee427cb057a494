"""What a client may ask of runs, over a real connection: wrong, unknown, and not allowed."""

from pathlib import Path

import pytest

from agent.journal.store import RunStore
from agent.task import TaskSpec
from tests.support.cli import a_stored_run, all_events
from tests.support.lsp import Answered, running_server
from tests.support.repos import a_repo

REFUSED, BAD_PARAMS = -32803, -32602


def state_dir(home: Path) -> Path:
    return home / "state" / "greenloop"


async def test_wrong_and_unknown_things_are_answered_in_a_line(tmp_path):
    repo = a_repo(tmp_path / "repo", {"a.py": b"x = 1\n"})
    done = a_stored_run(state_dir(tmp_path), repo)
    cases = [
        ("run", {}, BAD_PARAMS, "run: is missing"),
        ("run", {"run": 7}, BAD_PARAMS, "run: must be of type string"),
        ("run", {"run": "nope"}, REFUSED, "there is no run 'nope'."),
        ("run", {"run": done.run[:-1]}, REFUSED, "there is no run"),
        ("cancel", {"run": "../../etc"}, REFUSED, "there is no run '../../etc'."),
        ("resume", {"run": "last"}, REFUSED, "there is no run 'last'."),
        ("resume", {"run": done.run}, REFUSED, "is over: green, plausible."),
        ("runs", {"limit": 0}, BAD_PARAMS, "limit"),
    ]
    async with running_server(home=tmp_path) as server:
        await server.initialize(repo)
        for verb, params, code, message in cases:
            with pytest.raises(Answered) as answered:
                await server.request(f"greenloop/{verb}", params)
            assert answered.value.code == code
            assert message in answered.value.message
            assert "Traceback" not in str(answered.value.data)
        await server.notify("window/workDoneProgress/cancel", {"token": "of nobody"})
        listed = await server.request("greenloop/runs", {"folder": repo.as_uri()})
        assert [line["run"] for line in listed["runs"]] == [done.run]
        for outside in (tmp_path.as_uri(), "untitled:1"):
            assert await server.request("greenloop/runs", {"folder": outside}) == {"runs": []}
        assert await server.request("greenloop/cancel", {"run": done.run}) == {"cancelled": False}
        state = await server.command("greenloop.server.run", {"run": done.run, "logFrom": 3})
        assert state["log"][0]["number"] == 3


async def test_nothing_of_an_untrusted_workspace_is_gone_on_with(tmp_path):
    repo = a_repo(tmp_path / "repo", {"a.py": b"x = 1\n"})
    with RunStore(state_dir(tmp_path)).new_run(TaskSpec(repo=repo)) as writer:
        for event in all_events(writer.run, str(repo))[:5]:
            writer.append(event)
    async with running_server(home=tmp_path) as server:
        await server.initialize(repo, options={"trusted": False})
        with pytest.raises(Answered, match="not trusted") as answered:
            await server.request("greenloop/resume", {"run": writer.run})
        assert answered.value.data["kind"] == "untrusted"
