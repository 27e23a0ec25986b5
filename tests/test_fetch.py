"""Fetching from a server that behaves and misbehaves; after every failure nothing half-made is left."""

from __future__ import annotations

import hashlib
import io
import resource
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from publisher import FILES, Server, publishing, zipped

from recommender import fetch as room
from recommender.fetch import FetchError, Stopped, Watch, fetch, part_of
from recommender.load import DataError, load


@pytest.fixture
def server() -> Iterator[Server]:
    with publishing() as state:
        yield state


def get(server: Server, into: Path, **rest) -> tuple[Path, list[str]]:
    said: list[str] = []
    return fetch("ml-1m", into, base=server.base, say=said.append, pause=0.001, **rest), said


def test_a_set_arrives_and_its_licence_is_said_once(server: Server, tmp_path: Path) -> None:
    folder, said = get(server, tmp_path)
    assert folder == tmp_path / "ml-1m"
    assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    assert [p.name for p in tmp_path.iterdir()] == ["ml-1m"]
    assert len(load(folder)[1]) == 2
    assert said == ["USAGE LICENSE\n=============\n\nNo warranty."]
    _, said = get(server, tmp_path)
    assert len(server.asked) == 1  # the second time nothing is fetched
    assert "License" not in said[0]
    assert "is there already" in said[0]


def test_md5_in_the_other_form(server: Server, tmp_path: Path) -> None:
    server.md5 = f"{hashlib.md5(server.content).hexdigest().upper()}  ml-1m.zip\n"
    get(server, tmp_path)


def test_a_dropped_connection_is_resumed_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.content = zipped(pad=300_000)
    server.cut = [100_000, 50_000]
    folder, _ = get(server, tmp_path)
    assert server.asked == [None, "bytes=98304-", "bytes=147456-"]  # 6, then 3 more whole pieces of 16 KiB
    assert (folder / "pad").stat().st_size == 300_000


def test_resume_of_an_earlier_run(server: Server, tmp_path: Path) -> None:
    (tmp_path / "ml-1m.zip.part").write_bytes(server.content[:100])
    get(server, tmp_path)
    assert server.asked == ["bytes=100-"]
    assert [p.name for p in tmp_path.iterdir()] == ["ml-1m"]


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "ml-1m.zip.part").write_bytes(b"PK" + b"x" * 98)
    get(server, tmp_path)


def test_a_range_that_begins_elsewhere_is_not_put_together(server: Server, tmp_path: Path) -> None:
    server.shift = -50
    (tmp_path / "ml-1m.zip.part").write_bytes(server.content[:100])
    get(server, tmp_path)
    assert server.asked == ["bytes=100-", None]


def test_a_part_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "ml-1m.zip.part").write_bytes(b"x" * (len(server.content) + 5))
    get(server, tmp_path)
    assert server.asked[-1] is None


