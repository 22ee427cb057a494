"""The `greenloop` command: arguments in, one exit code out.

Everything heavy is imported by the command that needs it, so that `--help` costs what argparse
costs.
"""

import sys
from collections.abc import Sequence

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; never raises, never prints a traceback."""
    try:
        from agent.cli.arguments import parse

        arguments = parse(argv)
        from agent.cli.guard import carry_out
    except KeyboardInterrupt:
        sys.stderr.write("greenloop: interrupted.\n")
        return INTERRUPTED
    return carry_out(arguments)
