from count import count_words, most_common


def test_words_are_counted():
    assert count_words("a b A c a") == {"a": 3, "b": 1, "c": 1}


def test_no_words():
    assert count_words("  ") == {}


def test_most_common_of_nothing():
    assert most_common("") is None
