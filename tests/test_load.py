"""Reading data sets: what comes out of sound files, and the one line a broken file gets."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.load import DataError, load, localtime, read_films, titles, write_films
from recommender.settings import ROOT, settings
from recommender.types import TIMES_OF_DAY

MOVIES = (
    "10::Postino, Il (The Postman) (1994)::Drama|Romance\n"
    "3::Misérables, Les (1995)::Drama\n"
    "7::M*A*S*H (1970)::Children's|War\n"
)  # fmt: skip
USERS = "1::F::1::10::10001\n2::M::56::16::85001-1234\n5::M::25::15::V5A2B\n"
RATINGS = "2::7::5::954720000\n1::10::3::954720000\n1::3::4::954700000\n5::3::1::954720000\n1::7::2::954720000\n"


def ml_1m(folder: Path, ratings: str = RATINGS, movies: str | bytes = MOVIES, users: str = USERS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "ratings.dat").write_bytes(ratings.encode("latin-1"))
    (folder / "movies.dat").write_bytes(movies if isinstance(movies, bytes) else movies.encode("latin-1"))
    (folder / "users.dat").write_bytes(users.encode("latin-1"))
    return folder


CSV_MOVIES = '10,"Haine, La (1995)",Drama\n3,Hyena Road,(no genres listed)\n'


def ml_csv(folder: Path, ratings: str = "1,10,0.5,7\n1,3,4.5,5\n", movies: str | bytes = CSV_MOVIES) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + ratings)
    (folder / "movies.csv").write_bytes(b"movieId,title,genres\n" + (movies if isinstance(movies, bytes) else movies.encode()))
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n10,0113247,406\n3,4034452,\n")
    return folder


def ml_100k(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "u.data").write_text("1\t1\t5\t874965758\n1\t2\t3\t874965750\n2\t2\t1\t874965759\n")
    (folder / "u.genre").write_text("unknown|0\nAction|1\nComedy|2\n\n")
    (folder / "u.item").write_text("1|Babe (1995)|01-Jan-1995||http://x|0|0|1\n2|unknown||||1|0|0\n")
    (folder / "u.user").write_text("1|24|M|technician|94103\n2|53|F|other|T8H1N\n")
    return folder


# ---- sound files


def test_ml_1m_by_hand(tmp_path: Path) -> None:
    catalog, seen = load(ml_1m(tmp_path / "ml-1m"))
    assert catalog.ids.tolist() == [10, 3, 7]  # file order
    assert catalog.titles == ("Il Postino", "Les Misérables", "M*A*S*H")
    assert catalog.also == (("The Postman",), (), ())
    assert catalog.years.tolist() == [1994, 1995, 1970]
    assert catalog.genre_names == ("Children's", "Drama", "Romance", "War")
    assert catalog.genres_of(2) == ("Children's", "War")
    assert seen.user_ids.tolist() == [1, 2, 5]
    # user 1: film 3 first by time; films 10 and 7 at the same second stay in file order
    assert seen.users.tolist() == [0, 0, 0, 1, 2]
    assert seen.items.tolist() == [1, 0, 2, 2, 1]
    assert seen.ratings.tolist() == [4, 3, 2, 5, 1]


def test_what_nobody_says_stays_unknown(tmp_path: Path) -> None:
    catalog, _ = load(ml_1m(tmp_path / "ml-1m"))
    assert catalog.directors == catalog.actors == ((), (), ())
    assert catalog.certificates == ("", "", "")
    assert np.isnan(catalog.minutes).all()
    assert not catalog.imdb_ids.any()
    assert catalog.text == ()


def test_csv_edition_keeps_half_stars_and_links(tmp_path: Path) -> None:
    catalog, seen = load(ml_csv(tmp_path / "ml-latest-small"))
    assert catalog.titles == ("La Haine", "Hyena Road")
    assert catalog.years.tolist() == [1995, 0]
    assert catalog.genre_names == ("Drama",)
    assert catalog.genres_of(1) == ()
    assert catalog.imdb_ids.tolist() == [113247, 4034452]
    assert catalog.tmdb_ids.tolist() == [406, 0]
    assert seen.ratings.tolist() == [4.5, 0.5]
    assert set(seen.times_of_day) == {-1}


def test_ml_100k(tmp_path: Path) -> None:
    catalog, seen = load(ml_100k(tmp_path / "ml-100k"))
    assert catalog.titles == ("Babe", "unknown")
    assert catalog.genres_of(0) == ("Comedy",)
    assert catalog.genres_of(1) == ()
    assert seen.items.tolist() == [1, 0, 1]
    # 874965758 is 1997-09-22 22:42 UTC: 15:42 in San Francisco; user 2 lives in Canada
    assert [TIMES_OF_DAY[p] if p >= 0 else None for p in seen.times_of_day] == ["afternoon", "afternoon", None]


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("Title, The (1994)", ("The Title", 1994, ())),
        ("American in Paris, An (1951)", ("An American in Paris", 1951, ())),
        ("Misérables, Les (1995)", ("Les Misérables", 1995, ())),
        ("Shanghai Triad (Yao a yao yao dao waipo qiao) (1995)", ("Shanghai Triad", 1995, ("Yao a yao yao dao waipo qiao",))),
        ("Hate (Haine, La) (1995)", ("Hate", 1995, ("La Haine",))),
        ("Besieged (L' Assedio) (1998)", ("Besieged", 1998, ("L'Assedio",))),
        ("Eye of Vichy, The (Oeil de Vichy, L') (1993)", ("The Eye of Vichy", 1993, ("L'Oeil de Vichy",))),
        ("Professional, The (a.k.a. Leon: The Professional) (1994)", ("The Professional", 1994, ("Leon: The Professional",))),
        ("Hard 8 (a.k.a. Sydney, a.k.a. Hard Eight) (1996)", ("Hard 8", 1996, ("Sydney", "Hard Eight"))),
        ("Seven Samurai (The Magnificent Seven) (Shichinin) (1954)", ("Seven Samurai", 1954, ("The Magnificent Seven", "Shichinin"))),
        ("Associate, The (L'Associe)(1982)", ("The Associate", 1982, ("L'Associe",))),
        ("Land Before Time III, The (1995) (V)", ("The Land Before Time III", 1995, ())),
        ("Fawlty Towers (1975-1979)", ("Fawlty Towers", 1975, ())),
        ("Big Bang Theory, The (2007-)", ("The Big Bang Theory", 2007, ())),
        ("And God Created Woman (Et Dieu&#8230;Créa la Femme) (1956)", ("And God Created Woman", 1956, ("Et Dieu…Créa la Femme",))),
        ("(500) Days of Summer (2009)", ("(500) Days of Summer", 2009, ())),
        ("(Untitled) (2009)", ("(Untitled)", 2009, ())),
        ("Birdman: Or (The Unexpected Virtue of Ignorance) (2014)", ("Birdman: Or (The Unexpected Virtue of Ignorance)", 2014, ())),
        ("2001: A Space Odyssey (1968)", ("2001: A Space Odyssey", 1968, ())),
        ("1984 (1956)", ("1984", 1956, ())),
        ("Crying Game, The", ("The Crying Game", 0, ())),
        ("Sex, Lies, and Videotape (1989)", ("Sex, Lies, and Videotape", 1989, ())),
        ("I, Worst of All (Yo, la peor de todas) (1990)", ("I, Worst of All", 1990, ("Yo, la peor de todas",))),
    ],
)
def test_titles(raw: str, wanted: tuple) -> None:
    assert titles.parse(raw) == wanted


# ---- local time


def part(zone: str, *local: int) -> str:
    """The part of day that a moment of this local time is given, by way of unix seconds."""
    at = np.array([int(datetime(*local, tzinfo=ZoneInfo(zone)).timestamp())])
    hour = (at + localtime.offsets(zone, at)) % 86_400 // 3600
    return TIMES_OF_DAY[localtime.part_of_day(hour)[0]]


@pytest.mark.parametrize(
    ("hour", "minute", "wanted"),
    [(4, 59, "night"), (5, 0, "morning"), (11, 59, "morning"), (12, 0, "afternoon"), (16, 59, "afternoon"), (17, 0, "evening"),
     (20, 59, "evening"), (21, 0, "night"), (0, 0, "night")],
)  # fmt: skip
def test_edges_of_the_parts_of_day(hour: int, minute: int, wanted: str) -> None:
    for month in (1, 7):  # winter and summer
        assert part("America/Los_Angeles", 2000, month, 15, hour, minute) == wanted


def test_daylight_saving_and_two_zones_by_hand(tmp_path: Path) -> None:
    # In 2000 New York moved its clocks at 2 in the night of 2 April (07:00 UTC); Phoenix never does.
    before, after = 954658799, 954658800  # 2000-04-02 06:59:59 and 07:00:00 UTC
    assert localtime.offsets("America/New_York", np.array([before, after])).tolist() == [-5 * 3600, -4 * 3600]
    assert localtime.offsets("America/Phoenix", np.array([before, after])).tolist() == [-7 * 3600, -7 * 3600]
    # 09:30 UTC is 04:30 in New York on 1 April (night) but 05:30 on 3 April (morning); in Phoenix 02:30 on both (night)
    first, third = 954581400, 954754200
    ratings = f"1::10::3::{first}\n1::3::3::{third}\n2::10::3::{first}\n2::3::3::{third}\n5::3::3::{third}\n"
    _, seen = load(ml_1m(tmp_path / "ml-1m", ratings))
    assert [TIMES_OF_DAY[p] if p >= 0 else None for p in seen.times_of_day] == ["night", "morning", "night", "night", None]


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=3), st.sampled_from(["America/New_York", "America/Phoenix", "Pacific/Honolulu"]))
def test_offsets_are_those_of_the_time_zone_database(times: list[int], zone: str) -> None:
    wanted = [datetime.fromtimestamp(t, ZoneInfo(zone)).utcoffset().total_seconds() for t in times]  # type: ignore[union-attr]
    assert localtime.offsets(zone, np.array(times)).tolist() == wanted


@pytest.mark.parametrize(
    ("code", "zone"),
    [("48067", "America/Detroit"), ("98107-2117", "America/Los_Angeles"), ("96813", "Pacific/Honolulu"), ("V5A2B", None), ("", None),
     ("345567", None), ("00000", None), ("12345", None), ("09012", None)],
)  # fmt: skip
def test_zone_of_a_zip_code(code: str, zone: str | None) -> None:
    assert localtime.zone_of(code) == zone


# ---- broken files: (what the ratings file holds, what the message says)


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ("1::10::3::954720000\n1::3::4\n", "ratings.dat line 2: 3 fields in '1::3::4', wanted 4"),
        ("1::10::3::954720000::9\n", "ratings.dat line 1: 5 fields"),
        ("1::10::3::954720000\n1::3::4::954720000::9\n", "ratings.dat line 2: 5 fields"),
        ("9::1::10::3::954720000\n", "ratings.dat line 1: 5 fields"),  # the last four would do
        ("1,10,3,954720000\n", "ratings.dat line 1: 1 fields in '1,10,3,954720000', wanted 4"),
        ("1::10::3::954720000\n\n1::3::3::954720000\n", "ratings.dat line 2: 1 fields in ''"),
        ("1::10::6::954720000\n", "line 1: rating is '6', wanted 1 to 5 stars in steps of 1"),
        ("1::10::0::954720000\n", "line 1: rating is '0'"),
        ("1::10::3::954720000\n1::3::4.5::954720000\n", "line 2: rating is '4.5', wanted 1 to 5 stars in steps of 1"),
        ("1::10::nan::954720000\n", "line 1: rating is 'nan'"),
        ("1::10::::954720000\n", "line 1: rating is ''"),
        ("x::10::3::954720000\n", "line 1: user id is 'x', wanted a whole number >= 1"),
        ("0::10::3::954720000\n", "line 1: user id is '0'"),
        ("1::-4::3::954720000\n", "line 1: film id is -4"),
        ("1::10::3::soon\n", "line 1: time is 'soon'"),
        ("1::10::3::954720000000\n", "line 1: time is 954720000000, wanted unix seconds"),
        ("1::10::3::99999999999999999999\n", "line 1: time is '99999999999999999999'"),
        ("1::10::3::954720000\n1::3::5::954720000\n1::10::3::954720001\n", "line 3: user 1 rates film 10 a second time (first in line 1)"),
        ("1::10::3::1\n1::3::5::1\n1::10::3::2\n1::3::5::2\n1::3::5::3\n", "line 3: user 1 rates film 10 a second time (first in line 1)"),
        ("1::10::3::954720000\n1::11::5::954720000\n", "line 2: film id is 11, wanted one of the film file"),
        ("1::10::3::954720000\n4::10::5::954720000\n", "line 2: user id is 4, wanted one of the user file"),
        ("", "ratings.dat: the file is empty"),
        ("\n \n", "ratings.dat: the file is empty"),
        ("<!DOCTYPE html>\n<html><body>404</body></html>", "ratings.dat line 1: '<!DOCTYPE html>"),
        ("PK\x03\x04\x14", "ratings.dat: the file is a zip archive"),
        ("é::10::3::954720000\n", "line 1: user id is 'é'"),
        ("1\0::\x001\0", "ratings.dat line 1: the encoding is UTF-16 or binary"),
    ],
)
def test_broken_ratings(tmp_path: Path, ratings: str, message: str) -> None:
    with pytest.raises(DataError) as raised:
        load(ml_1m(tmp_path / "ml-1m", ratings))
    assert message in str(raised.value)
    assert "wanted" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("movies", "message"),
    [
        ("10::Postino, Il (1994)\n", "movies.dat line 1: 2 fields"),
        (MOVIES + "10::Again (1994)::Drama\n", "movies.dat line 4: film id 10 stands in line 1 already"),
        ("ten::Postino, Il (1994)::Drama\n", "movies.dat line 1: film id is 'ten'"),
        ("10::  ::Drama\n", "movies.dat line 1: the title is empty"),
        ("10::Heat (1995)::\n", "movies.dat line 1: genres are ''"),
        ("10::Heat (1995)::Drama||War\n", "movies.dat line 1: genres are 'Drama||War'"),
        (MOVIES.encode("utf-8"), "movies.dat line 2: '3::Misérables, Les (1995)::Drama' is saved as UTF-8, wanted the encoding latin-1"),
        (MOVIES.encode("utf-16"), "movies.dat line 1: the encoding is UTF-16"),
        ("<html>", "is the beginning of an HTML page"),
        ("", "movies.dat: the file is empty"),
    ],
)
def test_broken_films(tmp_path: Path, movies: str | bytes, message: str) -> None:
    with pytest.raises(DataError) as raised:
        load(ml_1m(tmp_path / "ml-1m", movies=movies))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("ratings", "movies", "message"),
    [
        ("1,10,0.5\n", None, "ratings.csv line 2: 3 fields"),
        ("1,10,0.5,7\n1,3,2.3,5\n", None, "ratings.csv line 3: rating is '2.3', wanted 0.5 to 5 stars in steps of 0.5"),
        ("1,10,0.5,7\n1,4,2,5\n", None, "ratings.csv line 3: film id is 4"),
        ("1,10,0.5,7,8\n", None, "ratings.csv line 2: 5 fields"),
        ("", None, "ratings.csv line 1: there is a header and nothing else"),
        (None, '10,"Haine, La (1995)\n', "movies.csv line 2: "),
        (None, "10,Haine, La (1995),Drama\n", "movies.csv line 2: 4 fields"),
        (None, "10,Misérables (1995),Drama\n".encode("latin-1"), "movies.csv line 2: '10,Misérables (1995),Drama' is not UTF-8"),
    ],
)
def test_broken_csv(tmp_path: Path, ratings: str | None, movies: str | bytes | None, message: str) -> None:
    folder = ml_csv(tmp_path / "ml", **{k: v for k, v in (("ratings", ratings), ("movies", movies)) if v is not None})
    with pytest.raises(DataError) as raised:
        load(folder)
    assert message in str(raised.value)


def test_wrong_header(tmp_path: Path) -> None:
    folder = ml_csv(tmp_path / "ml")
    (folder / "ratings.csv").write_text("movieId,userId,rating,timestamp\n1,10,3,5\n")
    with pytest.raises(DataError, match=r"ratings.csv line 1: the header is 'movieId,userId,rating,timestamp', wanted userId,movieId"):
        load(folder)


def test_broken_100k(tmp_path: Path) -> None:
    folder = ml_100k(tmp_path / "ml")
    (folder / "u.item").write_text("1|Babe (1995)|01-Jan-1995||http://x|0|0|2\n")
    with pytest.raises(DataError, match=r"u.item line 1: genre flags are '0\|0\|2', wanted 0 or 1"):
        load(folder)


@pytest.mark.parametrize("missing", ["movies.dat", "users.dat"])
def test_missing_file(tmp_path: Path, missing: str) -> None:
    folder = ml_1m(tmp_path / "ml-1m")
    (folder / missing).unlink()
    with pytest.raises(DataError, match=f"{missing} is not there"):
        load(folder)


def test_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there, wanted the folder of a MovieLens data set"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has none of ratings\.dat, u\.data, ratings\.csv"):
        load(tmp_path)
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="is a zip archive, wanted it unpacked"):
        load(tmp_path / "x.zip")
    (tmp_path / "y.zip").write_text("<html>404</html>")
    with pytest.raises(DataError, match="the beginning of an HTML page"):
        load(tmp_path / "y.zip")


# ---- facts from elsewhere, and our own films.csv


def metadata(folder: Path) -> Path:
    folder.mkdir()
    (folder / "imdb_extra.dat").write_text(
        "10::Postino::1994::PG::1 Jan 1994::Drama::Michael Radford, Massimo Troisi(co-director)::W (book)::Philippe Noiret::A plot.::http\n"
        "7::MASH::1970::UNRATED::1 Jan 1970::War::N/A::N/A::N/A::N/A::N/A\n"
    )
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n10,0110877,11010\n")
    (folder / "tmdb_overviews.csv").write_text(
        "MovieID,Title,overview,release_year\n10,Postino (1994),One.,1995\n10,Postino (1994),One.,1994\n10,Postino (1994),Another film.,1983\n"
    )
    (folder / "tmdb_5000_movies.csv").write_text("id,title,runtime\n11010,Il Postino,108.0\n9,No,\n")
    return folder


def test_facts_join(tmp_path: Path) -> None:
    catalog, _ = load(ml_1m(tmp_path / "ml-1m"), metadata(tmp_path / "meta"))
    assert catalog.directors == (("Michael Radford", "Massimo Troisi"), (), ())
    assert catalog.actors == (("Philippe Noiret",), (), ())
    assert catalog.certificates == ("PG", "", "")
    assert catalog.minutes[0] == 108
    assert np.isnan(catalog.minutes[1:]).all()
    assert (catalog.imdb_ids[0], catalog.tmdb_ids[0]) == (110877, 11010)
    assert catalog.text == ("One.\nA plot.", "", "")  # the overview once, and not that of 1983
    assert catalog.genres_of(0) == ("Drama", "Romance")  # MovieLens's own


def test_films_csv_there_and_back_without_prose(tmp_path: Path) -> None:
    catalog, _ = load(ml_1m(tmp_path / "ml-1m"), metadata(tmp_path / "meta"))
    path = tmp_path / "films.csv"
    write_films(catalog, path)
    again = read_films(path)
    for name in ("ids", "years", "genres", "minutes", "imdb_ids", "tmdb_ids"):
        np.testing.assert_array_equal(getattr(again, name), getattr(catalog, name))
    for name in ("titles", "genre_names", "directors", "actors", "certificates", "also"):
        assert getattr(again, name) == getattr(catalog, name)
    assert again.text == ()
    assert "plot" not in path.read_text()
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["films.csv"]
    from_films, _ = load(tmp_path / "ml-1m", path)  # films.csv can stand in for the folder
    assert from_films.directors == catalog.directors
    assert from_films.text == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("10,Il Postino,1994,Drama", "films.csv line 2: 4 fields"),
        ("x,Il Postino,1994,Drama,,,PG,108,1,2,", "films.csv line 2: id is 'x'"),
        ("10,,1994,Drama,,,PG,108,1,2,", "films.csv line 2: the title is empty"),
        ("10,Il Postino,94a,Drama,,,PG,108,1,2,", "films.csv line 2: year is '94a'"),
        ("10,Il Postino,1994,Drama||War,,,PG,108,1,2,", "films.csv line 2: 'Drama||War' has an empty value"),
        ("10,Il Postino,1994,Drama,,,FSK,108,1,2,", "films.csv line 2: certificate is 'FSK', wanted one of G, PG"),
        ("10,Il Postino,1994,Drama,,,PG,long,1,2,", "films.csv line 2: minutes is 'long'"),
        ("10,A,,,,,,,,,\n10,B,,,,,,,,,", "films.csv line 3: film id 10 stands twice"),
        ("", "films.csv: there is no film in it"),
    ],
)
def test_broken_films_csv(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "films.csv"
    path.write_text("id,title,year,genres,directors,actors,certificate,minutes,imdb,tmdb,also\n" + row)
    with pytest.raises(DataError) as raised:
        read_films(path)
    assert message in str(raised.value)


def test_the_committed_catalogue() -> None:
    catalog = read_films(settings().films)
    assert len(catalog) == 3883
    assert catalog.titles[catalog.index(2571)] == "The Matrix"
    assert "Children's" in catalog.genre_names
    assert len(catalog.genre_names) == 18
    told = (ROOT / "data" / "README.md").read_text()  # the numbers there are those of the file
    columns = (catalog.directors, catalog.certificates, np.isfinite(catalog.minutes), catalog.imdb_ids)
    known = (sum(map(bool, column)) for column in columns)
    for number, what in zip(known, ("have a director", "a US certificate", "a running time", "a number at IMDb")):
        assert f"{number:,} {what}" in " ".join(told.split())


# ---- the real sets, where somebody fetched them


def real(name: str) -> Path:
    for folder in (settings().raw / name, ROOT.parent / "shared" / "data" / name):
        if folder.is_dir():
            return folder
    pytest.skip(f"{name} is not here; `python -m recommender fetch --dataset {name}` gets it")


@pytest.mark.data
def test_real_ml_1m() -> None:
    catalog, seen = load(real("ml-1m"))
    assert (len(catalog), seen.n_users, len(seen)) == (3883, 6040, 1_000_209)
    assert (seen.raters > 0).sum() == 3706
    assert np.bincount(seen.ratings.astype(int))[1:].tolist() == [56174, 107557, 261197, 348971, 226310]
    assert (seen.times.min(), seen.times.max()) == (956703932, 1046454590)
    assert 0.95 < (seen.times_of_day >= 0).mean() < 1
    assert catalog.ids.tolist() == read_films(settings().films).ids.tolist()


@pytest.mark.data
def test_real_ml_100k() -> None:
    catalog, seen = load(real("ml-100k"))
    assert (len(catalog), seen.n_users, len(seen), len(catalog.genre_names)) == (1682, 943, 100_000, 18)


@pytest.mark.data
def test_real_latest_small() -> None:
    catalog, seen = load(real("ml-latest-small"))
    assert len(catalog) > 9000
    assert len(seen) > 100_000
    assert seen.ratings.min() == 0.5
    assert set(seen.times_of_day) == {-1}
