"""What some files were some commits ago, read in one go from the user's history.

Knows nothing of why one asks. Follows first parents; nothing is fetched that is not there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.errors import WorkspaceError
from agent.task import RepoPath
from agent.workspace.base import Base
from agent.workspace.trusted_git import TrustedGit


def past_texts(
    base: Base, paths: Sequence[RepoPath], commits_ago: Sequence[int], *, wall_s: float
) -> dict[tuple[RepoPath, int], bytes]:
    """Return files as they were so many commits before HEAD (0: in HEAD itself).

    What did not exist then, or cannot be read, is left out. Blocking, at most so long.
    Raises: WorkspaceError.
    """
    git_dir = base.dir.parent.parent.parent / "git"
    asked = [
        (path, ago) for ago in commits_ago for path in paths if base.commit and "\n" not in path
    ]
    if not asked or not git_dir.is_dir():
        return {}
    git = TrustedGit(git_dir=git_dir, work_tree=base.dir, settings={})
    names = [f"{base.commit}~{ago}:{path}\n" for path, ago in asked]
    stdin = "".join(names).encode("utf-8", "surrogateescape")
    said = replace(git, wall_s=wall_s).run("cat-file", "--batch", stdin=stdin)
    return {key: data for key, data in zip(asked, _objects(said), strict=True) if data is not None}


def _objects(said: bytes) -> Iterator[bytes | None]:
    """Read `<id> blob <size>`, the bytes and a line end; anything else is one line: missing."""
    at = 0
    while at < len(said):
        end = said.find(b"\n", at)
        if end < 0:
            raise WorkspaceError(
                "git cat-file said something that ends in the middle",
                remedy="run `git fsck` in the repository; git must work there",
            )
        words = said[at:end].split(b" ")
        at = end + 1
        if len(words) == 3 and words[1] in {b"blob", b"tree", b"commit"} and words[2].isdigit():
            size = int(words[2])
            yield said[at : at + size] if words[1] == b"blob" else None
            at += size + 1
        else:
            yield None