def test_a_connection_that_keeps_breaking_leaves_only_the_part(server: Server, tmp_path: Path) -> None:
    server.content = zipped(pad=300_000)
    server.cut = [20_000] * 10
    with pytest.raises(DataError, match=r"connection broke at 81,920 bytes after 5 tries, wanted the whole file; ml-1m.zip.part is kept"):
        get(server, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["ml-1m.zip.part"]


def test_500_then_ok(server: Server, tmp_path: Path) -> None:
    server.status = [500, 503, 429]
    get(server, tmp_path)
    assert len(server.asked) == 4


def wrong_md5(server: Server) -> None:
    server.md5 = "MD5 (ml-1m.zip) = " + "0" * 32


def html_as_zip(server: Server) -> None:
    server.content = b"<!DOCTYPE html><html>Sorry</html>"


def html_as_md5(server: Server) -> None:
    server.md5 = "<html>Sorry</html>"


def no_md5(server: Server) -> None:
    server.md5 = "404"


def not_found(server: Server) -> None:
    server.status = [404]


def forbidden(server: Server) -> None:
    server.status = [403]


def always_500(server: Server) -> None:
    server.status = [500] * 9


def zip_slip(server: Server) -> None:
    server.content = zipped({"../../evil.txt": "x", **FILES})


def absolute(server: Server) -> None:
    server.content = zipped({"/tmp/evil.txt": "x"}, prefix="")


def backslash(server: Server) -> None:
    server.content = zipped({"..\\evil.txt": "x"})


def link(server: Server) -> None:
    server.content = zipped(links={"passwd": "/etc/passwd"})


def bomb(server: Server) -> None:
    server.content = zipped({**FILES, "zeros": "0" * (4 << 20)})


def twice(server: Server) -> None:
    out = io.BytesIO(zipped())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("ml-1m/README", "again")
    server.content = out.getvalue()


def damaged(server: Server) -> None:
    content = bytearray(zipped(pad=1000))
    content[-900] ^= 0xFF
    server.content = bytes(content)


def other_things(server: Server) -> None:
    server.content = zipped({"hello.txt": "hello"})


def bad_rating(server: Server) -> None:
    server.content = zipped({**FILES, "ratings.dat": "1::1::9::978300760\n"})


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (wrong_md5, "wanted 00000000000000000000000000000000; it was thrown away"),
        (html_as_zip, r"begins with '<!DOCTYPE html><html>Sorry</html>', wanted a zip"),
        (html_as_md5, "has no checksum, wanted 32 hexadecimal digits"),
        (no_md5, "wanted the publisher's checksum"),
        (not_found, "ml-1m.zip: the server answers 404 Not Found, wanted 200 OK"),
        (forbidden, "ml-1m.zip: the server answers 403 Forbidden, wanted 200 OK"),
        (always_500, "the server answers 500 Internal Server Error after 5 tries, wanted the whole file"),
        (zip_slip, r"member 'ml-1m/\.\./\.\./evil\.txt' leads out of the folder"),
        (absolute, r"member '/tmp/evil\.txt' leads out of the folder"),
        (backslash, "leads out of the folder"),
        (link, "member 'ml-1m/passwd' is a link or a device, wanted plain files"),
        (bomb, "member 'ml-1m/zeros' grows from"),
        (twice, "wanted a sound zip"),
        (damaged, "wanted a sound zip"),
        (other_things, r"has none of ratings\.dat, u\.data, ratings\.csv"),
        (bad_rating, r"ratings\.dat line 1: rating is '9', wanted 1 to 5 stars"),
    ],
)
def test_failures_leave_nothing(server: Server, tmp_path: Path, break_it, message: str) -> None:
    break_it(server)
    into = tmp_path / "raw"
    with pytest.raises(DataError, match=message) as raised:
        get(server, into)
    assert "\n" not in str(raised.value)
    assert list(into.iterdir()) == []
    assert [p.name for p in tmp_path.iterdir()] == ["raw"]  # nothing slipped out


