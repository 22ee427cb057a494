"""`python -m lsp_server` is `greenloop-lsp`."""

import sys

from lsp_server.cli import main

sys.exit(main())
