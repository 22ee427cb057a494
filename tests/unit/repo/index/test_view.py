"""What a view answers, with and without changed files over its tree."""

import os

import pytest

from agent.repo.facts import Definition, Import, Unread
from agent.repo.index.open import open_index
from agent.repo.index.view import View
from agent.task import RepoPath
from tests.support.index import a_tree, read_facts_of, told, told_afresh

PRICES = b"import decimal\n\n\ndef price_of(item):\n    return decimal.Decimal(item)\n"
SHOP = {
    "shop/__init__.py": b"from shop.cart import Cart\n",
    "shop/cart.py": (
        b'"""The cart."""\n'
        b"from .prices import price_of\n\n\n"
        b"class Cart:\n"
        b"    def total(self):\n"
        b"        return sum(price_of(item) for item in self.items)\n"
    ),
    "shop/prices.py": PRICES,
    "tests/test_cart.py": b"from shop import Cart\n\n\ndef test_total():\n    Cart().total()\n",
    "README.md": b"# Shop\n",
    "copy/prices.py": PRICES,
}


@pytest.fixture
def view():
    with open_index(None) as index:
        yield index.refresh(a_tree(SHOP), processes=0)


def paths_of(view: View, numbers: frozenset[int]) -> list[str]:
    return sorted(map(view.path_of, numbers))


def test_every_file_is_listed_and_counted(view):
    assert view.paths() == tuple(sorted(SHOP))
    assert view.file_count() == len(SHOP)
    assert view.holds(RepoPath("README.md"))
    assert not view.holds(RepoPath("gone.py"))


def test_facts_are_those_of_the_reader_but_for_words(view):
    from agent.repo.reading import read_facts

    path = RepoPath("shop/cart.py")
    assert read_facts_of(view, path) == read_facts(path, SHOP[path])._replace(words="", used="")
    assert view.facts(RepoPath("README.md")) == Unread("no grammar")
    assert view.facts(RepoPath("gone.py")) is None


def test_a_definition_is_found_by_its_exact_name(view):
    (found,) = view.named("Cart")
    assert (found.path, found.definition.kind, found.definition.line) == (
        "shop/cart.py",
        "class",
        5,
    )
    assert read_facts_of(view, "shop/cart.py").definitions[found.place] == found.definition
    assert view.named("cart") == ()


def test_a_content_at_two_paths_is_found_at_both(view):
    assert [found.path for found in view.named("price_of")] == ["copy/prices.py", "shop/prices.py"]
    numbers = view.holding("decimal", "taken")
    assert paths_of(view, numbers) == ["copy/prices.py", "shop/prices.py"]


def test_case_is_not_told_apart_where_it_is_said(view):
    assert [found.definition.name for found in view.named_folded("CART")] == ["Cart"]
    assert [found.definition.name for found in view.starting_with("PRI", most=1)] == ["price_of"]


def test_a_prefix_gives_the_shortest_names_first(view):
    names = [found.definition.name for found in view.starting_with("t", most=9)]
    assert names == ["total", "test_total"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("totl", "total"), ("priceof", "price_of"), ("Carts", "Cart"), ("PRICE_FO", "price_of")],
)
def test_a_name_spelled_wrongly_is_found(view, asked, expected):
    assert view.names_like(asked, most=3)[0] == expected


def test_a_name_like_nothing_gives_nothing(view):
    assert view.names_like("zzzzzz", most=3) == ()
    assert view.names_like("", most=3) == ()


def test_files_that_use_a_name_are_told(view):
    assert view.files_using("price_of") == ("shop/cart.py",)
    assert view.files_using("no such name") == ()


def test_imports_are_found_by_segment_and_by_name(view):
    cart = Import("shop.cart", ("Cart",), 0, 1, True)
    assert view.importing("cart") == (
        ("shop/__init__.py", (cart,)),
        ("tests/test_cart.py", (Import("shop", ("Cart",), 0, 1),)),
    )
    assert view.imports_of(RepoPath("shop/__init__.py")) == (cart,)
    assert view.imports_of(RepoPath("README.md")) == ()
    assert len(view.imports()) == 5


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("total", "names", ["shop/cart.py", "tests/test_cart.py"]),
        ("test_total", "names", ["tests/test_cart.py"]),
        ("PRICE", "names", ["copy/prices.py", "shop/prices.py"]),
        ("sum", "words", ["shop/cart.py"]),
        ("prices", "path", ["copy/prices.py", "shop/prices.py"]),
        ("test_cart", "path", ["tests/test_cart.py"]),
        ("README", "path", ["README.md"]),
        ("", "words", []),
        ("...", "path", []),
        ('"', "words", []),
    ],
)
def test_words_are_found_in_their_fields(view, text, field, expected):
    assert paths_of(view, view.holding(text, field)) == expected


