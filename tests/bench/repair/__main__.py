"""`python -m tests.bench.repair COMMAND …`: real bugs for the offline search, and who finds them.

Only names a command's module and hands the arguments on; every command says itself what it takes.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Final, Protocol

COMMANDS: Final = {
    "mine": "find small fixes in the histories of libraries and see their tests bite",
    "fixes": "run the product on the mined fixes and count what it finds",
    "quixbugs": "run it on the 40 programs of QuixBugs",
    "peers": "run other repair tools on the same programs, beside their published figures",
    "priors": "learn from histories how often an edit of a kind is the right one",
    "formulas": "compare formulas of suspicion by where they put the real fix",
}


class Command(Protocol):
    """A module of this package that can be run."""

    def main(self, arguments: Sequence[str], /) -> int:
        """Do it; return the exit code."""


def main(arguments: Sequence[str]) -> int:
    """Hand the arguments to the module of the command; return its exit code."""
    match arguments:
        case [name, *rest] if name in COMMANDS:
            command: Command = importlib.import_module(f"tests.bench.repair.{name}")
            return command.main(rest)
        case []:
            sys.stdout.write(usage())
            return 2
        case ["-h" | "--help", *_]:
            sys.stdout.write(usage())
            return 0
        case _:
            sys.stderr.write(f"no command {arguments[0]!r}; there are {', '.join(COMMANDS)}\n")
            return 2


def usage() -> str:
    """Return what can be asked, a line each."""
    lines = [f"  {name:<10} {what}" for name, what in COMMANDS.items()]
    return "\n".join(["usage: python -m tests.bench.repair COMMAND …", "", *lines, ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
