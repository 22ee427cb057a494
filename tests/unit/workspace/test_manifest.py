import pytest

from agent.workspace.manifest import (
    Manifest,
    load_columns,
    load_manifest,
    load_tree,
    make_record,
    save_columns,
    save_manifest,
    unsettled_look,
)

TREE = b"\x12" * 20
MANIFEST = Manifest(
    tree=TREE,
    records={b"a": make_record(unsettled_look(1), 0o100644, b"\x01" * 20), b"d/b\n": b"x" * 56},
    folders={b"d": b"\x02" * 20},
    index="state",
)


def test_a_manifest_is_read_back_as_it_was(tmp_path):
    file = tmp_path / "seen"
    save_manifest(MANIFEST, file)
    assert load_manifest(file) == MANIFEST
    assert load_tree(file) == TREE


def test_an_empty_manifest_is_read_back(tmp_path):
    save_manifest(Manifest(tree=TREE, records={}), tmp_path / "seen")
    assert load_manifest(tmp_path / "seen") == Manifest(tree=TREE, records={})


@pytest.mark.parametrize("cut", [0, 5, 21, 40, -1])
def test_a_manifest_that_is_cut_off_is_none(tmp_path, cut):
    file = tmp_path / "seen"
    save_manifest(MANIFEST, file)
    file.write_bytes(file.read_bytes()[:cut])
    assert load_manifest(file) is None
    assert load_manifest(tmp_path / "missing") is None


@pytest.mark.parametrize(
    "header",
    [{}, {"tree": "xyz", "index": ""}, {"tree": 3, "index": ""}, {"tree": "12" * 20}],
)
def test_a_whole_file_with_another_content_is_no_manifest(tmp_path, header):
    file = tmp_path / "seen"
    save_columns(file, header, [b"a", b"b", b"", b""])
    assert load_columns(file) is not None
    assert load_manifest(file) is None


@pytest.mark.parametrize("data", [b"", b"other\n{}\n", b"greenloop manifest 3\n[]\n"])
def test_a_tree_is_not_read_from_another_file(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    assert load_tree(tmp_path / "x") == load_tree(tmp_path / "missing") == b""
