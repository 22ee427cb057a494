"""Whatever a model answers: the conversation stays in its form and nothing is lost."""

import tempfile
from pathlib import Path

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context.entries import Answered, Ended, Resulted, Saved
from agent.models.base import AssistantMessage, Finish, ToolMessage
from agent.models.fake.answer import Answer, FakeCall
from agent.models.fake.scripted import ScriptedModel
from tests.support.loop import a_job, a_loop, call, drive, give_up, log_of, mend, submit, view

CALLS = st.one_of(
    st.sampled_from(
        [
            view(),
            view("README.md"),
            view("nowhere.py"),
            mend(),
            mend(old="nowhere"),
            call("plan", lines=["[ ] a"]),
            call("search", pattern="total"),
            call("str_replace", path="../../etc/passwd", old="a", new="b"),
            submit(),
            give_up(),
            FakeCall(name="view", arguments='{"path": "sho'),
            FakeCall(name="nonsense", arguments="{}"),
            FakeCall(name="submit", arguments="[]"),
        ]
    ),
    st.builds(FakeCall, name=st.sampled_from(["view", "plan", "x"]), arguments=st.text(max_size=9)),
)
ANSWERS = st.builds(
    Answer,
    text=st.sampled_from(["", "I see."]),
    reasoning=st.sampled_from([None, "", "Hm."]),
    calls=st.lists(CALLS, max_size=5).map(tuple),
    finish=st.sampled_from([None, Finish.LENGTH]),
    leaked=st.sampled_from([(), ("functions.bash:0",)]),
    cut_calls=st.sampled_from([(), ("bash",)]),
    usage=st.sampled_from(["counted", None]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ANSWERS, min_size=1, max_size=6))
def test_every_call_has_one_result_and_requests_only_grow(answers):
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(check, Path(folder), [Answer(text="Well."), *answers])


async def check(folder, answers):
    job = a_job(folder)
    model = ScriptedModel(answers)
    await drive(a_loop(model), job)
    for request in model.asked:
        for message, after in zip(request.messages, request.messages[1:], strict=False):
            if isinstance(message, AssistantMessage) and message.calls:
                assert isinstance(after, ToolMessage)
                assert [r.call for r in after.results] == [c.id for c in message.calls]
    for before, after in zip(model.asked, model.asked[1:], strict=False):
        assert after.messages[: len(before.messages)] == before.messages
    log = log_of(job)
    answered = [entry.step for entry in log if isinstance(entry, Answered)]
    assert answered == list(range(1, len(answered) + 1))
    with_calls = [e.step for e in log if isinstance(e, Answered) and e.message.calls]
    assert [entry.step for entry in log if isinstance(entry, Resulted)] == with_calls
    saved = [entry.step for entry in log if isinstance(entry, Saved)]
    assert saved[: len(with_calls)] == with_calls
    assert len(saved) <= len(with_calls) + 1  # what is there at the end is measured once more
    assert all(not isinstance(entry, Ended) for entry in log[:-1])
    assert not (folder.parent / "etc").exists()
