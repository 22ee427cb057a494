import pytest

from agent.edits.changes import Content, Mode
from agent.task import TestPolicy
from agent.tools.str_replace import StrReplace
from tests.support.desk import a_desk, done, failed, put, text_at

CART = "shop/cart.py"


async def replace(desk, **arguments):
    return await StrReplace().call(arguments, desk)


async def test_a_text_that_stands_once_is_replaced(tmp_path):
    desk = a_desk(tmp_path)
    desk.failed_edits[CART] = 2
    outcome = done(await replace(desk, path=CART, old="LIMIT = 20", new="LIMIT = 30"))
    assert outcome.text == (
        "shop/cart.py changed +1 \u22121. Syntax is sound.\n"
        "@@ -2,7 +2,7 @@\n \n from shop.price import discount\n \n-LIMIT = 20\n+LIMIT = 30\n \n \n"
        " class Cart:"
    )
    assert outcome.shown == "shop/cart.py +1 \u22121"
    assert outcome.diff.startswith("diff --git a/shop/cart.py b/shop/cart.py\n")
    assert outcome.protected
    assert "LIMIT = 30" in text_at(desk, CART)
    assert desk.failed_edits == {}


async def test_an_empty_new_text_deletes(tmp_path):
    desk = a_desk(tmp_path)
    done(await replace(desk, path=CART, old="LIMIT = 20\n", new=""))
    assert "LIMIT" not in text_at(desk, CART)


async def test_several_edits_are_made_together_and_found_in_the_file_as_it_was(tmp_path):
    desk = a_desk(tmp_path)
    edits = [
        {"old": "LIMIT = 20", "new": "LIMIT = 1\nLIMIT_2 = 2"},
        {"lines": "1", "new": '"""Cart."""'},
        {"symbol": "Cart.total", "new": "    def total(self):\n        return 3\n"},
    ]
    done(await replace(desk, path=CART, edits=edits))
    text = text_at(desk, CART)
    assert text.startswith('"""Cart."""\n')
    assert "LIMIT = 1\nLIMIT_2 = 2\n" in text
    assert "    def total(self):\n        return 3\n\n    def pay" in text


async def test_one_bad_edit_leaves_all_undone(tmp_path):
    desk = a_desk(tmp_path)
    edits = [{"old": "LIMIT = 20", "new": "LIMIT = 1"}, {"old": "nowhere to be", "new": ""}]
    outcome = failed(await replace(desk, path=CART, edits=edits))
    assert outcome.text.startswith("Edit 2 of 2 failed, so none was made. shop/cart.py was not")
    assert desk.attempt.delta() == {}


@pytest.mark.parametrize(
    "edits",
    [
        [{"old": "LIMIT = 20", "new": "a"}, {"lines": "5", "new": "b"}],
        [{"symbol": "Cart", "new": "class Cart: pass"}, {"symbol": "Cart.pay", "new": "x"}],
    ],
)
async def test_edits_that_overlap_are_refused(tmp_path, edits):
    outcome = failed(await replace(a_desk(tmp_path), path=CART, edits=edits))
    assert "same lines: make them one" in outcome.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "give one of old, symbol and lines; there is none"),
        ({"old": "a", "lines": "1", "new": ""}, "there is both old and lines"),
        ({"old": "a"}, "`new` is missing"),
        ({"old": "a", "new": "b", "edits": [{"old": "a", "new": "b"}]}, "not both"),
        ({"edits": [{"old": "a"}]}, "`new` is missing in edit 1"),
        ({"edits": [{"new": "a"}]}, "symbol and lines in edit 1; there is none"),
        ({"edits": ["a"]}, "edit 1 is no object"),
        ({"edits": []}, "there is none"),
    ],
)
async def test_a_call_that_names_no_one_place_is_refused(tmp_path, arguments, words):
    outcome = failed(await replace(a_desk(tmp_path), path=CART, **arguments))
    assert words in outcome.text
    assert "Nothing was changed" in outcome.text


async def test_the_same_text_again_is_no_edit(tmp_path):
    outcome = failed(await replace(a_desk(tmp_path), path=CART, old="LIMIT", new="LIMIT"))
    assert "The new text is the same as the old one." in outcome.text


