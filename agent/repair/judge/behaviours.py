"""Groups patches by what their programs do with inputs that the tests never tried.

Patches that no input tells apart are one alternative, however different they look. Where some input
does, the best such input becomes a question to the developer. Says nothing of which is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import anyio

from agent.job import Answer, Question
from agent.repair.confirm import Patch
from agent.repair.judge.groups import groups, telling
from agent.repair.judge.question import Draft, questions
from agent.repair.survey import file_of
from agent.repair.validate.base import Watched
from agent.repair.validate.observing import Observing, Seen, open_observing, opening
from agent.task import RepoPath
from agent.verify.bench import Bench
from agent.verify.pytest_runner import PytestRunner
from agent.verify.report import Baseline
from sandbox.errors import SandboxLost

OBSERVE_S: Final = 3.0
"""What observing may take by default, beside opening a sandbox and collecting the tests."""
OBSERVE_SHARE: Final = 0.2
"""Share of the time for a search that observing may take of it at most."""
LONGEST_TIMES: Final = 3.0
"""How many times as long it may take when steps run over, before it is given up."""
COLLECT_S: Final = 10.0
"""What opening the sandbox and collecting may take at most."""
MOST_OBSERVED: Final = 60
"""Patches that are observed, best first."""
MOST_QUESTIONS: Final = 3
"""Questions whose tests are tried before there is none."""
_NOWHERE: Final = RepoPath("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What some of the observed patches answer to an input."""

    patches: frozenset[int]
    """Their indexes."""
    shown: str
    """See `agent.job.Answer`."""
    test: str
    fails_now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviours:
    """What was observed of some patches, which are named by their index."""

    groups: tuple[int, ...]
    """For each patch the number of its group, from 1 in order of appearance; 0: not measured."""
    call: str = ""
    """The input that tells the groups apart best; empty where none was found."""
    path: RepoPath = _NOWHERE
    replies: tuple[Reply, ...] = ()
    note: str = ""
    """Why nothing, or not everything, was measured; for a person."""

    @property
    def count(self) -> int:
        """How many groups there are; 0: not measured."""
        return max(self.groups, default=0)

    def alternatives(self, patches: Sequence[int]) -> int:
        """Count how many of the given patches do different things; each unmeasured one does."""
        measured = {self.groups[index] for index in patches} - {0}
        return len(measured) + sum(self.groups[index] == 0 for index in patches)

    def spread(self) -> list[int]:
        """Order the patches so that the first of each group precedes the second of any."""
        seen: dict[int, int] = {}
        turns = []
        for index, group in enumerate(self.groups):
            turns.append((seen.get(group, 0) if group else 0, index))
            seen[group] = seen.get(group, 0) + 1
        return [index for _turn, index in sorted(turns)]

    def question(self, order: Sequence[int]) -> Question | None:
        """Put the question about these patches, best first; None where all answer alike."""
        answers = []
        for reply in self.replies:
            ranks = tuple(rank for rank, one in enumerate(order, 1) if one in reply.patches)
            if ranks:
                answers.append(
                    Answer(
                        ranks=ranks,
                        shown=reply.shown,
                        test=reply.test,
                        fails_now=reply.fails_now,
                    )
                )
        if len(answers) < 2 or not order:
            return None
        answers.sort(key=lambda answer: answer.ranks)
        return Question(call=self.call, path=self.path, answers=tuple(answers))


def unmeasured(count: int, note: str = "") -> Behaviours:
    """Say of so many patches that nothing is known."""
    return Behaviours(groups=(0,) * count, note=note)


async def behaviours(
    bench: Bench,
    baseline: Baseline,
    watched: Watched,
    patches: Sequence[Patch],
    *,
    seconds: float = OBSERVE_S,
) -> Behaviours:
    """Run the patches on the tests' own calls and on inputs near them. Raises: SandboxError.

    Within about so many seconds beside opening a sandbox and collecting the tests. What cannot be
    observed, for whatever reason, is told as not measured.
    """
    runner = bench.runner
    if len(patches) < 2 or not isinstance(runner, PytestRunner):
        return unmeasured(len(patches))
    asked = patches[:MOST_OBSERVED]
    ids = [id_ for id_, _cpu_s in (*watched.targets, *watched.passing)]
    results = baseline.report.results
    files = tuple(dict.fromkeys(file_of(results[id_]) for id_ in ids if id_ in results))
    if not files:
        return unmeasured(len(patches))
    message = opening(bench, runner, watched, files, asked, seconds=seconds)
    wall_s = LONGEST_TIMES * seconds + COLLECT_S
    found = _not_measured(len(patches), "there was no time for it")
    try:
        with anyio.move_on_after(wall_s):
            async with open_observing(bench, runner, wall_s=wall_s) as scripts:
                seen = await scripts.observe(message)
                if seen.note:
                    return _not_measured(len(patches), seen.note)
                inputs = telling(seen)
                numbers = groups(seen, inputs)
                found = Behaviours(groups=numbers + (0,) * (len(patches) - len(asked)))
                found = await _with_question(found, scripts, seen, inputs, bench, files[0], seconds)
    except SandboxLost:
        # The patches that took it along are confirmed in another; an engine that is gone shows then
        return found if found.count else _not_measured(len(patches), "its sandbox was lost")
    return found


def _not_measured(count: int, why: str) -> Behaviours:
    return unmeasured(count, f"what the patches do beyond the tests was not measured: {why}")


async def _with_question(
    found: Behaviours,
    scripts: Observing,
    seen: Seen,
    inputs: Sequence[int],
    bench: Bench,
    path: RepoPath,
    seconds: float,
) -> Behaviours:
    """Add the best question whose tests do what they say."""
    content = bench.base.read(path)
    taken = content.data.decode("utf-8", "replace") if content else ""
    numbers = found.groups[: len(seen.patches)]
    for asking in islice(questions(seen, inputs, numbers, taken), MOST_QUESTIONS):
        drafts = asking.drafts
        passes = await scripts.passing(
            [draft.test for draft in drafts],
            [-1, *(draft.patch for draft in drafts)],
            seconds=seconds,
        )
        wanted = [
            [not draft.fails_now for draft in drafts],
            *([other is draft for other in drafts] for draft in drafts),
        ]
        if passes == wanted:
            return replace(
                found,
                call=asking.call,
                path=path,
                replies=tuple(_reply(draft, found.groups) for draft in drafts),
            )
    return found


def _reply(draft: Draft, numbers: Sequence[int]) -> Reply:
    return Reply(
        patches=frozenset(index for index, number in enumerate(numbers) if number in draft.groups),
        shown=draft.shown,
        test=draft.test,
        fails_now=draft.fails_now,
    )
