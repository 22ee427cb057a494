"""Generated file contents of every odd kind, for property tests."""

from hypothesis import strategies as st

from agent.edits.changes import Content, Mode
from agent.task import RepoPath

LINES = st.sampled_from(
    [
        b"",
        b"a",
        b"b",
        b"    return x",
        b"\tx = 1",
        b"caf\xe9",
        "naïve".encode(),
        b"\xef\xbb\xbfbom",
        b"x\r",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\n\n"])
texts = st.lists(st.tuples(LINES, ENDS), max_size=12).map(
    lambda pairs: b"".join(line + end for line, end in pairs)
)
without_last_end = texts.map(lambda text: text.rstrip(b"\r\n"))
binaries = st.binary(max_size=60).map(lambda data: b"\0" + data)
data = st.one_of(texts, without_last_end, st.binary(max_size=40), binaries)

files = st.builds(Content, data=data, mode=st.sampled_from([Mode.FILE, Mode.EXECUTABLE]))
links = st.builds(
    Content,
    data=st.sampled_from([b"a", b"../outside", b"d\xe9", b"/etc/passwd"]),
    mode=st.just(Mode.LINK),
)
contents = st.one_of(st.none(), files, files, links)

paths = st.sampled_from(
    [
        RepoPath(path)
        for path in (
            "a.py",
            "dir/b.py",
            "dir/sub/c.py",
            "with space.txt",
            'quote".txt',
            "back\\slash",
            "line\nbreak",
            "tab\there",
            "umläut",
            "byte\udce9",
            "-dash",
        )
    ]
)
