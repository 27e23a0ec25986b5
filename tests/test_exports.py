"""Film histories that people bring along: sound files of each service, and the one line a hostile or broken file gets."""

from __future__ import annotations

import csv
import io
import json
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from recommender.load import exports, uploads
from recommender.load.exports import Entry, Export, ExportError, read_export
from recommender.settings import settings

RATINGS = "Date,Name,Year,Letterboxd URI,Rating\n"
WATCHED = "Date,Name,Year,Letterboxd URI\n"
DIARY = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n"
HEAT = RATINGS + "2024-05-02,Heat,1995,https://boxd.it/1,4.5\n"
IMDB = (
    "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,Release Date,Directors\n"
    'tt0113277,9,2024-01-05,Heat,Heat,https://x,Movie,8.3,170,1995,"Action, Crime",700000,1995-12-15,Michael Mann\n'
    "tt0903747,10,2024-02-05,Breaking Bad,Breaking Bad,https://x,TV Series,9.5,45,2008,Drama,2000000,2008-01-20,\n"
    "tt0959621,9,2024-02-06,Pilot,Pilot,https://x,TV Episode,9.0,58,2008,Drama,40000,2008-01-20,\n"
    "tt0066026,,2024-02-07,MASH,MASH,https://x,tvMovie,7.3,116,1970,Comedy,70000,1970-01-25,Robert Altman\n"
)
LISTED = (
    "Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,Year,Your Rating,Date Rated\n"
    "1,tt0113277,2023-01-01,2023-01-01,,Heat,Heat,https://x,Movie,1995,,\n"
    "2,tt0114709,2023-01-02,2023-01-02,,Toy Story,Toy Story,https://x,Movie,1995,7,2024-01-02\n"
)
MAY_2 = 1714608000  # 2024-05-02 00:00 UTC


def one(content: str | bytes, name: str = "ratings.csv") -> Export:
    return read_export(content.encode() if isinstance(content, str) else content, name)


