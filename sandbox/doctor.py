"""Every fact that decides whether and how tests can run here, for `greenloop doctor`."""

from collections.abc import Mapping
from pathlib import Path

import anyio.to_thread

from sandbox.base import ProbeLine, SandboxEngine
from sandbox.environments import describe_search


async def examine(
    engine: SandboxEngine,
    repo: Path | None,
    *,
    image: str | None = None,
    variables: Mapping[str, str],
    module: str = "pytest",
) -> tuple[ProbeLine, ...]:
    """Return the lines of the engine, then those of the repository's environment if one is given.

    Changes nothing and starts no program of the repository; what is missing comes as a line with
    its remedy, never as an exception.
    """
    lines = await engine.probe()
    if repo is None:
        return lines

    def look() -> tuple[ProbeLine, ...]:
        return describe_search(repo, image=image, variables=variables, module=module)

    return (*lines, *await anyio.to_thread.run_sync(look))