class TestSymbols:
    async def test_the_new_text_is_indented_to_fit(self, tmp_path):
        desk = a_desk(tmp_path)
        new = "def total(self):\n    if not self.lines:\n        return 0\n\n    return 1"
        outcome = done(await replace(desk, path=CART, symbol="total", new=new))
        assert "indented by 4 blanks to fit" in outcome.text
        assert (
            "    def total(self):\n        if not self.lines:\n            return 0\n\n"
            "        return 1\n\n    def pay"
        ) in text_at(desk, CART)

    async def test_a_text_with_a_long_string_has_to_come_as_it_shall_stand(self, tmp_path):
        desk = a_desk(tmp_path)
        new = 'def total(self):\n    """Sum.\n\n    Of all.\n    """\n'
        assert (
            "string over several lines"
            in failed(await replace(desk, path=CART, symbol="total", new=new)).text
        )
        assert (
            "has to be indented by 4 blanks"
            in failed(
                await replace(
                    desk, path=CART, symbol="total", new="  def total(self):\n return 1\n"
                )
            ).text
        )

    async def test_a_symbol_that_is_not_there_brings_those_alike(self, tmp_path):
        outcome = failed(await replace(a_desk(tmp_path), path=CART, symbol="Cart.totl", new="x"))
        assert "It defines no Cart.totl. Alike: Cart.total." in outcome.text

    async def test_a_symbol_defined_twice_is_given_by_lines(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.py", b"def f():\n    pass\n\n\ndef f():\n    return 1\n")
        outcome = failed(await replace(desk, path="a.py", symbol="f", new="x"))
        assert "f is defined 2 times: f (lines 1-2), f (lines 5-6)." in outcome.text

    async def test_without_a_grammar_lines_are_asked_for(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.dart", b"class F {\n}\n")
        outcome = failed(await replace(desk, path="a.dart", symbol="F", new="x"))
        assert 'check that F is lines="1-2" and give that' in outcome.text

    async def test_a_symbol_is_replaced_in_any_language_with_a_grammar(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.js", b"function f() {\n}\nfunction g() {\n}\n")
        done(await replace(desk, path="a.js", symbol="f", new="function f() {\n  return 1\n}"))
        assert text_at(desk, "a.js") == "function f() {\n  return 1\n}\nfunction g() {\n}\n"

    async def test_what_a_grammar_no_longer_reads_is_told_and_not_refused(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.js", b"function f() {\n}\n")
        outcome = done(await replace(desk, path="a.js", old="f() {", new="f( {"))
        assert "Look at line 1 again: it does not parse" in outcome.text

    async def test_a_symbol_at_the_end_of_a_file_keeps_its_missing_newline(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.py", b"x = 1\ndef f(): pass")
        done(await replace(desk, path="a.py", symbol="f", new="def f(): return 1\n"))
        assert text_at(desk, "a.py") == "x = 1\ndef f(): return 1"


class TestLines:
    async def test_lines_are_replaced_whole(self, tmp_path):
        desk = a_desk(tmp_path)
        done(await replace(desk, path=CART, lines="18-21", new="        return 1"))
        assert text_at(desk, CART).endswith("def pay(self, code=None):\n        return 1\n")

    async def test_a_byte_order_mark_stays(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.py", b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")
        done(await replace(desk, path="a.py", lines="1", new="x = 3\n"))
        assert text_at(desk, "a.py") == "\ufeffx = 3\r\ny = 2\r\n"

    @pytest.mark.parametrize(
        ("lines", "words"), [("22", "there is no line 22"), ("x", "names no lines")]
    )
    async def test_lines_that_are_not_there_are_told(self, tmp_path, lines, words):
        outcome = failed(await replace(a_desk(tmp_path), path=CART, lines=lines, new="x"))
        assert words in outcome.text

    async def test_numbers_are_not_believed_after_the_file_changed_behind_the_model(self, tmp_path):
        desk = a_desk(tmp_path)
        desk.note_seen(CART, b"as it was")
        outcome = failed(await replace(desk, path=CART, lines="1", new="x"))
        assert "It changed since you saw it" in outcome.text


class TestFailures:
    async def test_a_miss_says_what_differs_first_and_shows_the_file(self, tmp_path):
        desk = a_desk(tmp_path)
        old = "        if code:\n            totl = discount(total, code)\n"
        outcome = failed(await replace(desk, path=CART, old=old, new="x"))
        assert outcome.text == (
            "shop/cart.py was not changed. The old text is not in the file. Nearest is line 19, "
            "where 1 of 2 lines agree. First difference, line 2 of the old text and line 20 of "
            "the file (text):\n  old text: '            totl = discount(total, code)'\n"
            "  the file: '            total = discount(total, code)'\nThe file, lines 17-21:\n"
            "17\t    def pay(self, code=None):\n18\t        total = self.total()\n"
            "19\t        if code:\n20\t            total = discount(total, code)\n"
            "21\t        return total\nCopy old from the lines above, without the numbers."
        )
        assert outcome.shown == "shop/cart.py: old text not found (nearest: line 19)"

    async def test_the_likely_mistake_is_named(self, tmp_path):
        old = "19\t        if code:\n20\t            total = discount(total, code)"
        outcome = failed(await replace(a_desk(tmp_path), path=CART, old=old, new="x"))
        assert "Likely: line numbers were copied from the listing" in outcome.text

    async def test_each_failure_on_a_file_offers_a_coarser_way(self, tmp_path):
        desk = a_desk(tmp_path)
        advice = []
        for _ in range(4):
            outcome = failed(
                await replace(desk, path=CART, old="total = discount(totl, code)", new="x")
            )
            advice.append(outcome.text.rsplit("\n", 1)[-1])
        assert advice == [
            "Copy old from the lines above, without the numbers.",
            'Or replace the whole of it: symbol="Cart.pay" in place of old.',
            'Replace by number: lines="20-20" in place of old.',
            'Do not try this text again: view path="shop/cart.py" lines="17-21", then rewrite all '
            'of Cart.pay with lines="17-21".',
        ]
        assert desk.failed_edits == {CART: 4}

    async def test_outside_of_definitions_the_last_way_is_by_lines(self, tmp_path):
        desk = a_desk(tmp_path)
        desk.failed_edits[CART] = 3
        outcome = failed(await replace(desk, path=CART, old="LIMIT = 21", new="x"))
        assert outcome.text.endswith('view path="shop/cart.py", then give lines="a-b" from there.')

    async def test_near_places_are_listed(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.py", b"first = compute(1)\n\n\n\n\n\n\n\nsecond = compute(1)\n")
        outcome = failed(await replace(desk, path="a.py", old="third = compute(1)", new="x"))
        assert "Also near: line 9 (76% alike)." in outcome.text

    async def test_a_text_that_is_nowhere_sends_to_the_file(self, tmp_path):
        outcome = failed(await replace(a_desk(tmp_path), path=CART, old="zzzz", new="x"))
        assert outcome.text.endswith('Read it first: view path="shop/cart.py".')
        assert outcome.shown == "shop/cart.py: old text not found"

    async def test_a_file_that_changed_since_it_was_seen_is_said(self, tmp_path):
        desk = a_desk(tmp_path)
        desk.note_seen(CART, b"as it was")
        outcome = failed(await replace(desk, path=CART, old="LIMIT = 21", new="x"))
        assert "The file changed since you saw it." in outcome.text

    async def test_an_edit_that_was_made_already_is_noticed(self, tmp_path):
        desk = a_desk(tmp_path)
        done(await replace(desk, path=CART, old="LIMIT = 20", new="LIMIT = 30"))
        outcome = failed(await replace(desk, path=CART, old="LIMIT = 20", new="LIMIT = 30"))
        assert "the new text is there already, at line 5" in outcome.text

    async def test_several_places_are_named_with_what_they_stand_in(self, tmp_path):
        outcome = failed(await replace(a_desk(tmp_path), path=CART, old="(self", new="(this"))
        assert (
            "is in it 3 times, at lines 11 (in Cart.__init__), 14 (in Cart.total)" in outcome.text
        )
        assert 'give lines="a-b" in place of old' in outcome.text

    async def test_an_old_text_that_the_encoding_cannot_hold_is_a_miss(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.py", b"x = 'caf\xe9'\n")
        assert "not changed" in failed(await replace(desk, path="a.py", old="€", new="x")).text
        outcome = failed(await replace(desk, path="a.py", old="caf", new="€"))
        assert "the file's encoding does not have" in outcome.text
        done(await replace(desk, path="a.py", old="café", new="thé"))
        content = desk.attempt.read("a.py")
        assert content is not None
        assert content.data == b"x = 'th\xe9'\n"


class TestGates:
    async def test_an_edit_that_breaks_the_syntax_is_refused_and_shown(self, tmp_path):
        desk = a_desk(tmp_path)
        outcome = failed(
            await replace(desk, path=CART, old="        return total\n", new="      return total\n")
        )
        assert outcome.text == (
            "Not changed: the edit would break the syntax of shop/cart.py.\nline 21: indented by 6 "
            "spaces, the lines of its block by 4 spaces (in class Cart, lines 8-21)\nAs it would "
            "look:\n8\tclass Cart:\n[...]\n17\t    def pay(self, code=None):\n"
            "18\t        total = self.total()\n19\t        if code:\n"
            "20\t            total = discount(total, code)\n>21\t      return total\n"
            "Mend the new text and send the whole edit again."
        )
        assert desk.attempt.delta() == {}
        assert desk.failed_edits == {CART: 1}

    async def test_a_file_that_was_broken_before_may_be_edited(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.py", b"def f(:\n    return (1\n")
        outcome = done(await replace(desk, path="a.py", old="f(:", new="f():"))
        assert "The syntax was broken before" in outcome.text
        assert "and still is" in outcome.text
        outcome = done(await replace(desk, path="a.py", old="(1", new="1"))
        assert "Syntax is sound." in outcome.text

    async def test_without_a_grammar_nothing_is_said_of_the_syntax(self, tmp_path):
        outcome = done(await replace(a_desk(tmp_path), path="README.md", old="A cart", new="(("))
        assert "yntax" not in outcome.text

    async def test_a_test_is_protected_unless_the_task_allows_it(self, tmp_path):
        desk = a_desk(tmp_path)
        outcome = failed(await replace(desk, path="tests/test_cart.py", old="== 6", new="== 7"))
        assert "is protected and was not written (a test, or a file that tests use)" in outcome.text
        assert "test_is_wrong" in outcome.text
        allowed = a_desk(tmp_path, policy=TestPolicy(may_edit=True))
        done(await replace(allowed, path="tests/test_cart.py", old="== 6", new="== 7"))

    async def test_the_test_settings_of_a_file_are_protected_and_the_rest_is_not(self, tmp_path):
        desk = a_desk(tmp_path)
        done(await replace(desk, path="pyproject.toml", old="[tool", new="[x]\na = 1\n[tool"))
        outcome = failed(await replace(desk, path="pyproject.toml", old='"tests"', new='"t"'))
        assert "configures how tests are run" in outcome.text

    @pytest.mark.parametrize(
        ("path", "words"),
        [("../x", "not a path inside"), ("nowhere.py", "There is no nowhere.py"), ("", "no file")],
    )
    async def test_a_file_that_cannot_be_edited_is_told(self, tmp_path, path, words):
        outcome = failed(await replace(a_desk(tmp_path), path=path, old="a", new="b"))
        assert words in outcome.text

    async def test_links_and_binaries_are_not_edited(self, tmp_path):
        desk = a_desk(tmp_path)
        put(desk, "a.bin", b"\0a")
        desk.attempt.write("link.py", Content(data=b"shop/cart.py", mode=Mode.LINK))
        assert "it is binary" in failed(await replace(desk, path="a.bin", old="a", new="b")).text
        assert (
            "symbolic link to shop/cart.py"
            in failed(await replace(desk, path="link.py", old="a", new="b")).text
        )

    async def test_a_long_diff_is_cut_for_the_model_and_whole_for_people(self, tmp_path):
        desk = a_desk(tmp_path)
        new = "".join(f"X{n} = {n}\n" for n in range(100))
        outcome = done(await replace(desk, path=CART, old="LIMIT = 20\n", new=new))
        assert outcome.text.endswith("lines of the diff left out ...]")
        assert "+X99 = 99" in outcome.diff
        assert outcome.shown == "shop/cart.py +100 \u22121"
