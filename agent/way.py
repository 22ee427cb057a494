"""Chooses who proposes edits for a task, and the way to a model where one does.

Part of the composition root; measures nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.config import Settings
from agent.errors import TaskError
from agent.job import Strategy
from agent.task import Kind, StrategyName, TaskSpec

if TYPE_CHECKING:
    from agent.connection import Connection
    from agent.models.limiter import Limiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Who proposes edits, and the way to the model where one does."""

    strategy: Strategy
    connection: "Connection | None" = None


class Ways:
    """Finds ways; what all requests to one address with one key share is kept here."""

    def __init__(self, variables: Mapping[str, str], *, learn: Callable[[str, str], None]) -> None:
        """`learn` is told each key, before anything could be written that holds it."""
        self._variables = variables
        self._learn = learn
        self._limits: dict[tuple[str, str], Limiter] = {}

    def find(self, task: TaskSpec, settings: Settings) -> Way:
        """Choose who proposes edits. Raises: ConfigError, TaskError."""
        is_fix, named = task.kind is Kind.FIX, bool(task.model or settings.model)
        if task.strategy is StrategyName.OFFLINE and not is_fix:
            raise TaskError(
                "implementing needs a model; the offline search only repairs",
                remedy="leave --strategy offline out, or ask for a fix of a failing test",
            )
        by_itself = task.strategy is StrategyName.AUTO and not named
        if is_fix and (task.strategy is StrategyName.OFFLINE or by_itself):
            return Way(strategy=_offline(task, task.budget.search_s))
        from agent.connection import find_connection
        from agent.loop.auto import OFFLINE_FIRST_S, OfflineThenModel
        from agent.loop.strategy import ModelLoop

        connection = find_connection(
            task.model,
            settings,
            self._variables,
            learn=self._learn,
            limits=self._limits_of,
        )
        model = ModelLoop(connection.open, profile=connection.profile, attempts=task.attempts)
        model.check(task.budget)
        if is_fix and task.strategy is StrategyName.AUTO:
            offline = _offline(task, min(task.budget.search_s, OFFLINE_FIRST_S))
            return Way(strategy=OfflineThenModel(offline, model), connection=connection)
        return Way(strategy=model, connection=connection)

    def _limits_of(self, address: str, key: str) -> "Limiter":
        from agent.models.limiter import Limiter

        return self._limits.setdefault((address, key), Limiter())


def _offline(task: TaskSpec, search_s: float) -> Strategy:
    from agent.repair.offline import OfflineSearch

    return OfflineSearch(search_s=search_s, candidates=task.budget.candidates)