def zipped(files: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def trakt(title: str = "Heat", year: int = 1995, imdb: str | None = "tt0113277", tmdb: int | None = 949, **said: object) -> dict:
    return {**said, "type": "movie", "movie": {"title": title, "year": year, "ids": {"trakt": 1, "slug": "x", "imdb": imdb, "tmdb": tmdb}}}


def counts(export: Export) -> bool:
    return export.rows == len(export.entries) + export.repeated + export.unread


@contextmanager
def refused_in_one_line() -> Iterator[None]:
    """Nothing but an ExportError may be raised in it, and that in one line."""
    try:
        yield
    except ExportError as error:
        if "\n" in str(error):
            raise


# ---- sound files


def test_letterboxd_ratings_by_hand() -> None:
    assert one(HEAT) == Export("letterboxd", "ratings", (Entry("Heat", 1995, stars=4.5, at=MAY_2, kind="rating"),), 1)


def test_a_row_without_stars_is_a_film_watched_and_the_day_is_that_of_the_watching() -> None:
    export = one(DIARY + "2024-05-03,Heat,1995,x,,,,2024-05-02\n2024-05-03,Clue,1985,x,0.5,Yes,fun,2024-05-02\n", "diary.csv")
    assert export.what == "diary"
    assert export.entries == (Entry("Heat", 1995, at=MAY_2), Entry("Clue", 1985, stars=0.5, at=MAY_2, kind="rating"))


def test_only_the_name_tells_a_watch_list_from_films_watched() -> None:
    row = WATCHED + "2024-05-02,Heat,1995,x\n"
    assert one(row, "watched (1).csv").entries[0].kind == "watched"
    assert one(row, "my-watchlist.csv").entries[0].kind == "list"
    with pytest.raises(ExportError, match=r"films.csv: watched.csv and watchlist.csv of Letterboxd look alike inside, wanted one of both"):
        one(row, "films.csv")


def test_the_zip_of_letterboxd_is_read_whole_but_for_what_is_no_history() -> None:
    files: dict[str, str | bytes] = {
        "letterboxd-x/profile.csv": "junk",
        "letterboxd-x/ratings.csv": HEAT,
        "letterboxd-x/watched.csv": WATCHED + "2024-05-01,Heat,1995,x\n2024-05-01,Clue,1985,x\n",
        "letterboxd-x/watchlist.csv": WATCHED + "2024-05-01,Alien,1979,x\n",
        "letterboxd-x/deleted/diary.csv": "junk",
        "letterboxd-x/likes/films.csv": WATCHED + "2024-05-01,Jaws,1975,x\n",
        "letterboxd-x/lists/ratings-of-mine.txt": "junk",
        "__MACOSX/letterboxd-x/ratings.csv": "junk",
    }
    export = read_export(zipped(files), "letterboxd-x.zip")
    assert {(e.title, e.kind) for e in export.entries} == {("Heat", "rating"), ("Clue", "watched"), ("Alien", "list")}
    assert (export.rows, export.repeated, export.unread) == (4, 1, 0)
    assert export.what == "watched films, watch-list, ratings"


def test_imdb_halves_its_points_and_leaves_series_out_with_the_reason() -> None:
    export = one(IMDB)
    assert (export.service, export.what) == ("imdb", "ratings")
    assert export.entries == (Entry("Heat", 1995, 113277, 0, 4.5, 1704412800, "rating"),)
    assert [(s.line, s.reason) for s in export.skipped] == [
        (3, "title type is 'TV Series', wanted a film"),
        (4, "title type is 'TV Episode', wanted a film"),
        (5, "'MASH' has no rating, wanted 1 to 10"),
    ]


def test_imdb_lists_hold_ratings_too() -> None:
    export = one(LISTED, "watchlist.csv")
    assert [(e.title, e.kind, e.stars) for e in export.entries] == [("Heat", "list", None), ("Toy Story", "rating", 3.5)]


def test_trakt_json_by_hand() -> None:
    rows = [
        trakt(rated_at="2024-05-02T00:00:00.000Z", rating=7),
        trakt("Clue", 1985, None, None, plays=2, last_watched_at="2024-05-02T01:00:00+01:00"),
        trakt("Alien", 1979, "tt0078748", None, listed_at="2024-05-02T00:00:00Z", rank=1),
        {"rated_at": "2024-05-02T00:00:00Z", "rating": 9, "type": "show", "show": {"title": "Lost"}},
        trakt("Jaws", 1975, "tt0073195", None, collected_at="2024-05-02T00:00:00Z"),
        7,
    ]
    export = one(json.dumps(rows), "x.json")
    assert export.service == "trakt"
    assert export.entries == (
        Entry("Heat", 1995, 113277, 949, 3.5, MAY_2, "rating"),
        Entry("Clue", 1985, at=MAY_2),
        Entry("Alien", 1979, 78748, at=MAY_2, kind="list"),
    )
    assert [s.reason for s in export.skipped] == [
        "it is about 'show', wanted a movie",
        "it was neither rated, watched nor listed, wanted one of them",
        "it is '7', wanted an entry with a movie",
    ]
    assert counts(export)


def test_trakt_zip_and_csv() -> None:
    files: dict[str, str | bytes] = {
        "me/ratings/ratings-movies.json": json.dumps([trakt(rated_at="2024-05-02T00:00:00Z", rating=10)]),
        "me/watched/watched-movies-1.json": json.dumps([trakt(plays=1, last_watched_at="2024-05-09T00:00:00Z")]),
        "me/watched/watched-shows.json": "junk",
        "lists-watchlist.json": "[]",
    }
    assert read_export(zipped(files), "trakt.zip").entries == (Entry("Heat", 1995, 113277, 949, 5.0, MAY_2, "rating"),)
    header = "rated_at,type,title,year,trakt_rating,trakt_id,imdb_id,tmdb_id,rating\n"
    export = one(header + "2024-05-02T00:00:00.000Z,movie,Heat,1995,8.3,1,tt0113277,949,1\n2024-05-02T00:00:00Z,episode,Lost,2004,8,2,tt1,1,9\n")
    assert export.entries == (Entry("Heat", 1995, 113277, 949, 0.5, MAY_2, "rating"),)
    assert export.unread == 1


def test_of_one_film_the_rating_stands_and_of_ratings_the_latest() -> None:
    rows = ["2024-05-04,Heat,1995,x,,,,2024-05-04", "2024-05-02,Heat,1995,x,2,,,2024-05-02", "2024-05-03,Heat,1995,x,4,,,2024-05-03",
            "2024-05-01,Heat,1995,x,1,,,2024-05-01", "2024-05-01,heat,1986,x,3,,,2024-05-01"]  # fmt: skip
    export = one(DIARY + "\n".join(rows))
    assert [(e.year, e.stars) for e in export.entries] == [(1995, 4.0), (1986, 3.0)]
    assert (export.rows, export.repeated) == (5, 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_that_say_what_they_are(encoding: str) -> None:
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    assert one((mark + HEAT.replace("Heat", "Amélie 千")).encode(encoding)).entries[0].title == "Amélie 千"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(separator: str) -> None:
    assert one(HEAT.replace(",", separator).replace("4.5", "4,5")).entries[0].stars == 4.5


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ('=cmd|" /C calc"!A0', '=cmd|" /C calc"!A0'),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("**bold** [x](javascript:1)", "**bold** [x](javascript:1)"),
        ("Fire\x1b[31m\u202eTON\x07", "Fire[31mTON"),
        ("two\nlines", "two lines"),
        ("a" * 5000, "a" * 300),
        ("  Heat  ", "Heat"),
    ],
)
def test_titles_stay_text(title: str, wanted: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow(["2024-05-02", title, "1995", "x", "4"])
    assert [e.title for e in one(RATINGS + out.getvalue()).entries] == [wanted]


def test_half_a_character_from_json_is_stripped() -> None:
    assert one('[{"rating": 8, "rated_at": "x", "movie": {"title": "He\\ud800at", "year": 1995}}]').entries[0].title == "Heat"


@pytest.mark.parametrize(
    ("rating", "stars"),
    [("0.5", 0.5), ("5", 5.0), ("3.0", 3.0), ("3,50", 3.5), ("0", None), ("5.5", None), ("6", None), ("100", None), ("3.3", None), ("nan", None),
     ("1e0", None), ("-1", None), ("²", None), ("four", None), ("9" * 5000, None)],
)  # fmt: skip
def test_a_rating_out_of_scale_is_left_out_with_its_line(rating: str, stars: float | None) -> None:
    export = one(HEAT + f'2024-05-02,Clue,1985,x,"{rating}"\n')
    if stars is None:
        assert [(s.file, s.line) for s in export.skipped] == [("ratings.csv", 3)]
        assert "wanted 0.5 to 5 in steps of 0.5" in export.skipped[0].reason
        assert len(export.skipped[0].reason) < 120
    else:
        assert export.entries[1].stars == stars
    assert counts(export)


@pytest.mark.parametrize("year", ["", "0", "19", "12345", "1995.5", "x", "1066"])
def test_what_cannot_be_read_of_a_film_is_unknown(year: str) -> None:
    assert one(RATINGS + f"yesterday,Heat,{year},x,4\n").entries == (Entry("Heat", stars=4.0, kind="rating"),)


def test_rows_of_another_width_or_without_a_title_are_named() -> None:
    export = one(HEAT + '2024-05-02,Clue,1985\n\n2024-05-02,,1985,x,4\n2024-05-02,"a" b,1985,x,4\n2024-05-02,Jaws,1975,x,4\n')
    assert [(s.line, s.reason) for s in export.skipped] == [
        (3, "3 fields in '2024-05-02,Clue,1985', wanted 5"),
        (5, "it has no title, wanted one"),
        (6, "it is no CSV (',' expected after '\"')"),
    ]
    assert [e.title for e in export.entries] == ["Heat", "Jaws"]
    assert export.rows == 5


def test_skipped_rows_are_all_counted_and_the_first_are_named() -> None:
    export = one(HEAT + "x\n" * 80)
    assert (export.rows, export.unread, len(export.skipped)) == (81, 80, exports.NAMED)


# ---- broken and hostile files: (what they are, what the message says)

BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b" \n", "it is empty, wanted films"),
    "mark alone": (b"\xef\xbb\xbf\n", "it is empty"),
    "header alone": (RATINGS.encode(), "there is no film in it, wanted at least one"),
    "other columns": (b"id,title\n1,Heat\n", r"line 1: the columns are 'id,title', wanted the columns of Letterboxd \(Date,Name,Year,Lett"),
    "latin-1": ((HEAT + "2024-05-02,Amélie,2001,x,4\n").encode("latin-1"), "line 3: byte 0xe9 at position 93 is not UTF-8, wanted text"),
    "odd UTF-16": (HEAT.encode("utf-16") + b"x", "byte 0x78 at position 162 is not UTF-16"),
    "UTF-16 without a mark": (HEAT.encode("utf-16-le"), "line 1: byte 0x00 stands in it"),
    "NUL": ((HEAT + "2024-05-02,Cl\0ue,1985,x,4\n").encode(), "line 3: byte 0x00 stands in it"),
    "a million columns": (RATINGS.encode() + b"," * 1_000_000, "line 2: a line or a quoted text runs on for more than 100,000 characters"),
    "a million columns in its header": (b"a," * 1_000_000, "line 1: a line or a quoted text runs on"),
    "an endless record": (RATINGS.encode() + b'"x\n' + b'",,,,"\n' * 100_000, "runs on for more than 100,000 characters"),
    "open quote": ((HEAT + '2024-05-02,"Clue,1985,x,4\n' + "2024-05-02,Jaws,1975,x,4\n" * 9).encode(), "line 3: a quote is opened and never closed"),
    "lines without end": (RATINGS.encode() + b"\n" * 300_000, "it has more than 200,000 lines, wanted less"),
    "web page": (b"\n <!DOCTYPE html><html>", "it looks like a web page or XML, wanted a CSV or JSON file"),
    "web page in UTF-16": ("<html><body>".encode("utf-16"), "it looks like a web page"),
    "PDF": (b"%PDF-1.7\n1 0 obj", "it looks like a PDF"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0", "it looks like a PNG picture"),
    "gzip": (b"\x1f\x8b\x08\0", "it looks like a gzip archive"),
    "workbook": (zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "x"}), "it looks like an Excel workbook"),
    "deep JSON": (b"[" * 100_000 + b"]" * 100_000, "its JSON is nested too deep, wanted a list of films"),
    "ten million objects": (b"[" + b"{}," * 10_000_000 + b"{}]", "it holds about 20,000,002 values, wanted at most 2,000,000"),
    "many objects": (b"[" + b"{}," * 300_000 + b"{}]", "it has 300,001 entries, wanted at most 200,000"),
    "endless number": (b"[" + b"1" * 5000 + b"]", "its JSON has a number of thousands of digits"),
    "cut JSON": (b'[\n{"rating": 5', "line 2: it is no JSON"),
    "JSON object": (b'{"movies": []}', "its JSON is one dict with 'movies', wanted a list of films"),
    "no zip": (b"PK\x03\x04" + b"x" * 100, r"the zip is broken \(File is not a zip file\), wanted a sound zip"),
    "cut zip": (zipped({"ratings.csv": HEAT})[:-30], "the zip is broken"),
    "bomb": (zipped({"ratings.csv": RATINGS.encode() + b"\n" * 60_000_000}), "it unpacks to more than 50,000,000 bytes"),
    "nested zip": (zipped({"x.zip": zipped({"ratings.csv": HEAT})}), r"none of its 1 members is an export \('x.zip'\)"),
    "zip of nothing": (zipped({}), "none of its 0 members is an export"),
    "way out": (zipped({"../ratings.csv": HEAT}), "member '../ratings.csv' leads out of the zip, wanted plain relative names"),
    "absolute": (zipped({"/etc/ratings.csv": HEAT}), "member '/etc/ratings.csv' leads out"),
    "drive": (zipped({"C:/ratings.csv": HEAT}), "member 'C:/ratings.csv' leads out"),
    "members": (zipped({f"{n}.txt": "" for n in range(5001)}), "the zip has 5,001 members, wanted at most 5,000"),
    "too many exports": (zipped({f"{n}/ratings.csv": HEAT for n in range(51)}), "it holds more than 50 exports"),
    "odd packing": (zipped({"ratings.csv": HEAT}, zipfile.ZIP_LZMA), "member 'ratings.csv' is packed by method 14"),
    "two services": (zipped({"ratings.csv": HEAT, "x/ratings.csv": IMDB}), "it holds files of imdb and letterboxd, wanted one service at a time"),
    "broken member": (zipped({"a/ratings.csv": HEAT, "a/diary.csv": "x,y\n"}), "diary.csv line 1: the columns are 'x,y'"),
}  # fmt: skip


