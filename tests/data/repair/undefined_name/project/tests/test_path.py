from paths import stem, suffix


def test_suffix_of_a_path():
    assert suffix("a/b.tar.gz") == ".gz"
    assert suffix("none") == ""


def test_stem():
    assert stem("a/b.txt") == "b"
