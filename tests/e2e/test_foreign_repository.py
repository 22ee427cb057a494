"""A repository that nobody here wrote: a published release with several failing tests."""

import pytest

from tests.support.demo import NETWORKX_TEST, fetch_networkx, prepare_networkx
from tests.support.product import fingerprint
from tests.support.projects import git

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(300)]

FEATURE = "networkx/algorithms/tests/test_not_there_yet.py"
COMMAND = ("--test-command", f"python -m pytest {NETWORKX_TEST} {FEATURE}")
FIX = "+            potential += (len(G[u]) - degm) + (len(G[w]) - degm) + squares"
FEATURE_TEXT = '''\
"""Two things that networkx 2.5 does not have; no small edit brings them."""

import networkx as nx


def test_percolation_over_time():
    states = nx.percolation_over_time(nx.path_graph(4), steps=3)
    assert len(states) == 3


def test_laplacian_centrality_of_a_forest():
    assert nx.forest_centrality([nx.path_graph(3)]) == {0: {0: 1, 1: 2, 2: 1}}
'''


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    if not fetch_networkx():
        pytest.skip("needs the source release of networkx from the package index")
    repo = prepare_networkx(tmp_path_factory.mktemp("foreign")).repo
    (repo / FEATURE).write_text(FEATURE_TEXT)
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "Ask for two features")
    return repo


def test_the_test_that_was_named_is_fixed_and_the_others_are_told(desk, repo):
    before = fingerprint(repo)
    done = desk.run(repo, "fix", NETWORKX_TEST, *COMMAND, "--json")

    assert done.code == 0, done.text
    answer = done.answer
    assert answer["verdict"] == "green"
    assert FIX in answer["patch"].splitlines()
    assert {name.split("::")[0] for name in answer["failing_before"]} == {NETWORKX_TEST, FEATURE}
    assert {name.split("::")[0] for name in answer["failing_after"]} == {FEATURE}
    assert fingerprint(repo) == before


def test_what_no_small_edit_can_bring_is_said_to_be_out_of_reach(desk, repo):
    before = fingerprint(repo)
    done = desk.run(repo, "fix", FEATURE, *COMMAND, "--json", "--budget-s", "10")

    assert done.code == 1, done.text
    assert done.answer["verdict"] == "none"
    assert done.answer["patch"] == ""
    assert done.answer["message"]
    assert fingerprint(repo) == before
