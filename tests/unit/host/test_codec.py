"""What front end and host say to each other comes over whole: every byte, every odd name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.edits.changes import Content, Mode
from agent.errors import (
    AgentError,
    ConfigError,
    Infrastructure,
    JournalError,
    ModelError,
    TaskError,
    WorkspaceError,
)
from agent.host.api import Checked, CheckSpec, Condition, TestsSpec
from agent.host.codec import (
    asked_in,
    asked_out,
    check_in,
    check_out,
    checked_in,
    condition_in,
    condition_out,
    error_in,
    error_out,
    task_in,
    task_out,
)
from agent.host.lines import line_of
from agent.models.errors import KeyRefused
from agent.task import Budget, Kind, RepoPath, RunId, StrategyName, TaskSpec, TestPolicy
from sandbox.errors import EngineUnavailable

V = TypeVar("V")

PATHS = st.sampled_from(["a.py", "caf\udce9/b.py", "ü/💚.txt", "with space"]).map(RepoPath)
CONTENTS = st.none() | st.builds(Content, data=st.binary(), mode=st.sampled_from(list(Mode)))
TASKS = st.builds(
    TaskSpec,
    kind=st.sampled_from(list(Kind)),
    repo=st.just(Path("/home/me/caf\udce9")),
    goal=st.text(st.characters(exclude_categories=())),
    targets=st.lists(st.text(), max_size=3).map(tuple),
    strategy=st.sampled_from(list(StrategyName)),
    model=st.text(max_size=5),
    attempts=st.integers(min_value=1, max_value=9),
    budget=st.builds(Budget, search_s=st.floats(1, 100), steps=st.integers(1, 500)),
    test_policy=st.builds(TestPolicy, may_add=st.booleans(), may_edit=st.booleans()),
    overlay=st.dictionaries(PATHS, st.binary(), max_size=3),
)


def over_the_wire(value: Any) -> Any:
    return json.loads(line_of({"value": value}))["value"]


def check_round_trip(value: V, out: Callable[[V], Any], back: Callable[[Any], V]) -> None:
    assert back(over_the_wire(out(value))) == value


@given(TASKS)
def test_a_task_comes_over_with_its_unsaved_buffers(task: TaskSpec) -> None:
    check_round_trip(task, task_out, task_in)


@given(st.dictionaries(PATHS, CONTENTS, max_size=4))
def test_a_change_comes_over_byte_for_byte(delta: dict[RepoPath, Content | None]) -> None:
    check_round_trip(CheckSpec(run=RunId("r"), delta=delta), check_out, check_in)


def test_an_empty_file_is_no_deletion() -> None:
    spec = CheckSpec(run=RunId("r"), delta={RepoPath("a"): Content(data=b""), RepoPath("b"): None})
    check_round_trip(spec, check_out, check_in)


def test_wanted_tests_come_over() -> None:
    spec = TestsSpec(repo=Path("/r"), targets=("a.py::b",), overlay={RepoPath("a"): b"\xff\0"})
    check_round_trip(spec, asked_out, asked_in)


def test_answers_come_over() -> None:
    condition = Condition(
        repository="/r",
        engine_ok=False,
        engine_text="no engine",
        engine_remedy="start it",
        model="",
        endpoint="",
        model_text="none",
        model_remedy="set one",
    )
    check_round_trip(condition, condition_out, condition_in)
    checked = {"verdict": "green", "message": "m", "receipt": "/r.json", "flags": ["a", "b"]}
    expected = Checked(verdict="green", message="m", receipt="/r.json", flags=("a", "b"))
    assert checked_in(over_the_wire(checked)) == expected


@pytest.mark.parametrize(
    "kind", [ConfigError, TaskError, WorkspaceError, JournalError, ModelError, Infrastructure]
)
def test_an_error_of_ours_keeps_its_kind(kind: type[AgentError]) -> None:
    error = error_in(over_the_wire(error_out(kind("what", remedy="do this"))))
    assert (type(error), error.message, error.remedy) == (kind, "what", "do this")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyRefused("no key", remedy="set it"), ModelError),
        (EngineUnavailable("no engine", remedy="set it"), Infrastructure),
    ],
)
def test_a_narrower_error_comes_as_the_next_kind_that_is_known(
    error: AgentError, kind: type[AgentError]
) -> None:
    told = error_in(over_the_wire(error_out(error)))
    assert (type(told), told.remedy) == (kind, "set it")


def test_an_error_that_is_not_ours_is_one_line() -> None:
    told = error_in(over_the_wire(error_out(ValueError("first\nsecond"))))
    assert (type(told), told.message) == (Infrastructure, "ValueError: first")
