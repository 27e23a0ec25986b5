"""The catalogue: its laws, and finding films by what people type."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import names
from recommender.catalog import Catalog
from recommender.load import read_films
from recommender.names import Names, plain
from recommender.settings import settings

REAL = read_films(settings().films)
PLAIN = Counter((plain(title), year) for title, year in zip(REAL.titles, REAL.years))


def small(*titles: str, years: tuple[int, ...] = (), **rest) -> Catalog:
    n = len(titles)
    none, zero = ((),) * n, np.zeros(n, int)
    facts = {
        "ids": np.arange(n) + 10, "titles": titles, "years": np.array(years or (0,) * n), "genres": np.zeros((n, 2), bool),
        "genre_names": ("Comedy", "War"), "directors": none, "actors": none, "certificates": ("",) * n, "minutes": zero * np.nan,
        "imdb_ids": zero, "tmdb_ids": zero,
    }  # fmt: skip
    return Catalog(**(facts | rest))


def found(words: str, k: int = 5) -> list[str]:
    return [f"{REAL.titles[i]} ({REAL.years[i]})" for i in REAL.search(words, k=k)]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("godfahter", "The Godfather (1972)"),
        ("godfather 2", "The Godfather: Part II (1974)"),
        ("matrx", "The Matrix (1999)"),
        ("the matrix", "The Matrix (1999)"),
        ("MATRIX, the", "The Matrix (1999)"),
        ("toy stroy 2", "Toy Story 2 (1999)"),
        ("terminator 2", "Terminator 2: Judgment Day (1991)"),
        ("2001", "2001: A Space Odyssey (1968)"),
        ("M*A*S*H", "M*A*S*H (1970)"),
        ("mash", "M*A*S*H (1970)"),
        ("seven samuri", "Seven Samurai (1954)"),
        ("starwars", "Star Wars: Episode IV - A New Hope (1977)"),
        ("schindlers list", "Schindler's List (1993)"),
        ("la confidential", "L.A. Confidential (1997)"),
        ("dumb and dumber", "Dumb & Dumber (1994)"),
        ("shawshank redemtion", "The Shawshank Redemption (1994)"),
        ("silence lambs", "The Silence of the Lambs (1991)"),
        ("ghostbsuters", "Ghostbusters (1984)"),
        ("psycho 1960", "Psycho (1960)"),
        ("das boot", "The Boat (1981)"),  # another title
        ("la haine", "Hate (1995)"),
        ("les miserables", "Les Misérables (1998)"),  # accents
        ("empire strikes", "Star Wars: Episode V - The Empire Strikes Back (1980)"),
        ("shawsh", "The Shawshank Redemption (1994)"),  # unfinished
    ],
)
def test_titles_are_found(words: str, first: str) -> None:
    assert found(words)[0] == first


@pytest.mark.parametrize(("words", "person"), [("spielburg", "Steven Spielberg"), ("hitchcok", "Alfred Hitchcock"), ("kubrick", "Stanley Kubrick")])
def test_directors_are_found(words: str, person: str) -> None:
    films = REAL.search(words, k=10)
    assert sum(person in REAL.directors[i] for i in films) >= len(films) - 1
    assert len(films) >= 8


def test_a_persons_films_come_newest_first() -> None:
    years = [REAL.years[i] for i in REAL.search("tom hanks", k=8)]
    assert years == sorted(years, reverse=True)


@pytest.mark.parametrize("words", ["", "   ", "?!", "qxzqxz", "\0", "кино"])
def test_nothing_is_found_for_nothing(words: str) -> None:
    assert REAL.search(words) == []


@pytest.mark.parametrize("words", ["matrx", "a " * 500, "x" * 5000, "how i learned to stop worrying and love the bomb " * 200])
def test_a_search_compares_so_many_words_and_no_more(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its work is bounded, whatever is typed: titles and people, each compared as a whole once, and with the first words one by one."""
    rows: list[int] = []
    cdist = names.process.cdist
    monkeypatch.setattr(names.process, "cdist", lambda asked, *known, **how: (rows.append(len(asked)), cdist(asked, *known, **how))[1])
    REAL.search(words)
    assert rows == [1, min(len(words.split()), names._MOST_WORDS)] * 2


@given(st.text(max_size=40))
def test_any_text_can_be_searched(words: str) -> None:
    films = REAL.search(words, k=7)
    assert len(films) == len(set(films)) <= 7


@given(st.sampled_from(range(len(REAL))))
def test_every_title_finds_itself_with_its_year(item: int) -> None:
    title = f"{REAL.titles[item]} ({REAL.years[item]})"
    if PLAIN[plain(REAL.titles[item]), REAL.years[item]] == 1:
        assert REAL.named(title) == item
    assert item in REAL.search(REAL.titles[item], k=20)


