"""The part of the offline search that runs inside the sandbox, next to the code under test.

Installed there as a package of its own (see `agent.repair.validate.installed`), hence the relative
imports. Runs on Python 3.8 and later and needs nothing but the repository's own pytest.
"""