@pytest.mark.parametrize("content, message", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gets_one_line(content: bytes, message: str) -> None:
    with pytest.raises(ExportError, match=message) as caught:
        read_export(content, "ratings.csv", 50_000_000, 200_000)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_size_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ExportError, match=r"x.csv: it has 1,001 bytes, wanted at most 1,000"):
        read_export(b"\0" * 1001, "x.csv", 1000)
    assert settings().import_bytes <= 100_000_000


def test_several_members_share_the_limits() -> None:
    files: dict[str, str | bytes] = {f"{n}/ratings.csv": RATINGS + f"2024-05-02,Film {n},1995,x,4\n" * 10 for n in range(3)}
    assert len(read_export(zipped(files), "x.zip", 5000, 33).entries) == 3
    with pytest.raises(ExportError, match="it unpacks to more than 900 bytes"):
        read_export(zipped(files), "x.zip", 900)
    with pytest.raises(ExportError, match="it has more than 5 lines"):
        read_export(zipped(files), "x.zip", 5000, 25)


def test_headers_of_a_zip_are_not_believed() -> None:
    sound = zipped({"ratings.csv": RATINGS.encode() + b"\n" * 5000})
    small = sound.replace((len(RATINGS) + 5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert small != sound
    with pytest.raises(ExportError, match="the zip is broken"):
        read_export(small, "x.zip")


def test_encrypted_members_and_links() -> None:
    locked = bytearray(zipped({"ratings.csv": HEAT}))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ExportError, match=r"member 'ratings.csv' is encrypted, wanted a zip without a password"):
        read_export(bytes(locked), "x.zip")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("ratings.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ExportError, match="none of its 1 members is an export"):
        read_export(out.getvalue(), "x.zip")


def test_a_name_is_text_too() -> None:
    with pytest.raises(ExportError, match=r"^a\[31m b: it is empty") as caught:
        one("", "a\x1b[31m\n\u202eb")
    assert "\x1b" not in str(caught.value)


def test_numbers_that_are_none() -> None:
    movie = '"movie": {"title": "Heat", "year": 1e999, "ids": []}'
    export = one(f'[{{"rating": 1e999, "rated_at": 1e999, {movie}}}, {{"rating": NaN, {movie}}}]')
    assert [s.reason for s in export.skipped] == [f"rating is '{x}', wanted 1 to 10 in steps of 1" for x in ("inf", "nan")]


# ---- laws

letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
fields = letters | st.sampled_from(["Heat", "1995", "4.5", "2024-05-02", '"', '""', ",", "\r", "\n", "=1+1"])
magic = [b"", b"[", b"[{", b"PK\x03\x04", b"PK\x05\x06", b"\xff\xfe", b"\xef\xbb\xbf"]
beginnings = st.sampled_from([*magic, *(header.encode() for header in (RATINGS, IMDB, LISTED, DIARY))])


@effort(max_examples=300)
@given(beginnings, st.binary(max_size=300), st.sampled_from(["", "watched.csv", "a.zip", "x.json"]))
def test_bytes_give_an_export_or_one_line(beginning: bytes, rest: bytes, name: str) -> None:
    with refused_in_one_line():
        assert counts(read_export(beginning + rest, name))


@effort(max_examples=200)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_a_damaged_zip_gives_an_export_or_one_line(at: int, damage: bytes) -> None:
    sound = zipped({"ratings.csv": HEAT * 3, "watched.csv": WATCHED})
    at %= len(sound)
    with refused_in_one_line():
        assert counts(read_export(sound[:at] + damage + sound[at + len(damage) :], "x.zip"))


@effort(max_examples=200)
@given(st.sampled_from([RATINGS, DIARY, IMDB.splitlines(keepends=True)[0], LISTED.splitlines(keepends=True)[0]]), st.data())
def test_no_row_is_lost(header: str, data: st.DataObject) -> None:
    width = header.count(",") + 1
    rows = data.draw(st.lists(st.lists(fields, min_size=width, max_size=width) | st.lists(fields, min_size=1, max_size=9), min_size=1, max_size=8))
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    export = read_export((header + out.getvalue()).encode(), "ratings.csv")
    assert export.rows == len(rows)
    assert counts(export)
    assert len(export.skipped) == export.unread
    assert all(e.stars is None or (0.5 <= e.stars <= 5 and e.stars % 0.5 == 0) for e in export.entries)
    assert all(e.title == uploads.clean(e.title) and e.title for e in export.entries)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3))
