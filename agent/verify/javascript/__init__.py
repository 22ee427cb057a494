"""Tests of JavaScript and TypeScript: how they are run, and what the runners tell of them.

Weaker than pytest: the report is written by programs that load the code under test, or listen to
processes that do. There is one witness, so a green says that and is never `likely`.
"""