def test_total_size_is_bounded(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_BYTES", 100)
    with pytest.raises(DataError, match=r"unpacks to [\d,]+ bytes, wanted at most 100"):
        get(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_latest_small_may_lack_a_checksum(server: Server, tmp_path: Path) -> None:
    server.md5 = "404"
    said: list[str] = []
    fetch("ml-latest-small", tmp_path, base=server.base, say=said.append, pause=0.001)
    assert said[0].startswith("the publisher gives no checksum for ml-latest-small.zip; its md5 is ")


def folder_of(path: Path) -> Path:
    path.mkdir(parents=True)
    for name, text in FILES.items():
        (path / name).write_text(text)
    return path


def test_from_a_folder_or_the_one_below_it(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "mine" / "ml-1m")
    (source / "sub").mkdir()
    for n, place in enumerate((source, source.parent)):
        folder = fetch("ml-1m", tmp_path / f"raw{n}", place, say=lambda _: None)
        assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    assert len(list(source.iterdir())) == len(FILES) + 1  # the source is left as it was


def test_from_a_zip(tmp_path: Path) -> None:
    archive = tmp_path / "some.zip"
    archive.write_bytes(zipped(prefix=""))
    folder = fetch("ml-1m", tmp_path / "raw", archive, say=lambda _: None)
    assert len(load(folder)[0]) == 2
    assert archive.exists()


def test_from_what_is_no_data_set(tmp_path: Path) -> None:
    page = tmp_path / "ml-1m.zip"
    page.write_text("<html>Sorry</html>")
    bad = {page: r"ml-1m.zip: begins with '<html>Sorry</html>', wanted a zip", tmp_path / "no": "is not there, wanted a folder or a zip"}
    for source, message in bad.items():
        with pytest.raises(DataError, match=message):
            fetch("ml-1m", tmp_path / "raw", source)
        assert list((tmp_path / "raw").iterdir()) == []


def test_wrong_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="data set is 'ml-2m', wanted one of ml-1m, ml-100k"):
        fetch("ml-2m", tmp_path)
    with pytest.raises(DataError, match="wanted https://"):
        fetch("ml-1m", tmp_path, base="http://example.org")


# -- looked on, and stopped


class Looker:
    """Remembers what it was told, and asks to stop once so many bytes have come."""

    def __init__(self, most: float = float("inf")) -> None:
        self.told: list[tuple[str, int, int | None]] = []
        self.watch, self.most = Watch(self.look), most

    def look(self, stage: str, done: int, total: int | None) -> None:
        self.told.append((stage, done, total))
        if done >= self.most:
            self.watch.stop.set()


def test_who_looks_on_is_told_each_stage_and_every_piece(server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server.content, looker = zipped(pad=40_000), Looker()
    get(server, tmp_path, watch=looker.watch)
    size = len(server.content)
    pieces = [("fetching", done, size) for done in (16_384, 32_768, size)]
    assert looker.told == [("fetching", 0, None), *pieces, ("checking", 0, None), ("unpacking", 0, None), ("reading", 0, None)]
    assert capfd.readouterr() == ("", "")  # no bar besides


def test_without_anybody_looking_on_the_terminal_shows_a_bar(server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    get(server, tmp_path)
    assert "ml-1m.zip: 100%" in capfd.readouterr().err


def test_stopped_in_the_middle_it_goes_on_from_that_byte(server: Server, tmp_path: Path) -> None:
    server.content = zipped(pad=100_000)
    with pytest.raises(Stopped):
        get(server, tmp_path, watch=Looker(most=30_000).watch)
    assert [(p.name, p.stat().st_size) for p in tmp_path.iterdir()] == [("ml-1m.zip.part", 32_768)]
    again = Looker()
    get(server, tmp_path, watch=again.watch)
    assert server.asked == [None, "bytes=32768-"]
    assert again.told[0] == ("fetching", 32_768, None)
    assert [p.name for p in tmp_path.iterdir()] == ["ml-1m"]


def test_a_wish_to_stop_that_comes_with_the_last_piece_is_too_late(server: Server, tmp_path: Path) -> None:
    server.content = zipped(pad=20_000)
    assert get(server, tmp_path, watch=Looker(most=len(server.content)).watch)[0].is_dir()


def test_waiting_between_two_tries_ends_at_once(server: Server, tmp_path: Path) -> None:
    server.status, looker = [503] * 9, Looker()
    timer = threading.Timer(0.1, looker.watch.stop.set)
    timer.start()
    with pytest.raises(Stopped):
        fetch("ml-1m", tmp_path, base=server.base, pause=3600, watch=looker.watch)
    timer.join()
    assert len(server.asked) == 1


def gone(server: Server) -> None:
    server.base = "http://127.0.0.1:9"  # discard: nobody listens there


@pytest.mark.parametrize(
    ("break_it", "kind"),
    [
        (gone, "network"),
        (always_500, "server"),
        (not_found, "refused"),
        (forbidden, "refused"),
        (wrong_md5, "damaged"),
        (html_as_zip, "damaged"),
        (damaged, "damaged"),
    ],
)
def test_failures_say_of_which_kind_they_are(server: Server, tmp_path: Path, break_it, kind: str) -> None:
    break_it(server)
    with pytest.raises(FetchError) as raised:
        get(server, tmp_path)
    assert raised.value.kind == kind


def test_a_disk_that_is_full_keeps_what_came(server: Server, tmp_path: Path) -> None:
    server.content = zipped(pad=200_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, before[1]))
    try:
        with pytest.raises(FetchError, match="File too large, wanted room and the right to write there") as raised:
            get(server, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.kind == "disk"
    assert 0 < part_of(tmp_path, "ml-1m").stat().st_size <= 80_000
    get(server, tmp_path)
    assert server.asked[-1].startswith("bytes=")


def test_a_folder_that_is_none_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file")
    with pytest.raises(FetchError, match="raw: File exists, wanted room and the right to write there"):
        get(server, tmp_path / "raw")
    assert server.asked == []