def test_named() -> None:
    catalog = small("The Matrix", "Cinderella", "Cinderella", "The Boat", years=(1999, 1950, 1997, 1981), also=((), (), (), ("Das Boot",)))
    for title in ("The Matrix", "the matrix (1999)", "matrix", " MATRIX (1999) "):
        assert catalog.named(title) == 0
    assert catalog.named("Cinderella (1997)") == 2
    assert catalog.named("das boot") == 3
    with pytest.raises(KeyError, match=r"'Cinderella' names 2 films, add the year: Cinderella \(1950\); Cinderella \(1997\)"):
        catalog.named("Cinderella")
    with pytest.raises(KeyError, match=r"'The Matrx' is not in the catalogue; did you mean: The Matrix \(1999\)"):
        catalog.named("The Matrx")
    with pytest.raises(KeyError, match=r"'The Matrix \(1998\)' is not in the catalogue; did you mean: The Matrix \(1999\)"):
        catalog.named("The Matrix (1998)")
    with pytest.raises(KeyError) as raised:
        catalog.named("qqqq")
    assert raised.value.args == ("title 'qqqq' is not in the catalogue",)


def test_a_title_of_its_own_wins_over_another_films_other_title() -> None:
    catalog = small("The Killer", "Killer", also=((), ("The Killer",)))
    assert catalog.named("The Killer") == 0
    assert catalog.named("Killer") == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("Amélie", "amelie"), ("M*A*S*H", "mash"), ("Part II", "part 2"), ("Schindler's List", "schindlers list"), ("Dumb & Dumber", "dumb and dumber"),
     ("  8½  ", "8 1 2"), ("X-Men", "x men"), ("E.T. the", "et the"), ("", "")],
)  # fmt: skip
def test_plain(text: str, wanted: str) -> None:
    assert plain(text).replace("81 2", "8 1 2") == wanted


def test_likeness_by_hand() -> None:
    names = Names(["Heat", "The Heat", "Dead Heat", "Cold"])
    # "heat": exactly the first; all of the second but its article, 100 + 3, at most 100; half of the third, 100 * (0.85 + 0.15 * 4/8)
    np.testing.assert_allclose(names.likeness("heat"), [101, 100, 92.5, 0], atol=1e-4)
    # "haet": one swap in four letters, 75; as a whole "haet" and "heat" share three of four, 0.95 * 75; "deadheat" is longer, 75 * 0.925
    np.testing.assert_allclose(names.likeness("haet")[:3], [75, 75, 69.375], atol=1e-4)
    # "dead" begins "Dead Heat": 100 * (0.85 + 0.15 * 4/8) + 3
    assert names.likeness("dead")[2] == pytest.approx(95.5)
    # "the" weighs 1 against 4 of "cold", and is all that fits
    assert names.likeness("the cold")[1] == pytest.approx(20)
    # no word fits, but the whole does
    assert names.likeness("co ld")[3] == pytest.approx(95)
    assert not names.likeness("").any()
    assert Names([]).likeness("heat").shape == (0,)


def test_index_and_genres() -> None:
    catalog = small("A", "B", genres=np.array([[True, True], [False, True]]))
    assert catalog.index(11) == 1
    assert catalog.genres_of(0) == ("Comedy", "War")
    assert catalog.genre("war") == 1
    with pytest.raises(KeyError, match="film id 99 is not in the catalogue of 2 films"):
        catalog.index(99)
    with pytest.raises(KeyError, match="genre 'Wars' is unknown, wanted one of Comedy, War"):
        catalog.genre("Wars")


def test_allowed() -> None:
    catalog = small("A", "B", "C", "D", certificates=("G", "PG-13", "", "R"))
    assert catalog.allowed(None).all()
    assert catalog.allowed("PG-13").tolist() == [True, True, False, False]  # what nobody rated is not for a child
    with pytest.raises(ValueError, match="certificate is 'X', wanted one of G"):
        catalog.allowed("X")


def test_people() -> None:
    catalog = small("A", "B", directors=(("Ann",), ("Bob",)), actors=(("Ann", "Cid"), ("Ann",)))
    assert catalog.people == {"Ann": (0, 1), "Cid": (0,), "Bob": (1,)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"titles": ("A",)}, "titles has 1 rows, ids has 2; wanted equal numbers"),
        ({"text": ("x",)}, "text has 1 rows, ids has 2"),
        ({"also": ((),)}, "also has 1 rows, ids has 2"),
        ({"ids": np.array([5, 5])}, "film id 5 stands 2 times, wanted once"),
        ({"genres": np.zeros((2, 3), bool)}, r"genres has shape \(2, 3\), wanted \(2, 2\)"),
    ],
)
def test_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(small("A", "B"), **change)
