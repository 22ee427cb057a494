"""Scripts of ours that run inside the sandbox, on Python 3.8 and later, without dependencies.

`greenloop_supervise` starts pytest and vouches for what it reports; `greenloop_session` is the
pytest process; `greenloop_warm` forks such sessions from one that has pytest imported already.
The package is never imported inside: the files are copied below `sandbox.base.TOOLS_DIR`.
"""
