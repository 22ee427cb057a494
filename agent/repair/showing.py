"""A patch of the search as a unified diff, for whoever watches."""

from agent.edits.patch import make_patch, render_unified
from agent.repair.confirm import Patch
from agent.repair.validate.base import edited
from agent.workspace.base import Base


def diff_of(base: Base, patch: Patch) -> str:
    """Return the diff that the edits make, without the lines that only git reads."""
    made = make_patch(base.read, edited(base, patch))
    text = render_unified(made).decode("utf-8", "replace")
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("diff --git", "index ")))
