from agent.edits.changes import Content, Mode
from agent.tools.outline import BUDGET_CHARACTERS, Outline
from tests.support.desk import a_desk, done, failed, put


async def outline(desk, path):
    return await Outline().call({"path": path}, desk)


async def test_a_file_is_drawn_with_the_lines_of_its_definitions(tmp_path):
    outcome = done(await outline(a_desk(tmp_path), "shop/cart.py"))
    assert outcome.text == (
        "shop/cart.py (21 lines)\n5\tLIMIT = 20\n8-21\tclass Cart\n"
        "11-12\t  def __init__(self, lines=())\n14-15\t  def total(self)\n"
        "17-21\t  def pay(self, code=None)"
    )
    assert outcome.shown == "shop/cart.py: 5 definitions"


async def test_a_folder_is_drawn_file_by_file(tmp_path):
    desk = a_desk(tmp_path)
    put(desk, "a.dart", b"class Pay {\n}\n")
    text = done(await outline(desk, ".")).text
    assert text.startswith(
        "the top folder: 4 files with definitions\na.dart (2 lines; by the look of the lines)\n"
        "1-2\tclass Pay\nshop/cart.py (21 lines)\n"
    )
    assert done(await outline(desk, "tests/")).text.startswith("tests/: 1 file with definitions")


async def test_what_has_no_definitions_says_so(tmp_path):
    desk = a_desk(tmp_path)
    put(desk, "a.bin", b"\0")
    desk.attempt.write("link", Content(data=b"shop/cart.py", mode=Mode.LINK))
    put(desk, "docs/a.txt", b"x\n")
    assert "no definitions found in it" in done(await outline(desk, "pyproject.toml")).text
    assert "0 files with definitions" in done(await outline(desk, "docs")).text
    assert "no source text" in failed(await outline(desk, "a.bin")).text
    assert "no source text" in failed(await outline(desk, "link")).text
    assert "There is no x.py" in failed(await outline(desk, "x.py")).text
    assert "not a path inside" in failed(await outline(desk, "../x")).text


async def test_a_long_file_is_drawn_within_the_budget(tmp_path):
    desk = a_desk(tmp_path)
    one = "class C{0}:\n    kind = {0}\n\n    def method_{0}(self, argument): ...\n\n\n"
    put(desk, "a.py", "".join(one.format(n) for n in range(150)).encode())
    text = done(await outline(desk, "a.py")).text
    assert len(text) < BUDGET_CHARACTERS + 200
    assert "class C149" in text
    assert text.endswith("[... left out: values, inner definitions ...]")
    put(desk, "b.py", "".join(f"def function_{n}(argument): ...\n" for n in range(900)).encode())
    text = done(await outline(desk, "b.py")).text
    assert len(text) < BUDGET_CHARACTERS + 200
    assert "[... left out: all after line " in text


async def test_a_large_folder_is_drawn_coarser_and_says_so(tmp_path):
    desk = a_desk(tmp_path, {})
    one = "LIMIT_{0} = {0}\n\n\nclass Thing_{0}:\n    def go(self): ...\n    def stop(self): ...\n"
    for n in range(100):
        put(desk, f"m{n:03}.py", one.format(n).encode())
    text = done(await outline(desk, ".")).text
    assert "values and inner definitions left out; give a file or a folder below" in text
    assert "m099.py (6 lines)\n4-6\tclass Thing_99" in text
    for n in range(100, 450):
        put(desk, f"m{n:03}.py", one.format(n).encode())
    text = done(await outline(desk, ".")).text
    assert "m000.py (6 lines): Thing_0\n" in text
    assert "only the first 400 of 450 files were read; definitions left out;" in text
    assert "files left out" in text
    assert len(text) < BUDGET_CHARACTERS + 400
