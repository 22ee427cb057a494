from price import rounded


def test_price_is_rounded():
    assert rounded(0, 2, 0, 0, 0) == 0
