"""The names that other parts and other programs build on; a change here is a change of a border."""

import ast
import inspect
from importlib import import_module
from typing import get_args

import pytest

from agent import events

NAMES = {
    "agent.task": """Budget HunkId Kind RepoPath RunId StrategyName TaskSpec TestId TestPolicy""",
    "agent.job": """Alternative Answer Candidate GaveUp Job Question Strategy""",
    "agent.errors": """AgentError ConfigError Infrastructure JournalError ModelError
        TaskError WorkspaceError""",
    "agent.events": """AttemptEnded AttemptEvent AttemptStarted BaseTaken BaselineMeasured
        CandidateProposed
        ContextEdited EnvironmentChosen Event ModelAnswered ModelAsked ModelStreamed ModelWaits
        Notice Phase PhaseFinished PhaseStarted PlanChanged RunFinished RunStarted
        SearchPlanned SearchProgress
        StrategyGaveUp TestFailed TestsMeasured TestsProgress ToolFinished ToolStarted
        VerdictReached""",
    "sandbox.base": """Command CommandLimits Completed Environment FileChange FileDelete FileWrite
        Harvest HarvestLimits LinkWrite Mount ProbeLine Process Promises Reason Refused Sandbox
        SandboxEngine SandboxLimits SandboxSpec TOOLS_DIR""",
    "sandbox.errors": """EngineUnavailable EnvironmentMissing SandboxError SandboxLost""",
}
METHODS = {
    "Sandbox": "harvest install promises read_file run spec start sync",
    "SandboxEngine": "name open probe reap",
    "Process": "close_stdin receive send",
}


def public_names(module_name):
    """Names that the module defines itself: its classes, functions, types and constants."""
    source = inspect.getsource(import_module(module_name))
    names = []
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.append(name)
    return sorted(name for name in names if not name.startswith("_"))


@pytest.mark.parametrize("module_name", sorted(NAMES))
def test_names_of_a_border(module_name):
    assert public_names(module_name) == sorted(NAMES[module_name].split())


@pytest.mark.parametrize("protocol", sorted(METHODS))
def test_methods_of_a_sandbox_protocol(protocol):
    members = vars(getattr(import_module("sandbox.base"), protocol))
    assert sorted(n for n in members if not n.startswith("_")) == METHODS[protocol].split()


def test_event_union_names_every_event():
    defined = {
        value
        for name, value in vars(events).items()
        if inspect.isclass(value) and value.__module__ == "agent.events" and name != "Phase"
    }
    assert set(get_args(events.Event)) == defined


def test_verdicts_and_confidences_have_their_names():
    from agent.verify.verdict import Confidence

    assert [c.value for c in Confidence] == ["likely", "plausible", "ambiguous"]
