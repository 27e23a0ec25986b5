"""The front desk on the real artifacts: five viewers in sixteen contexts, and every sentence held against the data."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from recommender.models import MODELS
from recommender.models.hybrid import PARTS
from recommender.models.moment import Moment
from recommender.serve import phrases, wire
from recommender.serve.events import Event
from recommender.serve.routing import route
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.settings import settings
from recommender.types import (
    CERTIFICATES,
    DEVICES,
    TIMES_OF_DAY,
    Carousel,
    Context,
    Explanation,
    Filters,
    Home,
    Profile,
    Query,
    Reason,
    Recommendation,
)

FIVE = ("sam", "jonas", "vera", "mia", "kenji")
CONTEXTS = [Context(t, d) for t, d in product(TIMES_OF_DAY, DEVICES)]
DEVICE = {"mobile": "your phone", "tablet": "your tablet", "desktop": "your computer", "tv": "TV"}


@pytest.fixture(scope="module")
def homes(service: Service) -> dict[tuple[str, Context], Home]:
    return {(name, c): service.home(service.viewers[name], Query(service.viewers[name].profile, c)) for name in FIVE for c in CONTEXTS}


def shown(home: Home) -> Iterator[tuple[Carousel, Recommendation]]:
    return ((row, r) for row in home.carousels for r in row.recommendations)


def all_shown(service: Service, homes: dict) -> Iterator[tuple[Viewer, Context, Carousel, Recommendation]]:
    return ((service.viewers[name], context, row, r) for (name, context), home in homes.items() for row, r in shown(home))


# -- what stands on the page -------------------------------------------------------------------------------------------


def test_ten_rows_or_more_and_no_film_twice(homes: dict) -> None:
    for (name, context), home in homes.items():
        films = [r.item for _, r in shown(home)]
        assert len(home.carousels) >= 10, f"{name}, {context}: {len(home.carousels)} rows"
        assert len(set(films)) == len(films), f"{name}, {context}"
        keys = [row.key for row in home.carousels]
        assert len(set(keys)) == len(keys)
        assert home.carousels[0].key == "top"
        for row in home.carousels:
            assert 3 <= len(row.recommendations) <= settings().row_length
            assert row.title
            assert row.why
            if row.key != "top":  # the top row may be diversified
                scores = [r.score for r in row.recommendations]
                assert scores == sorted(scores, reverse=True), f"{name}: {row.key}"


def test_nothing_seen_but_in_watch_again(service: Service, homes: dict) -> None:
    again = Counter()
    for viewer, _, row, r in all_shown(service, homes):
        stars = dict(zip(viewer.profile.items.tolist(), viewer.profile.ratings.tolist()))
        if row.key == "again":
            assert stars[r.item] >= 4
            again[viewer.name] += 1
        else:
            assert r.item not in stars, f"{viewer.name}: {row.key}"
    assert set(again) == {"Vera", "Mia", "Kenji"}


def test_the_limit_holds_everywhere(service: Service, homes: dict) -> None:
    catalog, mia = service.catalog, service.viewers["mia"]
    mild = {i for i in range(len(catalog)) if catalog.certificates[i] in CERTIFICATES[: CERTIFICATES.index("PG") + 1]}
    assert mia.certificate == "PG"
    assert {r.item for viewer, _, _, r in all_shown(service, homes) if viewer is mia} <= mild
    assert {r.item for viewer, _, _, r in all_shown(service, homes) if viewer.name == "Vera"} - mild  # and only where there is one
    for words in ("matrix", "the", "steven spielberg", "alien"):
        assert set(service.search(words, mia)) <= mild
    query = Query(mia.profile, CONTEXTS[0])
    for film in (1, 588, 594):  # Toy Story, Aladdin, Snow White and the Seven Dwarfs
        similar = service.details(mia, query, service.catalog.index(film), "hybrid").similar
        assert set(similar) <= mild
        assert len(similar) >= 5
    for model in service.models:
        assert {r.item for _, r in shown(service.listing(mia, query, model))} <= mild
    matrix = service.catalog.index(2571)
    for asked in (lambda: service.details(mia, query, matrix, "hybrid"), lambda: service.cards(mia, query, [matrix])):
        with pytest.raises(ValueError, match="'The Matrix' is over the limit of Mia, PG"):
            asked()
    with pytest.raises(ValueError, match="over the limit"):
        service.record([Event("mia", "love", film=2571)])


def test_context_changes_the_order_of_the_first_row(homes: dict) -> None:
    def first_row(name: str, context: Context) -> list[int]:
        return [r.item for r in homes[name, context].carousels[0].recommendations]

    for one, other in (
        (Context("evening", "tv"), Context("evening", "mobile")),  # device alone
        (Context("morning", "tv"), Context("night", "tv")),  # time alone
    ):
        assert sum(first_row(name, one) != first_row(name, other) for name in FIVE) >= 4
    for name in FIVE:
        assert len({tuple(first_row(name, c)) for c in CONTEXTS}) >= 8


def test_moved_counts_the_places_that_changed(service: Service, homes: dict) -> None:
    for name in FIVE:
        viewer = service.viewers[name]
        before, after = Context("evening", "tv"), Context("morning", "mobile")
        old, new = ([r.item for r in homes[name, c].carousels[0].recommendations] for c in (before, after))
        moved = service.moved(viewer, Query(viewer.profile, before), Query(viewer.profile, after))
        fresh = [b for b in new if b not in old]
        assert moved == (len(fresh), sum(a != b and b in old for a, b in zip(old, new)))
        assert service.moved(viewer, Query(viewer.profile, before), Query(viewer.profile, before)) == (0, 0)


def test_what_rests_on_a_simulated_device_says_so(service: Service, homes: dict) -> None:
    for home in homes.values():
        assert home.strategy.simulated == ("device",)
        for row, r in shown(home):
            device = [x for x in r.explanation.reasons if x.kind == "context" and x.subject in DEVICES]
            assert all(x.simulated for x in device)
            assert row.simulated or not device, row.key
    vera = service.viewers["vera"]
    home = service.home(vera, Query(vera.profile, Context("evening")))
    assert home.strategy.simulated == ()
    assert not any(row.simulated for row in home.carousels)


def test_promises_are_within_their_scales(service: Service, homes: dict) -> None:
    raters = service.models["ratings"].raters_
    for _, _, _, r in all_shown(service, homes):
        if raters[r.item] == 0:
            assert r.stars is None
            assert r.match is None
        else:
            assert 0.5 <= r.stars <= 5
            assert 0 <= r.match <= 100
    for home in homes.values():
        assert home.timing_ms["total"] == pytest.approx(home.timing_ms["models"] + home.timing_ms["reasons"])


# -- every sentence is true --------------------------------------------------------------------------------------------


def pairs(names: set[str]) -> set[str]:
    return names | {f"{a} and {b}" for a in names for b in names if a != b}


NEWCOMERS = "popularity, moved by what was said"


class Truth:
    """What may be said to one viewer, worked out from the catalogue, the profile and the models, not from phrases.py."""

    def __init__(self, service: Service, viewer: Viewer, context: Context) -> None:
        self.service, self.viewer, self.context, self.catalog = service, viewer, context, service.catalog
        p = viewer.profile
        title = self.catalog.titles
        self.stars = dict(zip(p.items.tolist(), p.ratings.tolist()))
        self.liked = {i for i, s in self.stars.items() if s >= 4}
        self.recent = set(p.items[-service.models["sequence"].looked_back :].tolist())
        self.title = {title[i]: i for i in self.stars}
        self.communities = service.models["communities"].score([Query(p, context)])[0]
        self.less: dict[tuple[str, int | None], np.ndarray] = {}

    def scores(self, model: str, film: int | None) -> np.ndarray:
        """Scores of a model for the viewer, or for the same viewer who never saw one film."""
        if (model, film) not in self.less:
            profile = self.viewer.profile.keep(self.viewer.profile.items != (-1 if film is None else film))
            models = self.service.models
            newcomers = Moment(models["popularity"], models["hybrid"], models["ease"])
            self.less[model, film] = (newcomers if model == NEWCOMERS else models[model]).score([Query(profile, self.context)])[0]
        return self.less[model, film]

    def place(self, model: str, item: int, film: int | None) -> int:
        """Rank of an unseen film by brute force: unseen films within the limit that score higher, or as high with a smaller number."""
        scores = self.scores(model, film)
        rivals = self.catalog.allowed(self.viewer.certificate)
        rivals[self.viewer.profile.items] = False
        rivals[item] = False
        same = (scores == scores[item]) & (np.arange(len(scores)) < item)
        return 1 + int((rivals & ((scores > scores[item]) | same)).sum())

    def place_for_nobody(self, model: str, item: int) -> int:
        """The same rank for an empty profile."""
        if (model, -1) not in self.less:
            self.less[model, -1] = self.service.models[model].score([Query(context=self.context)])[0]
        return self.place(model, item, -1)

    def falls(self, said: str, among: set[int], r: Recommendation, kind: str) -> None:
        """Each film named is one of these, raises the score, and is missed: without it the film stands as much lower as is promised."""
        films = [d.film for d in r.drops]
        titles = [self.catalog.titles[film] for film in films]
        unclear = len(titles) > 1 and any(" and " in title or "," in title for title in titles)
        assert said == " and ".join(f"“{title}”" if unclear else title for title in titles)
        assert set(films) <= among
        weights = {x.subject: x.weight for x in r.explanation.reasons if x.kind == kind}
        model = NEWCOMERS if r.model == "popularity" else r.model  # of the rows by popularity, the first row of newcomers alone names films
        for drop in r.drops:
            assert weights[drop.film] > 0
            assert drop.before == self.place(model, r.item, None)
            assert drop.after == self.place(model, r.item, drop.film)
            assert drop.after - drop.before >= settings().least_drop

    def share(self, films: list[int]) -> tuple[int, int]:
        rated = [i for i in films if i in self.stars]
        return len(rated), sum(i in self.liked for i in rated)

    def genres(self, said: str, item: int) -> bool:
        """Two of them were liked or more, and at least half of those rated; or they were asked for."""
        fond = set()
        for genre in self.catalog.genres_of(item):
            rated, liked = self.share(np.flatnonzero(self.catalog.genres[:, self.catalog.genre(genre)]).tolist())
            if genre in self.viewer.profile.genres or (liked >= 2 and liked >= rated / 2):
                fond.add(genre)
        return said in pairs(fond)

    def people(self, said: str, item: int) -> bool:
        fond = set()
        for name in (*self.catalog.directors[item], *self.catalog.actors[item]):
            rated, liked = self.share([i for i in self.stars if name in (*self.catalog.directors[i], *self.catalog.actors[i])])
            if liked >= 2 and liked >= rated / 2:
                fond.add(name)
        return said in pairs(fond)

    def check(self, row: Carousel, r: Recommendation) -> str:
        """The family of the sentence; an AssertionError where it is not true."""
        s, item = r.sentence, r.item
        weights = {(x.kind, x.subject): x.weight for x in r.explanation.reasons}
        if found := re.fullmatch(r"You gave it (\d(?:\.5)?) stars", s):
            assert row.key == "again"
            assert float(found[1]) == self.stars[item]
            return "own stars"
        if found := re.fullmatch(r"Because you gave (.+) five stars", s):
            self.falls(found[1], {i for i in self.liked if self.stars[i] == 5}, r, "film")
            return "liked"
        if s.startswith("Because you liked "):
            self.falls(s.removeprefix("Because you liked "), self.liked, r, "film")
            return "liked"
        if s.startswith("Because you watched "):
            self.falls(s.removeprefix("Because you watched "), set(self.stars) - self.liked, r, "film")
            return "watched"
        recent = r"Based on your recent viewing of (.+?)|Fits your viewing as a whole, most of all (.+?)"
        if found := re.fullmatch(rf"(?:{recent})(?:; matches your preference for (.+) films)?", s):
            self.falls(found[1] or found[2], self.recent, r, "sequence")
            carried = sum(weights["sequence", d.film] for d in r.drops)
            assert (found[1] is not None) == (carried >= 0.15 * r.score > 0)
            assert found[3] is None or self.genres(found[3], item)
            return "recent"
        assert r.drops == ()  # no other sentence names a film as a cause
        if s.startswith("You asked for "):
            asked = set(self.viewer.profile.genres) & set(self.catalog.genres_of(item))
            assert s.removeprefix("You asked for ") in pairs(asked)
            return "asked"
        if found := re.fullmatch(r"Matches your preference for films with (.+)", s):
            assert self.people(found[1], item)
            return "person"
        if found := re.fullmatch(r"With (.+), as in (.+), which you liked", s):
            film = self.title[found[2]]
            assert film in self.liked
            assert found[1] in (*self.catalog.directors[item], *self.catalog.actors[item])
            assert found[1] in (*self.catalog.directors[film], *self.catalog.actors[film])
            return "one person"
        if found := re.fullmatch(r"Matches your preference for (.+) films|More (.+), which you like", s):
            assert self.genres(found[1] or found[2], item)
            return "genre"
        if found := re.fullmatch(r"(.+), like (.+), which you liked", s):
            shared = set(self.catalog.genres_of(item)) & set(self.catalog.genres_of(self.title[found[2]]))
            assert self.title[found[2]] in self.liked
            assert found[1] in pairs(shared)
            return "one liked film"
        crowd = r"People with similar tastes enjoyed this: (\d+)% of them, the nearest counting most, gave it four stars or more"
        if found := re.fullmatch(crowd, s):
            assert r.model == "communities"
            assert len(r.explanation.reasons) <= self.service.models["communities"].nearest
            assert int(found[1]) == int(f"{100 * self.communities[item]:.0f}")
            return "crowd"
        if s in ("Fits what you watched as a whole", "Stands high for everybody, more than for you"):
            assert len(self.stars)
            mine, nobodys = self.place(r.model, item, None), self.place_for_nobody(r.model, item)
            plain = np.ptp(self.scores(r.model, -1)) < 1e-9  # for an empty profile all films are alike
            better = self.scores(r.model, None)[item] > self.scores(r.model, -1)[item] if plain else mine < nobodys
            if s.startswith("Fits"):
                assert better
                assert mine <= 200
                return "whole"
            assert nobodys <= 200
            assert not plain
            assert not better or mine > 200
            return "everybody"
        if s == "No reason stands out":
            return "none"
        if found := re.fullmatch(r"(Popular choice for|Suits) (.+)", s):
            time, device = weights.get(("context", self.context.time_of_day), 0), weights.get(("context", self.context.device), 0)
            parts = [f"the {self.context.time_of_day}" if time > 0 else "", DEVICE[self.context.device] if device > 0 else ""]
            assert found[2] == " on ".join(filter(None, parts))
            if r.model == "popularity":  # the time of day by how often this very film is rated then, the device by its genres
                lifts = self.service.models["popularity"].lifts_[TIMES_OF_DAY.index(self.context.time_of_day), item]
                by_device = self.service.models["hybrid"].context_points([Query(self.viewer.profile, self.context)])[1][0, item]
                assert [time, device] == pytest.approx([2.0 * float(lifts), float(by_device)], abs=1e-5)
            if found[1] == "Popular choice for":
                model = self.service.models["popularity"]
                recent, _, raters = model.parts_
                rated = raters > 0
                assert r.model == "popularity"
                assert min((recent[rated] > recent[item]).mean(), (raters[rated] > raters[item]).mean()) <= 0.1
            return "context"
        popular = r"(?:(Popular when the data end|Rated highly|Among the most rated): )?(\d\.\d) stars on average, ([\d,]+) ratings"
        if found := re.fullmatch(popular, s):
            model = self.service.models["popularity"]
            recent, _, raters = model.parts_
            assert found[2] == f"{model.means_[item]:.1f}"
            assert int(found[3].replace(",", "")) == int(raters[item]) >= settings().min_raters
            rated = raters > 0
            holds = {
                "Rated highly": float(found[2]) >= 3.9,
                "Popular when the data end": (recent[rated] > recent[item]).mean() <= 0.1,
                "Among the most rated": (raters[rated] > raters[item]).mean() <= 0.1,
            }
            assert found[1] is None or holds[found[1]]
            return "popular"
        if s == "Others give it high marks":
            model = self.service.models["popularity"]
            assert model.parts_[2, item] >= settings().min_raters
            assert model.means_[item] >= 3.9
            return "average"
        raise AssertionError(f"an unknown kind of sentence: {s}")


def test_every_sentence_names_something_true(service: Service, homes: dict) -> None:
    families, false = Counter(), []
    for (name, context), home in homes.items():
        truth = Truth(service, service.viewers[name], context)
        for row, r in shown(home):
            try:
                families[truth.check(row, r)] += 1
            except AssertionError as error:
                where = f"{name} {context.time_of_day} {context.device}, {row.key}, {service.catalog.titles[r.item]}"
                false.append(f"{where}: {r.sentence} | {error}"[:300])
    assert not false, f"{len(false)} sentences are not true, such as:\n" + "\n".join(false[:: max(1, len(false) // 12)])
    assert {"own stars", "liked", "crowd", "recent", "context", "popular", "person", "genre", "whole"} <= set(families)
    assert families.total() > 20_000


def test_because_rows_keep_their_title(service: Service, homes: dict) -> None:
    for (name, _), home in homes.items():
        viewer = service.viewers[name]
        for row in home.carousels:
            items = [r.item for r in row.recommendations]
            if row.key.startswith("because-"):
                film = service.catalog.index(int(row.key.removeprefix("because-")))
                assert row.title == f"Because you watched {service.catalog.titles[film]}"
                assert viewer.profile.ratings[viewer.profile.items == film][0] >= 4
                assert all({x.subject for x in r.explanation.reasons} == {film} for r in row.recommendations)
                assert all([d.film for d in r.drops] == [film] for r in row.recommendations)
            elif row.key == "person":
                who = row.title.removeprefix("Because you like ")
                assert all(who in (*service.catalog.directors[i], *service.catalog.actors[i]) for i in items)
            elif row.key.startswith("in-"):
                assert service.catalog.genres[items, service.catalog.genre(row.key.removeprefix("in-"))].all()
            elif row.key == "genre":
                assert service.catalog.genres[items, service.catalog.genre(row.title.removeprefix("Because you like "))].all()
            elif row.key == "short":
                assert (service.catalog.minutes[items] <= 95).all()
            elif row.key.startswith("decade-"):
                start = int(row.key.removeprefix("decade-"))
                assert ((service.catalog.years[items] >= start) & (service.catalog.years[items] < start + 10)).all()
            elif row.key == "next":
                assert row.title == f"What comes next after {service.catalog.titles[viewer.profile.items[-1]]}"
            elif row.key == "moment":
                times = [x.weight for r in row.recommendations for x in r.explanation.reasons if x.subject in TIMES_OF_DAY]
                assert len(times) == len(items)
                assert min(times) > 0
            elif row.key == "unmapped":
                assert not service.models["popularity"].parts_[2, items].any()


def test_reasons_sum_to_the_score(service: Service, homes: dict) -> None:
    """Rows by one model; the row of a moment is popularity over its spread plus points of context."""
    for _, _, row, r in all_shown(service, homes):
        assert r.explanation.exact == (row.model not in ("sequence", "hybrid"))
        tolerance = 1e-5 if r.explanation.exact else 1e-3
        assert r.explanation.total == pytest.approx(r.score, abs=tolerance), f"{row.key} by {row.model}"


def test_a_film_of_the_same_row_says_different_things(homes: dict) -> None:
    rows = [row for home in homes.values() for row in home.carousels if row.key in ("top", "next", "people", "popular")]
    said = [len({r.sentence for r in row.recommendations}) for row in rows]
    assert np.mean(said) > 3


# -- routes and what is missing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "wanted"), [(0, "popular"), (7, "popular"), (8, "balanced"), (14, "balanced"), (15, "collaborative")])
def test_routes(service: Service, n: int, wanted: str) -> None:
    kenji = service.viewers["kenji"]
    profile = kenji.profile.keep(np.arange(len(kenji.profile)) < n)
    query = Query(profile, Context("evening", "tv"))
    home = service.home(replace(kenji, profile=profile), query)
    strategy = home.strategy
    assert strategy.route == wanted
    assert strategy == route(query, n, service.models, settings())
    assert (f"you have rated {n} film" if n else "you have rated nothing yet") in strategy.why
    assert sum(strategy.weights.values()) == pytest.approx(1, abs=1e-5)
    popular = {"popularity", "ease"} if n else {"popularity"}
    assert set(strategy.weights) == (popular if wanted == "popular" else set(PARTS))
    assert len(home.carousels) >= 10
    assert home.carousels[0].model == ("popularity" if wanted == "popular" else "hybrid")
    if wanted == "collaborative":  # people with the same history come first: all top picks are among the best 400 of EASE
        ease = service.models["ease"].score([query])[0]
        assert ease[[r.item for r in home.carousels[0].recommendations]].min() >= np.sort(ease)[-400]


def test_asked_genres_come_first_for_a_newcomer(service: Service) -> None:
    ines = service.viewers["ines"]
    for context in (Context(), Context("night", "tv")):
        home = service.home(ines, Query(ines.profile, context))
        first = home.carousels[0].recommendations[:10]
        assert all(set(service.catalog.genres_of(r.item)) & {"Mystery", "Thriller"} for r in first)
        assert any(r.sentence.startswith("You asked for ") for r in first)
        truth = Truth(service, ines, replace(context, time_of_day=context.time_of_day, device=context.device))
        for row, r in shown(home):
            truth.check(row, r)


@pytest.mark.parametrize("missing", [name for name, make in MODELS.items() if getattr(make(), "shipped", True)])
@pytest.mark.parametrize("name", ["sam", "jonas", "vera"])
def test_home_without_a_model(service: Service, missing: str, name: str) -> None:
    """As load_all leaves it: the hybrid goes with any of its parts."""
    gone = {missing} | ({"hybrid"} if missing in PARTS else set())
    left = replace(service, models={n: m for n, m in service.models.items() if n not in gone})
    viewer = service.viewers[name]
    query = Query(viewer.profile, Context("evening", "tv"))
    home = left.home(viewer, query)
    assert len(home.carousels) >= (1 if name == "sam" else 5)
    assert not any(row.model in gone for row in home.carousels)
    assert all(r.sentence for _, r in shown(home))
    if missing == "ratings":
        assert all(r.match is None and r.stars is None for _, r in shown(home))


def test_home_without_any_model(service: Service) -> None:
    bare = replace(service, models={})
    home = bare.home(service.viewers["vera"], Query(service.viewers["vera"].profile))
    assert home.carousels == ()
    with pytest.raises(LookupError, match="is not loaded; loaded: none"):
        bare.listing(service.viewers["vera"], Query(service.viewers["vera"].profile), "hybrid")


# -- filters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sam", "jonas", "vera", "mia"])
def test_hidden_genre_and_minutes(service: Service, name: str) -> None:
    viewer, catalog = service.viewers[name], service.catalog
    query = Query(viewer.profile, Context("evening", "tv"))
    plain = {r.item for _, r in shown(service.home(viewer, query))}
    hidden = frozenset(sorted(plain)[::3])
    assert not hidden & {r.item for _, r in shown(service.home(viewer, query, hidden=hidden))}
    for genre in ("Comedy", "drama"):
        items = [r.item for _, r in shown(service.home(viewer, query, Filters(genre=genre)))]
        assert len(items) > 20
        assert catalog.genres[items, catalog.genre(genre)].all()
    for minutes in (90, 110):
        short = Filters(minutes=minutes)
        items = [r.item for _, r in shown(service.home(viewer, query, short))]
        assert len(items) > 20
        assert (catalog.minutes[items] <= minutes).all()
        assert (catalog.minutes[[r.item for _, r in shown(service.listing(viewer, query, "popularity", filters=short))]] <= minutes).all()


def test_row_length_is_a_setting(service: Service) -> None:
    short = replace(service, settings=settings().model_copy(update={"row_length": 3}))
    vera = service.viewers["vera"]
    home = short.home(vera, Query(vera.profile))
    assert max(len(row.recommendations) for row in home.carousels) == 3
    assert len(home.carousels) >= 10


# -- one film ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIVE)
@pytest.mark.parametrize("context", [Context(), Context("evening", "tv"), Context("morning")])
def test_details(service: Service, name: str, context: Context) -> None:
    viewer = service.viewers[name]
    query = Query(viewer.profile, context)
    may = service.catalog.allowed(viewer.certificate)
    rng = np.random.default_rng(0)
    for model in ("hybrid", "ease", "popularity", "sequence"):
        scores = service.models[model].score([query])[0]
        for item in rng.choice(np.flatnonzero(may), 3).tolist():
            found = service.details(viewer, query, item, model)
            r = found.recommendation
            assert (r.item, r.model) == (item, model)
            assert r.score == pytest.approx(float(scores[item]), abs=1e-5)
            assert sum(points for _, points in found.contributions) == pytest.approx(r.score, abs=1e-4)
            names = [n for n, _ in found.contributions]
            assert ("time" in names) == (model in ("hybrid", "sequence") and context.time_of_day is not None)
            assert ("device" in names) == (model in ("hybrid", "sequence") and context.device is not None)
            # the rank by brute force: unseen films within the limit that score higher, or as high with a smaller number
            rivals = [i for i in range(len(scores)) if may[i] and i not in viewer.profile.items and i != item]
            assert found.rank == 1 + sum(scores[i] > scores[item] or (scores[i] == scores[item] and i < item) for i in rivals)
            assert item not in found.similar
            assert len(set(found.similar)) == len(found.similar)
            assert r.explanation.total == pytest.approx(r.score, abs=1e-3)


def test_an_unknown_model_is_answered_by_the_main_one(service: Service) -> None:
    for name, main in (("sam", "popularity"), ("vera", "hybrid")):
        viewer = service.viewers[name]
        assert service.details(viewer, Query(viewer.profile), 5, "no such model").recommendation.model == main


def test_hostile_input_gets_a_clear_answer(service: Service) -> None:
    vera = service.viewers["vera"]
    query = Query(vera.profile)
    with pytest.raises(KeyError, match="genre 'Polka' is unknown, wanted one of Action, Adventure"):
        service.home(vera, query, Filters(genre="Polka"))
    with pytest.raises(KeyError, match="film id 999999 is not in the catalogue of 3883 films"):
        service.catalog.index(999_999)
    for words in ("", "   ", "\x00", "%", "*" * 5000, "<script>", "(((", "🦆"):
        assert isinstance(service.search(words, vera), list)
    with pytest.raises(ValueError, match="time_of_day is 'noon', must be one of morning"):
        Context("noon")
    with pytest.raises(ValueError, match="minutes is 0, must be >= 1"):
        Filters(minutes=0)
    assert service.cards(vera, query, []) == ()
    assert [r.item for r in service.cards(vera, query, [5, 3])] == [5, 3]


@pytest.mark.parametrize("item", [-1, 3883, 10**9])
def test_an_item_out_of_range_is_refused(service: Service, item: int) -> None:
    vera = service.viewers["vera"]
    for ask in (
        lambda: service.details(vera, Query(vera.profile), item, "hybrid"),
        lambda: service.cards(vera, Query(vera.profile), [item]),
        lambda: service.home(vera, Query(vera.profile), hidden=frozenset([item])),
    ):
        with pytest.raises((LookupError, ValueError), match=rf"{item}.* (3882|3883)"):
            ask()


def test_a_long_profile_is_served(service: Service) -> None:
    rng = np.random.default_rng(0)
    items = rng.choice(len(service.catalog), 600, replace=False)
    profile = Profile(items, rng.integers(1, 6, 600), np.arange(600))
    home = service.home(service.viewers["vera"], Query(profile, Context("night", "desktop")))
    assert len(home.carousels) >= 10
    assert not {r.item for row, r in shown(home) if row.key != "again"} & set(items.tolist())


def test_only_disliked_films(service: Service) -> None:
    profile = Profile(np.arange(12), np.full(12, 1.0), np.arange(12))
    home = service.home(service.viewers["vera"], Query(profile, Context("evening", "tv")))
    assert len(home.carousels) >= 5
    assert not any(row.key == "again" or row.title.startswith("Because") for row in home.carousels)
    assert not any("liked" in r.sentence for _, r in shown(home))


def test_the_wire_carries_what_was_agreed(service: Service, homes: dict) -> None:
    vera, evening = service.viewers["vera"], Context("evening", "tv")
    told = service.query(vera, evening)
    made = wire.home(homes["vera", evening], "Vera", evening, told, service.verdicts(vera), service.catalog)
    answer = json.loads(json.dumps(made))
    assert set(answer) == {"viewer", "context", "signals", "strategy", "carousels", "timing_ms"}
    assert answer["context"] == {"time_of_day": "evening", "device": "tv"}
    for name, source in (("time_of_day", "observed"), ("device", "simulated")):
        signal = answer["signals"][name]
        assert (signal["value"], signal["source"]) == (getattr(evening, name), source)
        assert signal["used"] == (getattr(told.context, name) is not None)
        assert signal["why"].startswith("Switched ")
    for row in answer["carousels"]:
        assert {"title", "why", "model", "items"} <= set(row)
        for film in row["items"]:
            assert set(film) == {"id", "title", "year", "genres", "score", "match", "stars", "reason", "reasons", "exact", "without"}
            assert all(
                {"kind", "subject", "weight"} <= set(reason) <= {"kind", "subject", "weight", "simulated", "id", "year"} for reason in film["reasons"]
            )
            assert service.catalog.titles[service.catalog.index(film["id"])] == film["title"]
            assert all(
                set(drop) == {"film", "id", "year", "rank_before", "rank_after"} and drop["film"] in film["reason"] for drop in film["without"]
            )


# -- prose by hand -----------------------------------------------------------------------------------------------------


def test_lists_read_like_english() -> None:
    assert phrases.listed(["A"]) == "A"
    assert phrases.listed(["A", "B"]) == "A and B"
    assert phrases.listed(["A", "B", "C"]) == "A, B and C"
    assert phrases.listed(["A", "B", "C", "D"]) == "A, B, C and D"


def test_moments_read_like_english() -> None:
    assert phrases.moment(Context()) == ""
    assert phrases.moment(Context("evening")) == "the evening"
    assert phrases.moment(Context(device="tv")) == "TV"
    assert phrases.moment(Context("morning", "mobile")) == "the morning on your phone"


def sentence(service: Service, reasons: list[Reason], profile: Profile, context: Context | None = None, lead: tuple[str, ...] = ()) -> str:
    """What is said of film 3000 for these reasons, if every film that might be named holds."""
    explanation = Explanation.of(reasons)
    holds = set(phrases.nameable(explanation))
    return phrases.say(phrases.Case(3000, explanation, explanation.total, profile, context or Context(), service.catalog, holds), lead).text


def test_sentences_by_hand(service: Service) -> None:
    a, b, c = (service.catalog.index(i) for i in (1, 2571, 588))
    toy, matrix = service.catalog.titles[a], service.catalog.titles[b]
    profile = Profile(np.array([a, b, c]), np.array([5.0, 4, 2]), np.zeros(3))
    film = lambda item, weight: Reason("film", item, weight)
    assert sentence(service, [film(a, 2), film(b, 1.1)], profile) == f"Because you liked {toy} and {matrix}"
    assert sentence(service, [film(a, 2), film(b, 0.9)], profile) == f"Because you liked {toy}"  # less than half as heavy
    assert sentence(service, [film(c, 2), film(a, 0.9)], profile) == "Because you watched Aladdin"  # two stars are no liking
    evening, first = Context("evening", "tv"), ("context",)
    context = [Reason("context", "evening", 0.4), Reason("context", "tv", -0.3, True)]  # TV speaks against it
    popular = [Reason("popularity", "3.9 stars on average", 0.2), Reason("popularity", "1,234 ratings", 0.3)]
    assert sentence(service, [*context, film(a, 0.1)], profile, evening, first) == "Suits the evening"
    assert sentence(service, [*context, film(a, 0.1)], profile, evening) == f"Because you liked {toy}"  # the context leads only where asked
    assert sentence(service, [*context, *popular], profile, evening, first) == "Suits the evening"  # 1,234 are not among the most of all
    many = [*popular, Reason("popularity", "many recent ratings", 0.1)]
    assert sentence(service, [*context, *many], profile, evening, first) == "Popular choice for the evening"
    assert sentence(service, popular, profile) == "Rated highly: 3.9 stars on average, 1,234 ratings"
    votes = [Reason("popularity", "3.8 stars on average", 0.2), Reason("popularity", "1,234 ratings, among the most of all", 0.3)]
    assert sentence(service, votes, profile) == "Among the most rated: 3.8 stars on average, 1,234 ratings"
    lately = [*votes, Reason("popularity", "many recent ratings", 0.1)]
    assert sentence(service, lately, profile) == "Popular when the data end: 3.8 stars on average, 1,234 ratings"
    plain = [Reason("popularity", label, 0.1) for label in ("2.6 stars on average", "48 ratings", "recent ratings")]
    assert sentence(service, plain, profile) == "2.6 stars on average, 48 ratings"  # nothing to boast of
    crowd = Reason("crowd", "40 viewers who favour Drama and War", 0.42)
    near = "People with similar tastes enjoyed this: 42% of them, the nearest counting most, gave it four stars or more"
    assert sentence(service, [crowd], profile) == near
    everyone = [Reason("crowd", f"{n} viewers who favour Drama and War", 0.02) for n in range(20, 41)]
    assert sentence(service, everyone, Profile()) == "42% of everybody here gave it four stars or more"  # no community is nearer than another
    genre = [Reason("genre", "Drama", 3), Reason("genre", "War", 1.1), Reason("genre", "Musical", 0.9)]  # less than a third as heavy
    fond = Profile(profile.items, profile.ratings, profile.times, ("Drama", "War"))
    assert sentence(service, genre, fond) == "Matches your preference for Drama and War films"
    assert sentence(service, [genre[0], genre[2]], fond) == "Matches your preference for Drama films"
    assert sentence(service, [Reason("genre", "Animation", 3)], profile) == f"Animation, like {toy}, which you liked"  # one film is no preference
    hanks = Reason("person", "Tom Hanks", 3)
    assert sentence(service, [hanks, film(a, 1)], profile, lead=("person",)) == f"With Tom Hanks, as in {toy}, which you liked"
    two = Profile(np.array([a, service.catalog.index(3114)]), np.array([5.0, 4]), np.zeros(2))  # Toy Story and its sequel
    assert sentence(service, [hanks], two) == "Matches your preference for films with Tom Hanks"
    worse = [int(i) for i in service.catalog.people["Tom Hanks"] if i not in two.items][:3]
    mixed = Profile(np.append(two.items, worse), np.array([5.0, 4, 1, 1, 1]), np.zeros(5))  # two of five liked are no preference
    assert sentence(service, [hanks], mixed) == f"With Tom Hanks, as in {toy}, which you liked"
    assert sentence(service, [Reason("sequence", a, 3), Reason("sequence", b, 2)], profile) == f"Based on your recent viewing of {toy} and {matrix}"
    seen = phrases.Case(c, Explanation.of([]), 0, profile, Context(), service.catalog)
    assert phrases.say(seen) == ("You gave it 2 stars", ())


def test_a_film_is_named_only_where_it_holds(service: Service) -> None:
    a, b = (service.catalog.index(i) for i in (1, 2571))
    profile = Profile(np.array([a, b]), np.array([5.0, 4]), np.zeros(2))
    explanation = Explanation.of([Reason("film", a, 2), Reason("film", b, 1.5), Reason("sequence", b, 1)])
    case = lambda holds, item=3000: phrases.say(phrases.Case(item, explanation, 4.5, profile, Context(), service.catalog, holds))
    assert case({a, b}).films == (a, b)
    assert case({b}) == ("Because you liked The Matrix", (b,))
    assert case(set()) == ("Fits what you watched as a whole", ())
    lower = phrases.Case(3000, explanation, 4.5, profile, Context(), service.catalog, {b}, fits=False)
    assert phrases.say(lower) == ("Because you liked The Matrix", (b,))
    nothing = phrases.Case(3000, Explanation.of([Reason("sequence", b, 1)]), 1.0, profile, Context(), service.catalog, {b}, fits=False)
    assert phrases.say(nothing) == ("No reason stands out", ())
    assert phrases.say(replace(nothing, high=True)) == ("Stands high for everybody, more than for you", ())
    assert case({a}, 3001) == ("Because you gave Toy Story five stars", (a,))  # the same fact in other words for another film
    assert case({b}, 3001) == ("Because you liked The Matrix", (b,))  # it got four


# -- the data set ------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_dataset(service: Service, tmp_path: Path) -> Service:
    """The same desk beside a data set of three users: comedies only, action only, both; one film is not in the catalogue."""
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    films = {1: ("Toy Story (1995)", "Comedy"), 2: ("Jumanji (1995)", "Comedy"), 6: ("Heat (1995)", "Action"), 9000: ("Nowhere (1999)", "Action")}
    (folder / "movies.dat").write_text("".join(f"{i}::{t}::{g}\n" for i, (t, g) in films.items()), "latin-1")
    (folder / "users.dat").write_text("".join(f"{u}::F::25::4::55117\n" for u in (1, 2, 3)), "latin-1")
    rated = [(1, 1), (1, 2), (2, 6), (2, 9000), (3, 1), (3, 6)]
    (folder / "ratings.dat").write_text("".join(f"{u}::{i}::4::97830{n:04}\n" for n, (u, i) in enumerate(rated)), "latin-1")
    return replace(service, settings=service.settings.model_copy(update={"raw": tmp_path}), models=dict(service.models))


def test_profiles_of_the_data_set_can_be_picked(with_dataset: Service) -> None:
    desk = with_dataset
    assert desk.dataset_users() == 3
    viewer = desk.dataset_viewer(2)
    assert [desk.catalog.titles[i] for i in viewer.profile.items] == ["Heat"]  # the film nobody here knows is left out
    with pytest.raises(KeyError, match="user 4 is unknown, wanted 1 to 3"):
        desk.dataset_viewer(4)
    assert {desk.dataset_pick(np.random.default_rng(n)) for n in range(40)} == {1, 2, 3}
    assert {desk.dataset_pick(np.random.default_rng(n), "Comedy") for n in range(9)} == {1}
    assert {desk.dataset_pick(np.random.default_rng(n), "action") for n in range(9)} == {2}
    assert "user_knn" in desk.models  # the exact neighbours come with the data


def test_without_a_data_set_picking_says_how_to_get_one(service: Service, tmp_path: Path) -> None:
    bare = replace(service, settings=service.settings.model_copy(update={"raw": tmp_path}))
    assert bare.dataset_users() == 0
    with pytest.raises(KeyError, match="python -m recommender fetch"):
        bare.dataset_viewer(1)
