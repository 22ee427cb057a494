"""What runs inside a sandbox: Python 3.8 or newer, standard library only.

Nothing here is imported by the host except for its text (see sandbox.session) and by tests.
"""
