"""`python -m agent` is `greenloop`."""

import sys

from agent.cli import main

sys.exit(main())
