import pytest

from agent.tools import find_symbol as module
from agent.tools import scanning
from agent.tools.find_symbol import FindSymbol
from tests.support.desk import a_desk, done, failed, put


async def find(desk, name):
    return await FindSymbol().call({"name": name}, desk)


async def test_a_definition_comes_with_its_code_and_its_uses(tmp_path):
    outcome = done(await find(a_desk(tmp_path), "discount"))
    assert outcome.text == (
        "shop/price.py:4-7 function discount\n4\tdef discount(total, code):\n"
        '5\t    if code == "HALF":\n6\t        return total / 2\n7\t    return total\n'
        "The word stands 2 times elsewhere, in 1 file:\nshop/cart.py (2)\n"
        "3\tfrom shop.price import discount\n"
        "20 (Cart.pay)\t            total = discount(total, code)"
    )
    assert outcome.shown == "discount: shop/price.py:4"


@pytest.mark.parametrize(
    "name",
    [
        "Cart.pay",
        "shop.cart.Cart.pay",
        "cart.Cart.pay",
        "shop/cart.py::Cart::pay",
        "Cart#pay",
        "def pay(self, code=None):",
        " pay() ",
    ],
)
async def test_a_name_may_be_written_in_many_ways(tmp_path, name):
    text = done(await find(a_desk(tmp_path), name)).text
    assert text.startswith("shop/cart.py:17-21 method Cart.pay\n17\t    def pay")


async def test_the_qualified_name_chooses_among_namesakes(tmp_path):
    desk = a_desk(tmp_path)
    put(desk, "shop/bank.py", b"class Bank:\n    def pay(self): ...\n")
    both = done(await find(desk, "pay")).text
    assert "shop/bank.py:2-2 method Bank.pay" in both
    assert "shop/cart.py:17-21 method Cart.pay" in both
    one = done(await find(desk, "Bank.pay")).text
    assert one.startswith("shop/bank.py:2-2 method Bank.pay\n2\t    def pay(self): ...\nThe word")
    other = done(await find(desk, "Shop.pay"))
    assert other.text.startswith("There is no Shop.pay; pay is defined:\n")
    assert other.shown.endswith(" and 1 more")


async def test_values_and_other_languages_are_found(tmp_path):
    desk = a_desk(tmp_path)
    put(desk, "a.go", b"func Total(a int) int {\n\treturn 1\n}\n")
    assert done(await find(desk, "LIMIT")).text == (
        "shop/cart.py:5-5 value LIMIT\n5\tLIMIT = 20\nLIMIT stands nowhere else."
    )
    assert "a.go:1-3 function Total\n" in done(await find(desk, "Total")).text
    put(desk, "a.dart", b"class Sum {\n}\n")
    found = done(await find(desk, "Sum")).text
    assert "a.dart:1-2 class Sum, by the look of the lines" in found


async def test_long_or_many_definitions_come_without_code(tmp_path):
    desk = a_desk(tmp_path, {})
    put(desk, "a.py", b"def big():\n" + b"    x = 1\n" * 80)
    assert done(await find(desk, "big")).text.startswith("a.py:1-81 function big\n1\tdef big()\n")
    for n in range(25):
        put(desk, f"m{n:02}.py", b"def same():\n    return 1\n")
    text = done(await find(desk, "same")).text
    assert "m00.py:1-2 function same\n1\tdef same()\nm01.py" in text
    assert "[... 5 more definitions left out ...]" in text


async def test_many_uses_are_cut_and_counted(tmp_path):
    desk = a_desk(tmp_path, {})
    put(desk, "a.py", b"def go(): ...\n")
    for n in range(20):
        put(desk, f"u{n:02}.py", b"go()\n" * 5)
    text = done(await find(desk, "go")).text
    assert "The word stands 100 times elsewhere, in 20 files:\nu00.py (5, 3 shown)\n" in text
    assert text.endswith("[... 6 files left out; search shows them ...]")


async def test_files_that_were_not_read_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PARSED_FILES", 2)
    desk = a_desk(tmp_path, {})
    for n in range(5):
        put(desk, f"m{n}.py", b"def same(): ...\n")
    assert (
        "[... 3 more files may define it and were not read ...]"
        in done(await find(desk, "same")).text
    )


async def test_a_name_that_nothing_defines_brings_names_alike(tmp_path):
    desk = a_desk(tmp_path)
    assert failed(await find(desk, "Carrt")).text == (
        "Nothing here defines Carrt. Alike: Cart (shop/cart.py:8). The word stands nowhere."
    )
    used = done(await find(desk, "round"))
    assert used.text.startswith(
        "Nothing here defines round. Alike: rounded (shop/price.py:10).\n"
        "The word stands 1 time elsewhere, in 1 file:\nshop/price.py (1)\n"
    )
    assert used.shown == "round: not defined here, 1 use"
    assert failed(await find(desk, "qqqqq")).text == (
        "Nothing here defines qqqqq. The word stands nowhere."
    )


@pytest.mark.parametrize("name", ["", "a+b", "a-b", "..."])
async def test_what_is_no_name_is_refused(tmp_path, name):
    assert "Give one name" in failed(await find(a_desk(tmp_path), name)).text


async def test_a_search_that_does_not_end_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(scanning, "SCAN_S", 0.0)
    assert "took longer" in failed(await find(a_desk(tmp_path), "pay")).text


async def test_a_line_that_only_looks_like_a_definition_is_none(tmp_path):
    desk = a_desk(tmp_path, {})
    put(desk, "a.py", b'"""def go(): is a trick"""\nx.go = 1\n')
    assert done(await find(desk, "go")).text.startswith("Nothing here defines go.")


async def test_a_definition_is_found_behind_any_number_of_uses(tmp_path):
    desk = a_desk(tmp_path, {})
    put(desk, "a.py", b"go(1)\n" * 4_000)
    put(desk, "z.py", b"def go(x): ...\n")
    text = done(await find(desk, "go")).text
    assert text.startswith("z.py:1-1 function go\n1\tdef go(x): ...\nThe word stands 4000 times")


async def test_a_link_to_a_definition_is_not_another_one(tmp_path):
    desk = a_desk(tmp_path)
    (tmp_path / "repo" / "link.py").symlink_to(tmp_path / "repo" / "shop" / "price.py")
    assert "link.py" not in done(await find(desk, "discount")).text
