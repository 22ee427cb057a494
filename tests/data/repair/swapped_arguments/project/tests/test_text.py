from textual import contains, replace


def test_replaces_old_by_new():
    assert replace("Red roses", "red", "white") == "white roses"


def test_equal_texts_stay():
    assert replace("same", "other", "same") == "same"


def test_contains_ignores_case():
    assert contains("Red roses", "ROSE")