def test_how_common_a_word_is_counts_contents(view):
    assert view.counts(["price_of", "nowhere"], "uses") == {"price_of": 1, "nowhere": 0}
    assert view.counts(["prices"], "path") == {"prices": 2}
    assert view.counts(["shop.cart"], "taken") == {"shop.cart": 2}


def test_a_file_has_a_number_and_a_number_its_file(view):
    for path in view.paths():
        number = view.number_of(path)
        assert number is not None
        assert view.path_of(number) == path
    assert view.number_of(RepoPath("gone.py")) is None


def test_symbols_of_files_are_given_in_order(view):
    found = view.symbols_in([RepoPath("shop/prices.py"), RepoPath("shop/cart.py")])
    assert [(one.path, one.definition.qualified) for one in found] == [
        ("shop/cart.py", "Cart"),
        ("shop/cart.py", "Cart.total"),
        ("shop/prices.py", "price_of"),
    ]


def test_bytes_come_from_the_tree(view):
    assert view.read(RepoPath("shop/cart.py")) == SHOP["shop/cart.py"]
    assert view.read(RepoPath("gone.py")) is None


def test_changes_over_a_view_answer_as_if_they_were_in_the_tree(view):
    changes = {
        "shop/cart.py": b"from util import helper\n\n\nclass Cart:\n    pass\n",
        "util.py": b"def helper():\n    return total\n",
        "tests/test_cart.py": None,
        "gone.py": None,
        "notes.txt": b"total\n",
    }
    laid = view.with_changes({RepoPath(path): data for path, data in changes.items()})
    files = {path: data for path, data in {**SHOP, **changes}.items() if data is not None}
    found, expected = told(laid), told_afresh(a_tree(files))
    assert {path: _bare(facts) for path, facts in found.pop("facts").items()} == {
        path: _bare(facts) for path, facts in expected.pop("facts").items()
    }
    assert found == expected
    assert laid.read(RepoPath("util.py")) == changes["util.py"]
    assert laid.read(RepoPath("tests/test_cart.py")) is None
    assert laid.facts(RepoPath("tests/test_cart.py")) is None
    assert laid.imports_of(RepoPath("tests/test_cart.py")) == ()
    assert [laid.path_of(laid.number_of(path)) for path in laid.paths()] == list(laid.paths())
    assert view.named("helper") == ()


def _bare(facts):
    return facts if isinstance(facts, Unread) else facts._replace(words="", used="")


def test_changes_lie_over_changes(view):
    one = view.with_changes({RepoPath("a.py"): b"def one(): ...\n"})
    two = one.with_changes({RepoPath("a.py"): b"def two(): ...\n", RepoPath("b.py"): b"x = 1\n"})
    assert one.named("one")
    assert not two.named("one")
    assert [found.path for found in two.named("two")] == ["a.py"]


def test_a_large_change_is_listed_and_not_read(view):
    laid = view.with_changes({RepoPath("big.py"): b"x = 1\n" * 200_000})
    assert laid.facts(RepoPath("big.py")) == Unread("too large")


@pytest.mark.parametrize("name", ["new\nline.py", "\udcff\udcfe.py", 'q"uote.py', "sp ace.py"])
def test_odd_paths_are_files_like_others(name):
    with open_index(None) as index:
        view = index.refresh(a_tree({name: b"def odd(): ...\n"}), processes=0)
        assert view.paths() == (name,)
        assert view.named("odd")[0].path == name
        assert view.facts(RepoPath(name)) is not None
        assert os.fsencode(view.path_of(view.number_of(RepoPath(name)))) == os.fsencode(name)


@pytest.mark.parametrize("source", [b"def \xff\xfe(): ...\n", "def größe(): ...\n".encode()])
def test_names_of_any_bytes_are_found_again(source):
    with open_index(None) as index:
        view = index.refresh(a_tree({"a.py": source}), processes=0)
        for found in view.symbols_in([RepoPath("a.py")]):
            assert view.named(found.definition.name) == (found,)
            assert isinstance(found.definition, Definition)
