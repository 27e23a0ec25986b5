"""A film history that is brought along: what is stored of it, that nothing is stored twice, that all of it can be taken back; and the command."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from recommender.__main__ import app, main
from recommender.catalog import Catalog
from recommender.load import read_films
from recommender.load.exports import Entry, ExportError, read_export, together
from recommender.load.matching import Choice, Match, Matching, Unclear
from recommender.serve import arrivals
from recommender.serve.arrivals import Arrival, arrival, imports, take_back, within
from recommender.serve.events import Event, fold
from recommender.serve.feedback import Feedback
from recommender.serve.viewers import Viewer
from recommender.settings import settings
from recommender.types import Profile

IDS = np.array([10, 20, 30, 40])
MAY_2, NOW = 1714608000, 1_800_000_000.0


def matched(*pairs: tuple[int, Entry]) -> Matching:
    return Matching(tuple(Match(entry, item, "imdb", 100.0) for item, entry in pairs))


def rated(stars: float, at: int = MAY_2) -> Entry:
    return Entry("x", 1990, stars=stars, at=at, kind="rating")


ALL = matched((0, rated(4.5)), (1, Entry("y", at=MAY_2 - 5, kind="watched")), (2, Entry("z", kind="list")))


def brought(events: list[Event], matching: Matching = ALL, service: str = "letterboxd", now: float = NOW) -> Arrival:
    return arrival("vera", events, service, matching, IDS, now)


def test_each_kind_of_entry_becomes_its_event_with_its_time() -> None:
    new = brought([])
    assert [(e.kind, e.film, e.stars, e.at) for e in new.events] == [
        ("watched", 20, None, MAY_2 - 5),
        ("rating", 10, 4.5, MAY_2),
        ("list", 30, None, NOW),  # the file names no time
    ]
    assert {(e.note["from"], e.note["import"], e.note["on"]) for e in new.events} == {("letterboxd", new.id, NOW)}


def test_the_same_file_twice_adds_nothing() -> None:
    events = list(brought([]).events)
    again = brought(events, now=NOW + 1)
    assert (again.events, again.known) == ((), 3)


def test_a_film_on_the_list_or_watched_already_is_not_stored_again() -> None:
    events = [Event("vera", "list", 30), Event("vera", "watched", 20)]
    again = brought(events)
    assert [e.kind for e in again.events] == ["rating"]
    assert again.known == 2


def test_other_stars_are_stored_and_stand_also_those_of_another_viewer_or_service() -> None:
    first = brought([], matched((0, rated(4.5))))
    later = brought(list(first.events), matched((0, rated(2.0, MAY_2 + 86_400))))
    assert fold([*first.events, *later.events]).opinions[10].stars == 2.0
    other = arrival("mia", [], "letterboxd", matched((0, rated(4.5))), IDS, NOW)
    imdb = brought([], matched((0, rated(4.5))), "imdb")
    assert len({first.events[0].id, later.events[0].id, other.events[0].id, imdb.events[0].id}) == 4


@pytest.mark.parametrize("said_at, at, stays", [(MAY_2 + 1, MAY_2, True), (MAY_2 - 1, MAY_2, False), (MAY_2, 0, True)])
def test_what_was_said_here_later_stays(said_at: float, at: int, stays: bool) -> None:
    said = Event("vera", "dislike", 10, at=said_at)
    new = brought([said], matched((0, rated(5.0, at))))
    assert (len(new.events), new.kept) == ((0, 1) if stays else (1, 0))
    assert fold([said, *new.events]).opinions[10].kind == ("dislike" if stays else "rating")


def test_an_import_taken_back_leaves_everything_as_it_was_and_can_be_made_again() -> None:
    before = [Event("vera", "like", 20, at=MAY_2 - 100), Event("vera", "rating", 10, stars=1.0, at=MAY_2 - 100), Event("vera", "hide", 40)]
    events = [*before, *brought(before).events]
    [found] = imports(events)
    assert (found.service, found.at, len(found.events), len(found.stands)) == ("letterboxd", NOW, 3, 3)
    events += take_back(found)
    assert fold(events) == fold(before)
    assert imports(events)[0].stands == ()
    again = brought(events, now=NOW + 9)
    assert len(again.events) == 3
    assert not {e.id for e in again.events} & {e.id for e in events}
    events += again.events
    assert fold(events).opinions[10].stars == 4.5
    assert [i.at for i in imports(events)] == [NOW + 9, NOW]  # the latest first
    assert brought(events).events == ()


def test_one_film_taken_back_by_hand_is_no_longer_part_of_the_import() -> None:
    events = list(brought([]).events)
    events.append(Event("vera", "undo", target=events[0].id))
    [found] = imports(events)
    assert len(found.events) == 3
    assert {e.target for e in take_back(found)} == {e.id for e in events[1:3]}


def test_nothing_over_the_limit_comes_in_nor_is_it_offered() -> None:
    unclear = (Unclear(rated(3.0), (Choice(1, 90.0), Choice(3, 85.0))), Unclear(rated(4.0), (Choice(3, 99.0),)))
    found, over = within(replace(ALL, unclear=unclear), np.array([True, True, False, False]))
    assert ([m.item for m in found.matched], over) == ([0, 1], 2)  # film 30 and the entry that can only mean film 40
    assert [[c.item for c in u.choices] for u in found.unclear] == [[1]]
    everything, none = within(replace(ALL, unclear=unclear), np.ones(4, bool))
    assert (everything, none) == (replace(ALL, unclear=unclear), 0)


HEAD = "Date,Name,Year,Letterboxd URI"


def test_several_files_of_one_person_are_one_and_the_rating_stands() -> None:
    ratings = read_export(f"{HEAD},Rating\n2024-05-02,Heat,1995,https://x,4.5\n".encode(), "ratings.csv")
    watched = read_export(f"{HEAD}\n2024-05-02,Heat,1995,https://x\n2024-05-03,Alien,1979,https://y\n".encode(), "watched.csv")
    for pair in ((ratings, watched), (watched, ratings)):
        both = together(pair)
        assert {(e.title, e.kind, e.stars) for e in both.entries} == {("Heat", "rating", 4.5), ("Alien", "watched", None)}
        assert both.rows == len(both.entries) + both.repeated + both.unread == 3
    imdb = read_export(b"Const,Your Rating,Title,Year\ntt1,7,Heat,1995\n", "imdb.csv")
    with pytest.raises(ExportError, match="they come from imdb and letterboxd, wanted one service at a time"):
        together([ratings, imdb])


# -- the command ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Feedback:
    """The store that the command opens."""
    monkeypatch.setattr(settings(), "database_url", f"sqlite:///{tmp_path / 'f.sqlite'}")
    return Feedback.open(settings().database_url)


@pytest.fixture(scope="module")
def films() -> Catalog:
    return read_films(settings().films)


@pytest.fixture
def history(tmp_path: Path) -> str:
    """Two films of the catalogue, one of them R; one whose year is unclear; one made after the data end; one broken line."""
    path = tmp_path / "ratings.csv"
    lines = ["2024-05-02,Babe,1995,https://a,4.5", "2024-05-03,Alien,1979,https://b,5", "2024-05-04,Hamlet,,https://c,3"]
    path.write_text("\n".join([f"{HEAD},Rating", *lines, "2024-05-05,Inception,2010,https://d,4", "2024-05-05,Fargo,1996,https://e,eleven"]))
    return str(path)


def command(*words: str):
    return CliRunner().invoke(app, ["import", *words])


def test_the_command_stores_once_and_says_what_became_of_every_line(kept: Feedback, films: Catalog, history: str) -> None:
    done = command("--viewer", "vera", "--from", history)
    assert done.exit_code == 0, done.output
    for said in (
        "2 found in the catalogue",
        "1 unclear",
        "1 not in the catalogue, which ends in 2000",
        "Inception (2010)",
        "line 6: rating is 'eleven'",
    ):
        assert said in done.output
    assert done.output.endswith("2 stored\n")
    assert {films.titles[films.index(film)]: o.stars for film, o in kept.taste("vera").opinions.items()} == {"Babe": 4.5, "Alien": 5.0}
    assert command("--viewer", "vera", "--from", history).output.endswith("0 stored\n")


def test_a_dry_run_stores_nothing_and_first_takes_the_likeliest(kept: Feedback, films: Catalog, history: str) -> None:
    said = json.loads(command("--viewer", "vera", "--from", history, "--dry-run", "--unclear", "first", "--json").stdout)
    assert kept.events("vera") == []
    assert (said["stored"], said["new"], said["unread"], len(said["absent"])) == (0, 3, 1, 1)
    assert sorted(m["title"] for m in said["matched"]) == ["Alien", "Babe", "Hamlet"]
    assert [m["how"] for m in said["matched"] if m["title"] == "Hamlet"] == ["by hand"]


def test_a_child_gets_no_film_over_the_limit_and_hears_of_none(kept: Feedback, films: Catalog, history: str) -> None:
    said = command("--viewer", "mia", "--from", history, "--unclear", "first", "--json")
    assert "Alien" not in said.stdout
    assert json.loads(said.stdout)["limit"] == "PG"
    allowed = films.allowed("PG")
    stored = [event.film for event in kept.events("mia")]
    assert films.ids[[films.titles.index("Babe")]].item() in stored
    assert all(allowed[films.index(film)] for film in stored)
    assert json.loads(said.stdout)["over_limit"] >= 1


def test_an_own_viewer_with_a_limit_is_held_to_it_too(kept: Feedback, films: Catalog, history: str) -> None:
    kept.add_viewer(Viewer("me-0123456789ab", "Pip", "Small", {"shape": "fox", "hue": 20}, Profile(), "G"))
    command("--viewer", "Pip", "--from", history, "--unclear", "first")
    assert [films.titles[films.index(e.film)] for e in kept.events("me-0123456789ab")] == ["Babe"]


@pytest.mark.parametrize("content, said", [(b"", "it is empty"), (b"%PDF-1.7", "a PDF"), (b"a,b\n1,2\n", "the columns are 'a,b'")])
def test_what_is_no_export_is_one_line(kept: Feedback, tmp_path: Path, monkeypatch, capsys, content: bytes, said: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["recommender", "import", "--viewer", "vera", "--from", str(tmp_path / "x.csv")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
    assert kept.events("vera") == []


def test_the_services_are_those_that_files_are_read_of() -> None:
    assert set(arrivals.SERVICES) == {"letterboxd", "imdb", "trakt"}
