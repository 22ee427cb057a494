"""A small project with one failing test, one edit away from passing."""

INIT = '"""Baskets and parcels."""\n'

BASKET = '''\
"""What is in a basket and what it costs, in cents."""

FREE_SHIPPING_FROM = 5000
SHIPPING = 490


def subtotal(lines):
    """Return the price of all lines; a line is (price, count)."""
    return sum(price * count for price, count in lines)


def shipping(lines):
    """Return what sending costs; nothing for an empty basket or a large one."""
    amount = subtotal(lines)
    if amount == 0:
        return 0
    if amount > FREE_SHIPPING_FROM:
        return 0
    return SHIPPING


def total(lines):
    """Return what is to be paid."""
    return subtotal(lines) + shipping(lines)
'''

TESTS = """\
import pytest

from shop.basket import shipping, subtotal, total


@pytest.mark.parametrize(
    ("lines", "expected"),
    [([], 0), ([(100, 3)], 300), ([(100, 3), (50, 2)], 400), ([(5001, 1)], 5001)],
)
def test_subtotal(lines, expected):
    assert subtotal(lines) == expected


@pytest.mark.parametrize("amount", [1, 300, 4998, 4999])
def test_small_baskets_pay_for_shipping(amount):
    assert shipping([(amount, 1)]) == 490


@pytest.mark.parametrize("amount", [5001, 5002, 9000, 10_000])
def test_large_baskets_are_sent_for_nothing(amount):
    assert shipping([(amount, 1)]) == 0


def test_an_empty_basket_costs_nothing():
    assert total([]) == 0


def test_total():
    assert total([(100, 3)]) == 790


def test_a_basket_of_exactly_the_limit_is_sent_for_nothing():
    assert total([(2500, 2)]) == 5000
"""

CONFIG = """\
[project]
name = "shop"
version = "0.1.0"

[tool.pytest.ini_options]
pythonpath = ["."]
"""

FAILING = "tests/test_basket.py::test_a_basket_of_exactly_the_limit_is_sent_for_nothing"

SHOP = {
    "pyproject.toml": CONFIG,
    "shop/__init__.py": INIT,
    "shop/basket.py": BASKET,
    "tests/test_basket.py": TESTS,
}

HEALTHY_SHOP = {**SHOP, "shop/basket.py": BASKET.replace("amount > FREE", "amount >= FREE")}

SLOW_TEST = """\
import time


def test_takes_a_while():
    time.sleep(60)
"""