ids = json_values | st.fixed_dictionaries({"imdb": json_values})
movies = st.fixed_dictionaries({}, optional={"title": json_values, "year": json_values, "ids": ids})
said = st.fixed_dictionaries(
    {}, optional={"movie": json_values | movies, "rating": json_values, "rated_at": json_values, "plays": json_values, "type": json_values}
)


@effort(max_examples=200)
@given(st.lists(json_values | said, min_size=1, max_size=5))
def test_no_json_value_is_lost(rows: list) -> None:
    export = read_export(json.dumps(rows).encode(), "x.json")
    assert export.rows == len(rows)
    assert counts(export)


titles = st.text(st.characters(categories=["L", "N", "P", "Sm"]), min_size=1, max_size=30)
entries = st.builds(
    Entry,
    title=titles,
    year=st.integers(1880, 2100),
    imdb=st.integers(1, 10**8),
    tmdb=st.integers(0, 10**7),
    stars=st.integers(1, 10).map(lambda points: points / 2),
    at=st.integers(1, 2**32),
    kind=st.just("rating"),
)


@effort(max_examples=100)
@given(st.lists(entries, min_size=1, max_size=6, unique_by=lambda e: e.imdb))
@example([Entry('"Heat", he said', 1995, 1, 0, 0.5, 1, "rating")])
def test_what_is_written_is_read(wanted: list[Entry]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["rated_at", "type", "title", "year", "imdb_id", "tmdb_id", "rating"])
    rows = []
    for e in wanted:
        at, points = datetime.fromtimestamp(e.at, UTC).isoformat(), int(2 * (e.stars or 0))
        writer.writerow([at, "movie", e.title, e.year, f"tt{e.imdb}", e.tmdb or "", points])
        rows.append(trakt(e.title, e.year, f"tt{e.imdb:07}", e.tmdb or None, rating=points, rated_at=at))
    assert read_export(out.getvalue().encode("utf-16"), "x.csv").entries == tuple(wanted)
    assert read_export(json.dumps(rows).encode(), "x.json").entries == tuple(wanted)
