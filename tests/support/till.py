"""A project with two failing tests, mended in two files by a model that does a little more."""

from collections.abc import Mapping

from tests.support.served import say
from tests.support.shop import SHOP

TAX = '''\
"""What part of a price is tax, in cents."""

PERCENT = 19


def tax_within(price):
    """Return the tax that is part of a price, rounded half up."""
    return price * PERCENT // (100 + PERCENT)


def without_tax(price):
    """Return what stays of a price."""
    return price - tax_within(price)
'''
MENDED_TAX = TAX.replace(
    "return price * PERCENT // (100 + PERCENT)",
    "whole = 100 + PERCENT\n    return (2 * price * PERCENT + whole) // (2 * whole)",
)
TAX_TESTS = """\
from shop.tax import tax_within, without_tax


def test_nothing_has_no_tax():
    assert tax_within(0) == 0


def test_whole_amounts():
    assert tax_within(119) == 19
    assert without_tax(119) == 100


def test_half_a_cent_is_rounded_up():
    assert tax_within(100) == 16
"""
TILL = {**SHOP, "shop/tax.py": TAX, "tests/test_tax.py": TAX_TESTS}
TAX_TEST = "tests/test_tax.py::test_half_a_cent_is_rounded_up"

MEND_BASKET = ("str_replace", {"path": "shop/basket.py", "old": "> FREE", "new": ">= FREE"})
MEND_TAX = (
    "str_replace",
    {
        "path": "shop/tax.py",
        "old": "    return price * PERCENT // (100 + PERCENT)\n",
        "new": "    whole = 100 + PERCENT\n"
        "    return (2 * price * PERCENT + whole) // (2 * whole)\n",
    },
)
REWORD = (
    "str_replace",
    {
        "path": "shop/tax.py",
        "old": "    return price - tax_within(price)\n",
        "new": "    tax = tax_within(price)\n    return price - tax\n",
    },
)
"""A change that nothing needs; it stays in the patch where `minimise_s` is 0."""
SUBMIT = ("submit", {"why": "both limits are part of what they bound"})
MEND_ALL = say("Both comparisons and the rounding.", MEND_BASKET, MEND_TAX, REWORD, SUBMIT)
PLAN = ("plan", {"lines": ["[ ] the limit of a basket", "[ ] the rounding of tax"]})
LOOK = say("I look first.", PLAN, ("view", {"path": "shop/tax.py"}))


def after(seconds: float, answer: Mapping[str, object]) -> dict[str, object]:
    """Return an answer that the model thinks about for so long."""
    return {**answer, "pace": {"first_ms": int(seconds * 1000)}}


def stuck(answer: Mapping[str, object]) -> dict[str, object]:
    """Return an answer that the first who asks for it never gets."""
    return {**answer, "first": [{"silent_s": 600}]}


def conversations(*each: list[Mapping[str, object]]) -> dict[str, object]:
    """Return a script in which each run that begins gets the next list of answers."""
    return {
        "conversations": [
            {"name": f"run {number}", "answers": [dict(one) for one in answers]}
            for number, answers in enumerate(each, start=1)
        ]
    }
