"""Measures: test runners, reports, baseline, the gate, tampering, minimising, receipts.

How a green is kept from being forged, from the outside in: a fresh sandbox without network;
protected files put back from the base; the edits looked at before anything runs; pytest in a
process that another one, which holds the secret of the report and cannot be looked into, watches
over; pytest's parts remembered before the repository's code runs and compared after each test;
who searches memory or frames noted; tests of ours that have to fail put among the others; results
told in two ways that must agree with each other and with the exit status; every test of the base
still there; the tree looked at afterwards.

What remains: the code under test and the tests share one Python process, so code that is written
for exactly this reporter, builds its names from pieces and avoids all that is noted can in
principle change what both reports are made from. Tests and plugins of the base are trusted. A
value that claims to be equal to everything makes an assertion true (it is flagged), and code
under test may change data of the tests, or of the libraries that their assertions use. A test
command other than pytest has one witness only, its JUnit file, and so have the runners of
JavaScript (flagged). Nothing here says that a green program is right: it passes the tests.
"""
