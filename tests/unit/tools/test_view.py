import pytest

from agent.edits.changes import Content, Mode
from agent.task import RepoPath
from agent.tools.clamp import handle_of
from agent.tools.desk import ToolLimits
from agent.tools.view import View
from tests.support.desk import a_desk, done, failed, put

LONG = "".join(f'def f{n}():\n    """Number {n}."""\n    return {n}\n\n\n' for n in range(100))


async def view(desk, **arguments):
    return await View().call(arguments, desk)


async def test_a_file_is_shown_whole_with_numbers(tmp_path):
    desk = a_desk(tmp_path)
    outcome = done(await view(desk, path="shop/price.py"))
    assert outcome.text == (
        'shop/price.py (11 lines)\n1\t"""Discounts."""\n2\t\n3\t\n4\tdef discount(total, code):\n'
        '5\t    if code == "HALF":\n6\t        return total / 2\n7\t    return total\n8\t\n9\t\n'
        "10\tdef rounded(total):\n11\t    return round(total, 2)"
    )
    assert outcome.shown == "shop/price.py: 11 lines"
    assert "shop/price.py" in desk.seen


@pytest.mark.parametrize("path", ["./shop//price.py", " shop/price.py ", "{repo}/shop/price.py"])
async def test_other_spellings_of_a_path_are_understood(tmp_path, path):
    desk = a_desk(tmp_path)
    path = path.format(repo=tmp_path / "repo")
    assert "def rounded" in done(await view(desk, path=path)).text


async def test_what_was_edited_is_shown(tmp_path):
    desk = a_desk(tmp_path)
    put(desk, "shop/price.py", b"x = 1\r\ny = 2")
    assert done(await view(desk, path="shop/price.py")).text == (
        "shop/price.py (2 lines)\n1\tx = 1\n2\ty = 2"
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("4-5", '4\tdef discount(total, code):\n5\t    if code == "HALF":'),
        ("10", "10\tdef rounded(total):"),
        ("10-", "10\tdef rounded(total):\n11\t    return round(total, 2)"),
        ("11-99", "11\t    return round(total, 2)"),
        ("10:end", "10\tdef rounded(total):\n11\t    return round(total, 2)"),
        ("1,10", '1\t"""Discounts."""\n[...]\n10\tdef rounded(total):'),
    ],
)
async def test_a_range_of_lines_is_shown(tmp_path, lines, expected):
    outcome = done(await view(a_desk(tmp_path), path="shop/price.py", lines=lines))
    assert outcome.text == f"shop/price.py (11 lines)\n{expected}"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("12", "has 11 lines; there is no line 12"),
        ("0-3", "count from 1"),
        ("5-3", "count from 1"),
        ("first", "names no lines"),
    ],
)
async def test_lines_that_are_not_there_are_told(tmp_path, lines, words):
    outcome = failed(await view(a_desk(tmp_path), path="shop/price.py", lines=lines))
    assert words in outcome.text


async def test_symbols_are_shown_by_name(tmp_path):
    desk = a_desk(tmp_path)
    outcome = done(await view(desk, path="shop/cart.py", symbol="Cart.total, LIMIT"))
    assert outcome.text == (
        "shop/cart.py (21 lines)\n14\t    def total(self):\n"
        "15\t        return sum(price * count for price, count in self.lines)\n[...]\n5\tLIMIT = 20"
    )


async def test_a_symbol_that_is_not_there_brings_those_that_are(tmp_path):
    desk = a_desk(tmp_path)
    alike = failed(await view(desk, path="shop/cart.py", symbol="Cart.totals"))
    assert alike.text == "shop/cart.py defines no Cart.totals. Alike: Cart.total (line 14)."
    none = failed(await view(desk, path="shop/cart.py", symbol="zzz"))
    assert "It defines:\n5\tLIMIT = 20\n8-21\tclass Cart" in none.text
    empty = failed(await view(desk, path="pyproject.toml", symbol="zzz"))
    assert "has no symbols" in empty.text


async def test_a_symbol_found_by_the_look_of_lines_says_so(tmp_path):
    desk = a_desk(tmp_path)
    put(desk, "a.dart", b"class Pay {\n}\n")
    assert "ends may be off" in done(await view(desk, path="a.dart", symbol="Pay")).text


async def test_a_symbol_too_long_is_cut_and_lists_what_it_holds(tmp_path):
    desk = a_desk(tmp_path, limits=ToolLimits(view_lines=20))
    body = "".join(f"    def f{n}(self):\n        return {n}\n" for n in range(20))
    put(desk, "a.py", f"class Big:\n{body}".encode())
    text = done(await view(desk, path="a.py", symbol="Big")).text
    assert '[... lines 21-41 left out; lines="21-41" ...]' in text
    assert "It holds:\n2-3\t  def f0(self)" in text


async def test_a_long_file_is_shown_by_its_beginning_and_outline(tmp_path):
    desk = a_desk(tmp_path)
    put(desk, "long.py", LONG.encode())
    outcome = done(await view(desk, path="long.py"))
    assert outcome.text.startswith("long.py (500 lines), too long to be shown whole:\n1\tdef f0():")
    assert "[... lines 41-500 left out ...]\nOutline:\n1-3\tdef f0()" in outcome.text
    assert outcome.text.endswith('Read on with symbol="name" or lines="a-b".')


