"""Runs the user's own test command, which writes a JUnit file of its own.

Ids are what JUnit says, `class::name`, and a selection cannot be passed on: everything runs each
time. Weaker than pytest: there is one witness only, written by the process under test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from agent.task import TestId
from agent.verify.bench import Selection
from agent.verify.junit import JUNIT_BYTES, Unreadable, read_junit, results_of
from agent.verify.report import NoReport, TestReport
from sandbox.base import Command, CommandLimits, FileDelete, Reason, Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRunner:
    """A shell command and the JUnit file that it writes."""

    command: str
    junit_path: str
    """Relative to the repository."""

    @property
    def name(self) -> str:
        """`command`."""
        return "command"

    def identity(self) -> Mapping[str, str]:
        """What decides how tests are run, for receipts."""
        return {"runner": self.name, "command": self.command, "junit_path": self.junit_path}

    async def run(
        self,
        sandbox: Sandbox,
        selection: Selection,
        *,
        wall_s: float,
        on_result: Callable[[TestId, bool], None] | None = None,
        on_slow: Callable[[TestId], None] | None = None,
    ) -> TestReport | NoReport:
        """Run everything; the file must have been written by this very run.

        Raises: SandboxError.
        """
        del selection, on_slow  # the command runs what it runs, and tells at its end
        await sandbox.sync([FileDelete(path=self.junit_path)])
        completed = await sandbox.run(
            Command(argv=("sh", "-c", self.command), limits=CommandLimits(wall_s=wall_s))
        )
        output = (completed.tail or completed.head).decode("utf-8", "replace")
        if completed.reason is not Reason.EXITED:
            lost = completed.reason is Reason.ENGINE_LOST
            return NoReport(
                why=f"the test command did not end by itself: {completed.reason.value}",
                infrastructure=lost,
                output=output,
                hung=completed.reason is Reason.TIMEOUT,
            )
        path = str(PurePosixPath(sandbox.spec.workdir) / self.junit_path)
        data = await sandbox.read_file(path, limit_bytes=JUNIT_BYTES)
        if data is None:
            why = f"the test command wrote no report to {self.junit_path}"
            return NoReport(why=why, infrastructure=False, output=output)
        cases = read_junit(data)
        if isinstance(cases, Unreadable):
            return NoReport(why=cases.why, infrastructure=False, output=output)
        report = TestReport(results=results_of(cases))
        if completed.exit_code and not report.failing:
            why = f"the test command ended with {completed.exit_code}, its report has no failure"
            return NoReport(why=why, infrastructure=False, output=output)
        for result in report.results.values():
            if on_result:
                on_result(result.id, result.is_passing)
        return report
