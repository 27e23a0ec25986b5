"""A viewer as they are now: what they said counts at once, what they set moves scores by reasons that sum, a restart loses nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.catalog import Catalog
from recommender.serve.events import NO_TASTE, Event, fold, note_of
from recommender.serve.feedback import Feedback
from recommender.serve.logbook import Page
from recommender.serve.service import Service
from recommender.serve.tastes import served
from recommender.serve.viewers import Viewer
from recommender.types import Context, Home, Preferences, Profile, Query
from recommender.ui import sign

EVENING = Context("evening", "tv")
ALIEN, ALIENS, MATRIX, TOY_STORY = 1214, 1200, 2571, 1


@pytest.fixture
def desk(service: Service, tmp_path) -> Service:
    """The desk over a store of its own."""
    return replace(service, feedback=Feedback.open(f"sqlite:///{tmp_path / 'said.sqlite'}"), people={})


def home(desk: Service, name: str) -> Home:
    viewer = desk.person(name)
    return desk.home(viewer, desk.query(viewer, EVENING))


def shown(made: Home) -> list[int]:
    return [r.item for c in made.carousels for r in c.recommendations]


def prefer(desk: Service, name: str, **wanted) -> None:
    desk.record([Event(name, "prefer", note=note_of(Preferences(**wanted)))])


def at(catalog: Catalog, *films: int) -> list[int]:
    return [catalog.index(film) for film in films]


# -- the viewer --------------------------------------------------------------------------------------------------------


def test_who_said_nothing_keeps_their_ratings_and_every_film_speaks_as_the_settings_say(service: Service) -> None:
    for base in service.viewers.values():
        found = served(base, NO_TASTE, service.catalog, service.settings)
        assert found.profile.items.tolist() == base.profile.items.tolist()
        assert found.profile.ratings.tolist() == base.profile.ratings.tolist()
        s = service.settings
        by_hand = [s.love_weight if r >= 5 else s.like_weight if r >= 3 else s.dislike_weight if r <= 2 else 0.0 for r in base.profile.ratings]
        assert found.profile.weights.tolist() == pytest.approx(by_hand)


def test_the_last_word_counts_instead_of_the_rating_and_stands_last(service: Service) -> None:
    catalog, walter = service.catalog, service.viewers["walter"]
    first, second = (int(catalog.ids[i]) for i in walter.profile.items[:2])
    said = [
        Event("walter", "rating", first, stars=1.0, at=100.0),
        Event("walter", "watched", second, at=50.0),
        Event("walter", "love", ALIEN, at=200.0),
    ]
    found = served(walter, fold(said), catalog, service.settings)
    assert found.profile.items[-3:].tolist() == at(catalog, second, first, ALIEN)  # by time of saying
    assert found.profile.ratings[-3:].tolist() == [3.5, 1.0, 5.0]
    assert found.profile.weights[-3:].tolist() == pytest.approx([0.5, service.settings.dislike_weight, service.settings.love_weight])
    assert len(found.profile) == len(walter.profile) + 1


def test_an_opinion_says_more_than_that_a_film_was_watched(service: Service) -> None:
    said = [Event("sam", "love", ALIEN, at=1.0), Event("sam", "watched", ALIEN, at=2.0)]
    assert served(service.viewers["sam"], fold(said), service.catalog, service.settings).profile.ratings.tolist() == [5.0]


def test_films_over_the_limit_or_of_no_catalogue_are_passed_over(service: Service) -> None:
    said = [Event("mia", kind, film) for kind in ("love", "hide", "list", "unuse") for film in (MATRIX, 99_999_999)]
    mia = service.viewers["mia"]
    found = served(mia, fold(said), service.catalog, service.settings)
    assert len(found.profile) == len(mia.profile)
    assert (found.hidden, found.listed, found.unused) == (frozenset(), (), frozenset())


def test_preferences_that_mean_nothing_here_are_passed_over(service: Service) -> None:
    wanted = Preferences(genres=(("Polka", 1.0), ("Comedy", 1.0)), without=("Nobody Whatever",), model="oracle", groups=((999, 1.0),))
    found = served(service.viewers["vera"], fold([Event("vera", "prefer", note=note_of(wanted))]), service.catalog, service.settings)
    assert (found.preferences.genres, found.preferences.without) == ((("Comedy", 1.0),), ())
    assert service.home(found, service.query(found, EVENING)).strategy.route == "collaborative"


# -- what it does to the rows ------------------------------------------------------------------------------------------


def test_a_new_rating_changes_the_rows_at_once_and_no_model(desk: Service) -> None:
    before = home(desk, "kenji")
    learned = {name: [id(v) for v in vars(model).values() if isinstance(v, np.ndarray)] for name, model in desk.models.items()}
    film = before.carousels[0].recommendations[0].item
    desk.record([Event("kenji", "dislike", int(desk.catalog.ids[film]))])
    after = home(desk, "kenji")
    again = {r.item for c in after.carousels if c.key == "again" for r in c.recommendations}
    assert film not in set(shown(after)) - again
    assert [r.item for r in after.carousels[0].recommendations] != [r.item for r in before.carousels[0].recommendations][1:]
    assert learned == {name: [id(v) for v in vars(model).values() if isinstance(v, np.ndarray)] for name, model in desk.models.items()}


def test_a_dislike_lowers_the_films_nearest_to_it(desk: Service) -> None:
    vera, ease = desk.person("vera"), desk.models["ease"]
    item = desk.catalog.index(ALIEN)
    near = np.argsort(-ease.weights_[[item]].toarray()[0])[:10]
    before = ease.score([desk.query(vera, EVENING)])[0]
    desk.record([Event("vera", "dislike", ALIEN)])
    after = ease.score([desk.query(desk.person("vera"), EVENING)])[0]
    assert (after[near] < before[near]).all()


def test_enough_words_lead_from_popular_films_to_personal_ones(desk: Service) -> None:
    films = [int(desk.catalog.ids[i]) for i in desk.viewers["vera"].profile.items[:15]]
    ways = []
    for film in films:
        ways.append(home(desk, "sam").strategy.route)
        desk.record([Event("sam", "like", film)])
    assert [len(list(same)) for _, same in itertools.groupby(ways)] == [8, 7]
    assert home(desk, "sam").strategy.route == "collaborative"


def test_hidden_films_stay_away_and_unused_ones_are_seen_but_not_told(desk: Service) -> None:
    film = home(desk, "vera").carousels[0].recommendations[0].item
    casablanca = desk.catalog.index(912)
    desk.record([Event("vera", "hide", int(desk.catalog.ids[film])), Event("vera", "unuse", 912)])
    vera = desk.person("vera")
    made = home(desk, "vera")
    assert film not in shown(made)
    assert casablanca not in desk.query(vera, EVENING).profile.items
    assert casablanca in vera.profile.items
    assert casablanca not in {r.item for c in made.carousels if c.key != "again" for r in c.recommendations}


def test_the_watch_list_and_what_is_seen_are_left_out_or_shown_as_wanted(desk: Service) -> None:
    film = home(desk, "vera").carousels[0].recommendations[0].item
    desk.record([Event("vera", "list", int(desk.catalog.ids[film]))])
    assert film in shown(home(desk, "vera"))
    prefer(desk, "vera", listed=False)
    assert film not in shown(home(desk, "vera"))
    prefer(desk, "vera", seen=True)
    seen = set(desk.person("vera").profile.items.tolist())
    assert seen & {r.item for c in home(desk, "vera").carousels if c.key != "again" for r in c.recommendations}


SET = [
    {"genres": (("Comedy", 1.5), ("Crime", -1.0))},
    {"decades": ((1990, 2.0),)},
    {"adventure": 1.0},
    {"adventure": -1.0, "variety": 0.5},
    {"without": ("Alfred Hitchcock",)},
    {"groups": ((0, 1.0), (3, -1.0))},
    {"model": "als", "genres": (("Drama", 0.5),), "without": ("Humphrey Bogart",)},
]


@pytest.mark.parametrize("wanted", SET)
@pytest.mark.parametrize("name", ["sam", "leila", "walter", "vera"])
def test_what_is_set_by_hand_is_among_the_reasons_and_they_still_sum(desk: Service, name: str, wanted: dict) -> None:
    prefer(desk, name, **wanted)
    viewer = desk.person(name)
    query, made = desk.query(viewer, EVENING), home(desk, name)
    for carousel in made.carousels:
        for r in carousel.recommendations:
            if r.model not in ("sequence",):
                assert r.explanation.total == pytest.approx(r.score, abs=1e-4 * max(1, abs(r.score))), (carousel.key, r.model)
    first = made.carousels[0].recommendations[0]
    found = desk.details(viewer, query, first.item, first.model, made.carousels[0].key)
    assert sum(points for _, points in found.contributions) == pytest.approx(found.recommendation.score, abs=1e-4)
    assert ("settings" in dict(found.contributions)) == (set(wanted) != {"model"})


def test_each_setting_moves_the_first_row_where_it_says(desk: Service) -> None:
    catalog = desk.catalog

    def first_row() -> np.ndarray:
        return np.array([r.item for r in home(desk, "vera").carousels[0].recommendations])

    plain = first_row()
    comedy = catalog.genres[:, catalog.genre("Comedy")]
    prefer(desk, "vera", genres=(("Comedy", 2.0),))
    assert comedy[first_row()].mean() > comedy[plain].mean()
    prefer(desk, "vera", adventure=1.0)
    assert np.median(catalog.raters[first_row()]) < np.median(catalog.raters[plain])
    prefer(desk, "vera", adventure=-1.0)
    assert np.median(catalog.raters[first_row()]) > np.median(catalog.raters[plain])
    prefer(desk, "vera", decades=((1990, 2.0),))
    assert (catalog.years[first_row()] >= 1990).mean() > (catalog.years[plain] >= 1990).mean()
    prefer(desk, "vera", variety=1.0)
    varied = catalog.genres[first_row()].astype(float)
    alike = catalog.genres[plain].astype(float)
    cosine = lambda g: float(np.mean(np.corrcoef(g + 1e-9 * np.arange(g.shape[1]))))
    assert cosine(varied) < cosine(alike)
    prefer(desk, "vera")
    assert first_row().tolist() == plain.tolist()


def test_a_chosen_model_makes_the_first_row(desk: Service) -> None:
    prefer(desk, "vera", model="ease")
    made = home(desk, "vera")
    assert {r.model for r in made.carousels[0].recommendations} == {"ease"}
    assert made.strategy.weights == {"ease": 1.0}
    vera = desk.person("vera")
    scores = desk.models["ease"].score([desk.query(vera, EVENING)])[0]
    assert made.carousels[0].recommendations[0].score == pytest.approx(scores[made.carousels[0].recommendations[0].item])


def test_a_person_switched_off_is_no_reason_any_more(desk: Service) -> None:
    spoken = lambda: [r.subject for c in home(desk, "vera").carousels for f in c.recommendations for r in f.explanation.reasons if r.kind == "person"]
    before = spoken()
    assert "Humphrey Bogart" in before
    prefer(desk, "vera", without=("Humphrey Bogart",))
    rows = home(desk, "vera").carousels
    assert "Humphrey Bogart" not in spoken()
    assert not any("Humphrey Bogart" in c.title or any("Humphrey Bogart" in r.sentence for r in c.recommendations) for c in rows)


# -- storing -----------------------------------------------------------------------------------------------------------


def test_everything_is_back_after_a_restart(service: Service, tmp_path) -> None:
    address = f"sqlite:///{tmp_path / 'said.sqlite'}"
    first = replace(service, feedback=Feedback.open(address), people={})
    first.record([Event("vera", "love", ALIEN), Event("vera", "hide", MATRIX), Event("vera", "list", TOY_STORY), Event("vera", "unuse", 912)])
    prefer(first, "vera", adventure=0.5)
    before, page = first.person("vera"), home(first, "vera")
    first.feedback.close()
    then = replace(service, feedback=Feedback.open(address), people={})
    after = then.person("vera")
    assert (after.hidden, after.listed, after.unused, after.preferences) == (before.hidden, before.listed, before.unused, before.preferences)
    assert after.profile.items.tolist() == before.profile.items.tolist()
    assert shown(home(then, "vera")) == shown(page)


def test_what_cannot_be_meant_is_not_stored(desk: Service) -> None:
    for event, error in (
        (Event("mia", "love", MATRIX), "over the limit of Mia"),
        (Event("vera", "love", 99_999_999), "film id 99999999 is not in the catalogue"),
        (Event("mia", "impression", MATRIX), "over the limit of Mia"),
        (Event("nobody", "love", ALIEN), "viewer 'nobody' is unknown"),
        (Event("nobody", "impression", ALIEN), "viewer 'nobody' is unknown"),
        (Event("me-gone", "vote"), "viewer 'me-gone' is unknown"),
        (Event("me-gone", "prefer", note=note_of(Preferences())), "viewer 'me-gone' is unknown"),
    ):
        with pytest.raises((KeyError, ValueError), match=error):
            desk.record([event])
        assert desk.feedback.events(event.viewer) == []


def test_one_page_left_open_stores_nothing_of_a_viewer_who_was_forgotten(desk: Service) -> None:
    desk.feedback.add_viewer(own := Viewer("me-1", "Ada", "made here", {"shape": "owl", "hue": 10}, Profile(), None))
    page = Page(desk.catalog, home(desk, own.id).carousels)
    assert desk.record(page.impressions(own.id, {}))
    desk.feedback.forget(own.id)
    with pytest.raises(KeyError, match="viewer 'me-1' is unknown"):
        desk.record(page.impressions(own.id, {}))
    assert desk.feedback.export(own.id) == {"viewer": own.id, "person": None, "events": []}


def test_a_part_of_a_page_whose_viewer_was_deleted_asks_for_the_whole_page(desk: Service, monkeypatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sign.st, "rerun", lambda: asked.append("whole"))
    sign.stored(lambda: desk.person("me-gone"))()
    assert asked == ["whole"]
    sign.stored(lambda: {}["another"])()  # no viewer is missed: the part alone says that it failed
    assert asked == ["whole"]


@pytest.mark.parametrize("name", ["", "\0", "Vera", "a" * 65, "vera\n", "' OR 1=1 --", "é"])
def test_what_is_no_viewer_never_reaches_the_store(desk: Service, tmp_path, name: str) -> None:
    """PostgreSQL refuses a NUL in a question: it would look as if the store were gone."""
    desk.feedback.close()
    (tmp_path / "said.sqlite").write_bytes(b"no database")
    with pytest.raises(KeyError, match="is unknown"):
        desk.person(name)


@pytest.mark.parametrize("name", ["[/]", "[link=http://x]hey[/link]", "[bold]Ada"])
def test_a_name_is_no_markup_on_the_command_line(desk: Service, monkeypatch, name: str) -> None:
    monkeypatch.setattr(Service, "open", lambda settings: desk)
    desk.feedback.add_viewer(Viewer("me-1", name, name, {"shape": "owl", "hue": 10}, Profile(), None))
    for words in (
        ["recommend"],
        ["explain", "--film", "Heat"],
        ["why-not", "--film", "Star Wars: Episode IV - A New Hope"],
        ["compare", "home", "ease"],
    ):
        said = CliRunner().invoke(app, [*words, "--viewer", "me-1"])
        assert said.exit_code == 0, said.exception
        assert name in said.stdout


def test_a_list_that_the_filters_leave_empty_says_so(desk: Service, monkeypatch) -> None:
    monkeypatch.setattr(Service, "open", lambda settings: desk)
    for words in ([], ["--model", "ease"]):
        assert "No film is within the filters" in CliRunner().invoke(app, ["recommend", "--viewer", "vera", "--minutes", "1", *words]).stdout
        assert "No film is within" not in CliRunner().invoke(app, ["recommend", "--viewer", "vera", *words]).stdout


def test_the_last_word_can_be_taken_back(desk: Service) -> None:
    desk.record([Event("vera", "love", ALIEN), Event("vera", "click", ALIENS), Event("vera", "dislike", ALIEN)])
    vera = desk.person("vera")
    for stars in (5.0, None):
        desk.record([Event("vera", "undo", target=desk.latest(vera))])
        profile = desk.person("vera").profile
        mine = profile.ratings[profile.items == desk.catalog.index(ALIEN)].tolist()
        assert mine == ([stars] if stars else [])
    assert desk.latest(vera) is None


def test_a_page_is_stored_as_it_was_shown(desk: Service) -> None:
    made = home(desk, "vera")
    page = Page(desk.catalog, made.carousels)
    stamp = {"time_of_day": "evening", "device": "tv", "seen_device": "desktop", "local_hour": 21}
    desk.record(page.impressions("vera", stamp))
    stored = desk.feedback.events("vera", ["impression"])
    assert [desk.catalog.index(e.film) for e in stored] == shown(made)
    assert {(e.recommendation, e.device, e.seen_device, e.local_hour) for e in stored} == {(page.id, "tv", "desktop", 21)}
    second = made.carousels[1]
    r = second.recommendations[2]
    place = page.place(int(desk.catalog.ids[r.item]), second.key)
    assert place == {"recommendation": page.id, "row": second.key, "position": 2, "model": r.model, "score": r.score}
    assert desk.person("vera") is desk.person("vera")  # being shown films says nothing of a taste


def test_an_unused_desk_tells_models_no_more_than_the_base(service: Service) -> None:
    """A viewer asked for by id and one handed over fresh are told alike."""
    for name, base in service.viewers.items():
        one, other = service.person(name), service.fresh(base)
        a, b = (service.query(v, EVENING).profile for v in (one, other))
        assert a.items.tolist() == b.items.tolist()
        assert a.weights.tolist() == b.weights.tolist()


def test_a_viewer_of_the_tests_is_what_it_says(desk: Service) -> None:
    own = Viewer("me-000000000001", "Ada", "made here", {"shape": "owl", "hue": 10}, desk.viewers["sam"].profile, "PG")
    desk.feedback.add_viewer(own)
    ada = desk.person("me-000000000001")
    limit = desk.catalog.allowed("PG")
    assert limit[[r.item for c in desk.home(ada, Query(ada.profile, EVENING)).carousels for r in c.recommendations]].all()
