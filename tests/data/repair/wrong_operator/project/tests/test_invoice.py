from invoice import discounted, subtotal, with_tax


def test_subtotal_multiplies_quantity_and_price():
    assert subtotal([(2, 10), (1, 5)]) == 25


def test_discount_lowers_the_total():
    assert discounted([(1, 100)], 0.25) == 75
    assert discounted([(3, 20)], 0.5) == 30


def test_no_discount_keeps_the_total():
    assert discounted([(1, 100)], 0) == 100


def test_tax_without_discount():
    assert with_tax([(1, 100)], 0, 0.5) == 150
