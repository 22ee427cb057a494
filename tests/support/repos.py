"""Real git repositories of every odd kind, built in a temporary folder."""

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "file",
    "PATH": os.defpath + os.pathsep + str(Path(shutil.which("git") or "/usr/bin/git").parent),
}


def git(repo: Path, *arguments: str, fails: bool = False) -> str:
    """Run git as a developer would, and return what it prints."""
    repo.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=repo,
        env=IDENTITY,
        capture_output=True,
        check=False,
    )
    assert fails or done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def write(repo: Path, files: Mapping[str, bytes]) -> None:
    """Write files, folders made as needed; names may hold surrogates for odd bytes."""
    for name, data in files.items():
        place = repo / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def a_repo(top: Path, files: Mapping[str, bytes] | None = None) -> Path:
    """A repository with one commit of the given files."""
    top.mkdir(parents=True)
    git(top, "init", "--quiet")
    write(top, {"a.py": b"a = 1\n", "src/b.py": b"b = 2\n"} if files is None else files)
    commit_all(top)
    return top


def commit_all(repo: Path) -> str:
    """Commit everything, ignored or not; return the commit."""
    git(repo, "add", "--all", "--force")
    git(repo, "commit", "--quiet", "--allow-empty", "-m", "work")
    return git(repo, "rev-parse", "HEAD")


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file by path; a link as `-> target`, a `.git` entry left out."""
    found = {}
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        for name in (*names, *links):
            place = Path(root) / name
            if name != ".git":
                linked = place.is_symlink()
                data = b"-> " + os.fsencode(place.readlink()) if linked else place.read_bytes()
                found[str(place.relative_to(folder))] = data
    return found


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything below a folder by path: rights, and bytes or link target (`/` for a folder)."""
    found = {}
    for place in sorted(folder.rglob("*")):
        data = os.fsencode(place.readlink()) if place.is_symlink() else b"/"
        if place.is_file() and not place.is_symlink():
            data = place.read_bytes()
        found[str(place.relative_to(folder))] = (stat.S_IMODE(place.lstat().st_mode), data)
    return found


def fingerprint(folder: Path) -> dict[str, tuple[object, ...]]:
    """Everything that may not change: bytes, modes, owners, times, of `.git` and folders too."""
    found: dict[str, tuple[object, ...]] = {}
    for place in (folder, *sorted(folder.rglob("*"))):
        status = place.lstat()
        if stat.S_ISLNK(status.st_mode):
            content = os.fsencode(place.readlink())
        elif stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(place.read_bytes()).digest()
        else:
            content = b""
        look = (status.st_mode, status.st_uid, status.st_mtime_ns, status.st_ctime_ns)
        found[str(place.relative_to(folder))] = (content, status.st_ino, *look)
    return found


def tree_by_git(folder: Path, scratch: Path) -> str:
    """The tree id that git itself gives to everything in a folder, bytes as they are."""
    scratch.mkdir(parents=True, exist_ok=True)
    environment = IDENTITY | {"GIT_DIR": str(scratch / "git"), "GIT_WORK_TREE": str(folder)}

    def ask(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    ask("init", "--quiet")
    (scratch / "git" / "info" / "attributes").write_text("* -text -ident -filter\n")
    ask("add", "--all", "--force")
    return ask("write-tree")