async def test_a_long_file_without_symbols_is_shown_as_far_as_it_fits(tmp_path):
    desk = a_desk(tmp_path, limits=ToolLimits(view_lines=10))
    put(desk, "data.txt", b"x\n" * 30)
    text = done(await view(desk, path="data.txt")).text
    assert "10\tx\n[... lines 11-30 left out ...]\nRead on" in text


async def test_a_result_stays_within_the_limit_and_long_lines_are_cut(tmp_path):
    desk = a_desk(tmp_path)
    put(desk, "wide.txt", (b"x" * 5_000 + b"\n") * 200)
    text = done(await view(desk, path="wide.txt", lines="1-200")).text
    assert len(text) < desk.limits.result_characters
    assert "… [4500 more characters]" in text
    assert "left out; lines=" in text


async def test_what_is_no_text_is_named(tmp_path):
    desk = a_desk(tmp_path)
    put(desk, "a.bin", b"\0\1\2")
    put(desk, "empty.py", b"")
    put(desk, "old.py", b"x = 'caf\xe9'\n")
    desk.attempt.write("link", Content(data=b"shop/cart.py", mode=Mode.LINK))
    assert failed(await view(desk, path="a.bin")).text == (
        "a.bin has 3 bytes and it is binary; bash can look at it."
    )
    assert done(await view(desk, path="empty.py")).text == "empty.py is empty."
    assert "1\tx = 'café'" in done(await view(desk, path="old.py")).text
    assert "symbolic link to shop/cart.py" in done(await view(desk, path="link")).text


async def test_a_missing_file_brings_names_that_are_near(tmp_path):
    desk = a_desk(tmp_path)
    assert failed(await view(desk, path="shop/crat.py")).text == (
        "There is no shop/crat.py. Did you mean shop/cart.py?"
    )
    assert failed(await view(desk, path="lib/price.py")).text == (
        "There is no lib/price.py. Did you mean shop/price.py?"
    )
    assert failed(await view(desk, path="zzz")).text == (
        'There is no zzz. view path="." lists the top folder.'
    )


@pytest.mark.parametrize(
    "path",
    ["../x", "/etc/passwd", "shop/../../x", ".git/config", "a\0b", "shop/.GIT/x", "..", "a\ud800"],
)
async def test_no_path_leads_out(tmp_path, path):
    outcome = failed(await view(a_desk(tmp_path), path=path))
    assert "not a path inside the repository" in outcome.text
    outcome.shown.encode()


@pytest.mark.parametrize("path", [".", "./", "{repo}", "{repo}/"])
async def test_the_top_folder_lists_its_files(tmp_path, path):
    desk = a_desk(tmp_path)
    put(desk, "shop/new.py", b"")
    desk.attempt.delete("README.md")
    assert done(await view(desk, path=path.format(repo=tmp_path / "repo"))).text == (
        "the top folder: 6 files\npyproject.toml\nshop/__init__.py\nshop/cart.py\nshop/new.py\n"
        "shop/price.py\ntests/test_cart.py"
    )


async def test_a_folder_lists_its_files(tmp_path):
    text = done(await view(a_desk(tmp_path), path="shop")).text
    assert text == "shop/: 3 files\n__init__.py\ncart.py\nprice.py"


async def test_a_large_folder_is_listed_by_one_level(tmp_path):
    desk = a_desk(tmp_path, {}, limits=ToolLimits(view_lines=4))
    for name in ("a/1", "a/b/2", "c/3", "d", "e", "f"):
        put(desk, name, b"x")
    assert done(await view(desk, path=".")).text == (
        "the top folder: 6 files; only one level\na/ (2 files)\nc/ (1 file)\nd\ne\n"
        "[... 1 more entries left out; search with glob finds them ...]"
    )


async def test_a_kept_result_is_read_by_its_handle(tmp_path):
    desk = a_desk(tmp_path)
    handle = handle_of(desk.shelf.put(b"one\ntwo\nthree\n"))
    assert (
        done(await view(desk, path=handle)).text == f"{handle} (3 lines)\n1\tone\n2\ttwo\n3\tthree"
    )
    assert done(await view(desk, path=handle, lines="2-9")).text == (
        f"{handle} (3 lines)\n2\ttwo\n3\tthree"
    )
    assert "no line 4" in failed(await view(desk, path=handle, lines="4")).text
    assert "names no lines" in failed(await view(desk, path=handle, lines="x")).text
    assert "names no kept result" in failed(await view(desk, path="kept:000000000000")).text
    assert "names no kept result" in failed(await view(desk, path="kept:../../x")).text


async def test_any_name_of_a_file_can_be_viewed(tmp_path):
    desk = a_desk(tmp_path, {})
    for name in ("with space.txt", "line\nbreak", "umläut", "byte\udce9", "-dash", "..."):
        put(desk, name, b"x\n")
        outcome = done(await view(desk, path=name))
        assert outcome.text.endswith("(1 line)\n1\tx")
        assert desk.seen[RepoPath(name)]
