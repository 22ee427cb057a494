"""What runs inside a sandbox: Python 3.8 or newer, or a POSIX shell; standard library only.

The host sends the text of these files in (see sandbox.session and sandbox.shell). Of their
functions it uses only the tar header's writer, so that both ends agree on it.
"""
