"""What changed after a rating: the moves make the new row of the old one, and every cause stands up to being scored again by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.counterfactual import plus, without
from recommender.models.hybrid import Hybrid
from recommender.models.moment import Moment
from recommender.models.neighbours import EASE
from recommender.models.popularity import Popularity
from recommender.serve.carousels import CANDIDATES
from recommender.serve.changes import Changed, _deeds, _restored, changed
from recommender.serve.changes_said import line, sentences
from recommender.serve.request import Request
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.types import ANY_FILM, Context, Filters, Preferences, Profile, Query

EVENING, MORNING = Context("evening", "tv"), Context("morning", "mobile")
SIGNALS = ("time_of_day", "device")
PERSONAL = ("walter", "vera", "dmitri", "mia", "kenji")


def ask(service: Service, viewer: Viewer, context: Context = EVENING, filters: Filters = ANY_FILM, hidden: frozenset[int] = frozenset()) -> Request:
    return service.request(viewer, service.query(viewer, context, anyway=SIGNALS), filters, hidden)


def rated(viewer: Viewer, film: int, stars: float) -> Viewer:
    """The viewer with one more rating, or with another one for a film already rated, in its place."""
    p = viewer.profile
    if film in p.items:
        return replace(viewer, profile=replace(p, ratings=np.where(p.items == film, stars, p.ratings)))
    return replace(viewer, profile=plus(Query(p), film, stars).profile)


def first(asked: Request, k: int = 20) -> list[int]:
    """The first row as the Home page chooses it."""
    return asked.choose(asked.planner.top(), asked.offered, np.zeros(len(asked.catalog), bool), k).tolist()


def pool_of(service: Service, viewer: Viewer, query: Query) -> np.ndarray:
    """The films a personal first row is chosen from, by the rules written out."""
    ratings, n = service.models["ratings"], len(viewer.profile)
    pool = service.catalog.allowed(viewer.certificate)
    chance = ratings.chance(ratings.score([query])[0], len(query.profile))
    for item in range(len(pool)):
        if item in viewer.profile.items or (ratings.raters_[item] > 0 and chance[item] < service.settings.least_match):
            pool[item] = False
    if n >= service.settings.many_ratings:
        ease = service.models["ease"].score([query])[0]
        best = sorted(np.flatnonzero(pool).tolist(), key=lambda i: (-ease[i], i))[:CANDIDATES]
        pool = np.isin(np.arange(len(pool)), best)
    return pool


def place(scores: np.ndarray, pool: np.ndarray, item: int) -> int:
    return 1 + sum(scores[i] > scores[item] or (scores[i] == scores[item] and i < item) for i in np.flatnonzero(pool) if i != item)


def upward(move) -> bool:
    was, now = move.places
    return was is None or (now is not None and now < was)


def add_up(found: Changed, before: Request, after: Request) -> None:
    """The old row and the moves make the new row; each film that moved is told once."""
    assert list(found.before) == first(before, found.k)
    assert list(found.after) == first(after, found.k)
    made = {n: item for n, item in enumerate(found.before, 1) if item not in {m.item for m in found.moves}}
    for move in found.moves:
        if move.places[1] is not None:
            assert move.places[1] not in made
            made[move.places[1]] = move.item
        if move.places[0] is not None:
            assert found.before[move.places[0] - 1] == move.item
    assert [made[n] for n in sorted(made)] == list(found.after)
    assert sorted(made) == list(range(1, len(found.after) + 1))
    assert len({m.item for m in found.moves}) == len(found.moves)
    parts = (found.came, found.rose, found.fell, found.left)
    assert sum(map(len, parts)) == sum(map(len, found.groups)) == len(found.moves)
    assert {m.item for m in found.came} == set(found.after) - set(found.before)
    assert {m.item for m in found.left} == set(found.before) - set(found.after)
    assert found.unchanged == (not found.moves) == (found.before == found.after)


def counted(found: Changed, move, pool: np.ndarray) -> None:
    """Of a film that was in the row and still is: who stood above it, and who does now."""
    then, now = (set(row[: row.index(move.item)]) for row in (found.before, found.after))
    gone, below = {i for i in then if not pool[i]}, {i for i in then - now if pool[i]}
    if move.why.kind == "freed":
        assert move.why.others == len(gone) >= move.places[0] - move.places[1]
        assert move.why.film in (gone if len(gone) == 1 else {None})
    if move.why.kind == "overtook":
        assert move.why.others == len(below)
        assert len(gone) < move.places[0] - move.places[1]
    if move.why.kind == "passed":
        assert move.why.others == len(now - then)


@pytest.mark.parametrize("name", PERSONAL)
def test_every_film_that_is_named_moves_the_others(service: Service, name: str) -> None:
    """Three random ratings, one after the other, the last a change of mind: without each, the film stands where the panel says."""
    viewer, rng = service.viewers[name], np.random.default_rng(len(name))
    named = 0
    for stars in (5.0, 1.0, 4.0):
        near = np.array(first(ask(service, viewer), 60))
        film = int(rng.choice(near)) if stars != 4.0 else int(rng.choice(viewer.profile.items))
        later = rated(viewer, film, stars)
        before, after = ask(service, viewer), ask(service, later)
        found = changed(before, after)
        add_up(found, before, after)
        undone = before.query if film in viewer.profile.items else without(after.query, [film])
        now, then = (service.models["hybrid"].score([query])[0] for query in (after.query, undone))
        pool = pool_of(service, later, after.query)
        for move in found.moves:
            if move.why.kind == "rating":
                assert move.why.film == film
                assert move.why.ranks == (place(then, pool, move.item), place(now, pool, move.item))
                gain = move.why.ranks[0] - move.why.ranks[1]
                assert (gain if upward(move) else -gain) >= service.settings.least_drop
                assert move.why.points == pytest.approx(float(now[move.item]) - float(then[move.item]), abs=1e-5)  # float32, summed in another order
                named += 1
            elif move.why.kind in ("overtook", "passed", "variety", "freed") and pool[move.item]:
                gain = place(then, pool, move.item) - place(now, pool, move.item)
                assert (gain if upward(move) else -gain) < service.settings.least_drop
            if move.ranks[1] is not None:
                assert move.ranks[1] == place(now, pool, move.item)
            if None not in move.places:
                counted(found, move, pool)
        viewer = later
    assert named >= 5


@pytest.mark.parametrize("name", ["vera", "kenji"])
def test_small_moves_into_the_row_and_out_of_it_are_counted_by_score(service: Service, name: str) -> None:
    viewer, kinds = service.viewers[name], set()
    before = ask(service, viewer)
    old = (pool_of(service, viewer, before.query), service.models["hybrid"].score([before.query])[0])
    for film in first(before, 20):
        later = rated(viewer, film, 4)
        after = ask(service, later)
        found = changed(before, after)
        moves = [m for m in found.moves if None in m.places and None not in m.ranks and m.why.kind in ("overtook", "passed", "variety")]
        pool = pool_of(service, later, after.query) if moves else old[0]
        for move in moves:
            was, now = (above(move.item, *side) for side in (old, (pool, service.models["hybrid"].score([after.query])[0])))
            if move.places[1] is None:
                kind, others = "passed" if now - was and move.ranks[1] > found.k else "variety", len(now - was)
            else:
                kind, others = "overtook" if move.ranks[1] < move.ranks[0] else "variety", sum(pool[i] for i in was - now)
            assert move.why.kind == kind
            assert move.why.others == (0 if kind == "variety" else others)
            kinds.add((kind, move.places[1] is None))
    assert len(kinds) >= 3


def above(item: int, pool: np.ndarray, scores: np.ndarray) -> set[int]:
    """Films of the pool that stand before one by score."""
    first, level = scores > scores[item], (scores == scores[item]) & (np.arange(len(scores)) < item)
    return set(np.flatnonzero(pool & (first | level)).tolist())


@pytest.mark.parametrize("name", ["vera", "mia"])
def test_of_several_ratings_the_one_that_does_most_is_named(service: Service, name: str) -> None:
    viewer = service.viewers[name]
    films = first(ask(service, viewer), 40)[3:40:9]
    later = viewer
    for film, stars in zip(films, (5, 1, 4, 2, 5)):
        later = rated(later, film, stars)
    before, after = ask(service, viewer), ask(service, later)
    found = changed(before, after)
    add_up(found, before, after)
    assert [d.film for d in found.deeds] == films
    score = lambda query: service.models["hybrid"].score([query])[0]
    pool, now = pool_of(service, later, after.query), score(after.query)
    less = {film: score(without(after.query, [film])) for film in films}
    alone = 0
    for move in found.moves:
        sign = 1 if upward(move) else -1
        if move.why.kind == "rating":
            far = {film: sign * (place(scores, pool, move.item) - place(now, pool, move.item)) for film, scores in less.items()}
            assert far[move.why.film] == max(far.values()) >= service.settings.least_drop
            alone += 1
        if move.why.kind == "ratings":
            assert move.why.ranks == (place(score(before.query), pool, move.item), place(now, pool, move.item))
            assert sign * (move.why.ranks[0] - move.why.ranks[1]) >= service.settings.least_drop
    assert alone
    assert {film for film in films if film in found.before} == {m.item for m in found.left if m.why.gate == "seen"}


@pytest.mark.parametrize("name", ["jonas", "leila", "ines", "sam"])
def test_where_ratings_move_nothing_none_is_named(service: Service, name: str) -> None:
    """By popularity alone a rated film makes room, and that is all."""
    service = replace(service, models={model: fitted for model, fitted in service.models.items() if model != "ease"})
    viewer = service.viewers[name]
    film = first(ask(service, viewer))[4]
    before, after = ask(service, viewer), ask(service, rated(viewer, film, 5))
    found = changed(before, after)
    add_up(found, before, after)
    assert found.left[0].why.gate == "seen"
    assert found.left[0].item == film
    others = [m.why for m in found.moves if m.item != film]
    assert len(others) == 16
    assert {(w.kind, w.film, w.others) for w in others} == {("freed", film, 1)}
    title = service.catalog.titles[film]
    assert f"16 films moved because {title}, which stood above, made room" in " ".join(sentences(found, service.catalog))


@pytest.mark.parametrize("name", ["jonas", "leila", "ines", "sam"])
def test_what_a_newcomer_says_moves_the_first_row(service: Service, name: str) -> None:
    """Five stars for a film far down move more of the first twenty than the room it makes, and it is named for what it raises."""
    viewer = service.viewers[name]
    film = service.catalog.index(924)  # 2001: A Space Odyssey
    before, after = ask(service, viewer), ask(service, rated(viewer, film, 5))
    assert after.way == "popular"
    found = changed(before, after)
    add_up(found, before, after)
    assert [m for m in found.moves if m.why.kind == "rating" and m.why.film == film]


def test_a_way_that_changes_is_named_where_it_does_most(service: Service) -> None:
    """Walter with seven films gets what is popular; his eighth makes the page his own."""
    walter = service.viewers["walter"]
    seven = replace(walter, profile=walter.profile.keep(np.arange(8) < 7))
    before, after = ask(service, seven, Context()), ask(service, walter, Context())
    assert (before.way, after.way) == ("popular", "balanced")
    found = changed(before, after)
    add_up(found, before, after)
    by_way = [m for m in found.moves if m.why.kind == "way" and m.places[1]]
    assert len(by_way) >= 10
    popularity, hybrid, ease = (service.models[name] for name in ("popularity", "hybrid", "ease"))
    assert isinstance(popularity, Popularity)
    assert isinstance(hybrid, Hybrid)
    assert isinstance(ease, EASE)
    scores = Moment(popularity, hybrid, ease).score([after.query])[0]
    unseen = ~np.isin(np.arange(len(scores)), walter.profile.items)
    for move in by_way:
        assert move.why.ranks == (place(scores, unseen, move.item), place(after.scores["hybrid"], pool_of(service, walter, after.query), move.item))
    assert "the row is now made another way: all films are ranked by a blend of three models" in " ".join(sentences(found, service.catalog))


def test_the_way_is_to_blame_only_where_the_old_one_would_still_show_the_film(service: Service) -> None:
    """Way and moment change at once: what the old way would not show at this moment either has left for its low match."""
    walter, kinds = service.viewers["walter"], set()
    walter = replace(walter, profile=replace(walter.profile, ratings=np.full(8, 1.5)))  # who likes nothing much
    seven = replace(walter, profile=walter.profile.keep(np.arange(8) < 7))
    popular = service.settings.model_copy(update={"few_ratings": 99})
    for then, now in ((EVENING, MORNING), (MORNING, Context("night", "tv")), (Context("night", "tv"), EVENING)):
        before, after = ask(service, seven, then), ask(service, walter, now)
        old = ask(replace(service, settings=popular), walter, now)
        still, found = first(old, 60), changed(before, after, 60)
        add_up(found, before, after)
        for move in found.left:
            if not (after.offered[move.item] or move.item in walter.profile.items):
                assert move.why.kind == ("way" if move.item in still else "shut")
                assert move.why.kind == "way" or move.why.gate == "chance"
                kinds.add(move.why.kind)
    assert kinds == {"way", "shut"}


def test_the_step_to_the_collaborative_way_adds_up(service: Service) -> None:
    vera = service.viewers["vera"]
    fourteen, fifteen = (replace(vera, profile=vera.profile.keep(np.arange(len(vera.profile)) < n)) for n in (14, 15))
    before, after = ask(service, fourteen), ask(service, fifteen)
    assert (before.way, after.way) == ("balanced", "collaborative")
    found = changed(before, after)
    add_up(found, before, after)
    ease = service.models["ease"].score([after.query])[0]
    for move in found.moves:
        if move.why.gate == "candidates":
            offered = [i for i in np.flatnonzero(after.offered) if i not in fifteen.profile.items]
            assert place(ease, np.isin(np.arange(len(ease)), offered), move.item) > CANDIDATES


def test_the_moment_is_named_where_it_does_it(service: Service) -> None:
    viewer = service.viewers["kenji"]
    before, after = ask(service, viewer, EVENING), ask(service, viewer, MORNING)
    found = changed(before, after)
    add_up(found, before, after)
    named = [m for m in found.moves if m.why.kind == "context"]
    assert named
    assert not found.deeds
    pool = pool_of(service, viewer, after.query)
    then, now = (service.models["hybrid"].score([Query(viewer.profile, c)])[0] for c in (EVENING, MORNING))
    for move in named:
        assert move.why.ranks == (place(then, pool, move.item), place(now, pool, move.item))
    assert any("for the morning on your phone" in said for said in sentences(found, service.catalog))


def test_gates_are_named_as_they_shut_and_open(service: Service) -> None:
    vera = service.viewers["vera"]
    plain = ask(service, vera)
    row = first(plain)
    short = Filters(minutes=100)
    for after, gate, films in (
        (ask(service, vera, hidden=frozenset(row[:2])), "hidden", set(row[:2])),
        (ask(service, vera, filters=short), "filters", {i for i in row if not service.catalog.minutes[i] <= 100}),
        (ask(service, replace(vera, certificate="PG")), "limit", {i for i in row if service.catalog.certificates[i] not in ("G", "PG")}),
    ):
        found, back = changed(plain, after), changed(after, plain)
        add_up(found, plain, after)
        add_up(back, after, plain)
        assert {m.item for m in found.left if (m.why.kind, m.why.gate) == ("shut", gate)} == films
        assert {m.item for m in back.came if (m.why.kind, m.why.gate) == ("opened", gate)} == films
        assert all(m.why.kind in ("freed", "variety", "overtook") or m.why.gate == "candidates" for m in found.came)


def test_a_match_that_falls_is_told_with_both_figures(service: Service) -> None:
    """Vera gives one star to films of her own row: what then has too small a chance leaves, and the figures are the model's."""
    viewer, ratings, told = service.viewers["vera"], service.models["ratings"], 0
    for film in first(ask(service, viewer))[:12]:
        later = rated(viewer, film, 0.5)
        before, after = ask(service, viewer), ask(service, later)
        found = changed(before, after, 100)
        add_up(found, before, after)
        for move in found.moves:
            if move.why.gate == "chance":
                chances = [float(ratings.chance(ratings.score([a.query])[0], len(a.query.profile))[move.item]) for a in (before, after)]
                assert move.why.chance == pytest.approx(chances)
                assert min(chances) < service.settings.least_match <= max(chances)
                assert line(move, found, service.catalog).count("%") == 3
                told += 1
        viewer = later
    assert told


def test_what_is_set_by_hand_is_named(service: Service) -> None:
    vera = service.viewers["vera"]
    bold = replace(vera, preferences=Preferences(adventure=1.0))
    before, after = ask(service, vera), ask(service, bold)
    found = changed(before, after)
    add_up(found, before, after)
    named = [m for m in found.moves if m.why.kind == "settings"]
    assert len(named) >= 5
    then, (now, pool) = before.planner.top().scores, (after.planner.top().scores, after.planner.top().among & after.planner.allowed)
    for move in named:
        assert move.why.ranks == (place(then, pool, move.item), place(now, pool, move.item))


def test_seen_films_come_and_go_as_the_viewer_wants(service: Service) -> None:
    kenji = service.viewers["kenji"]
    before, after = ask(service, kenji), ask(service, replace(kenji, preferences=Preferences(seen=True)))
    found, back = changed(before, after), changed(after, before)
    add_up(found, before, after)
    add_up(back, after, before)
    seen = set(found.after) & set(kenji.profile.items.tolist())
    assert seen
    assert {m.item for m in found.came if (m.why.kind, m.why.gate) == ("opened", "seen")} == seen
    assert all(m.ranks[1] for m in found.moves if m.places[1])
    assert {m.item for m in back.left if (m.why.kind, m.why.gate) == ("shut", "seen")} == seen


def test_an_undone_rating_no_longer_counts(service: Service) -> None:
    vera = service.viewers["vera"]
    film = int(vera.profile.items[-1])
    less = replace(vera, profile=vera.profile.keep(vera.profile.items != film))
    before, after = ask(service, vera), ask(service, less)
    found = changed(before, after)
    add_up(found, before, after)
    assert found.deeds == ((film, None, float(vera.profile.ratings[-1])),)
    named = [m for m in found.moves if m.why.kind == "rating"]
    assert named
    pool = pool_of(service, less, after.query)
    then, now = (service.models["hybrid"].score([q])[0] for q in (before.query, after.query))
    for move in named:
        assert move.why.ranks == (place(then, pool, move.item), place(now, pool, move.item))
    assert f"because {service.catalog.titles[film]} no longer counts" in " ".join(sentences(found, service.catalog))


@pytest.mark.parametrize("name", ["sam", "leila", "walter", "kenji"])
def test_no_change_is_told_as_none(service: Service, name: str) -> None:
    viewer = service.viewers[name]
    found = changed(ask(service, viewer), ask(service, viewer))
    assert found.unchanged
    assert not found.deeds
    assert sentences(found, service.catalog) == ["None of the first 20 films of your first row moved."]


def test_undoing_everything_gives_the_profile_of_before() -> None:
    """Old films 1 2 3; then 2 is rated anew, which puts it last, 4 is new and 1 is gone."""
    before = Profile(np.array([1, 2, 3]), np.array([5, 2, 4]), np.array([10, 20, 30]), speaks=np.array([1, -1, 1]))
    after = Profile(np.array([3, 2, 4]), np.array([4, 5, 3]), np.array([30, 40, 50]), speaks=np.array([1, 1, 1]))
    deeds = _deeds(before, after)
    assert deeds == ((1, None, 5.0), (2, 5.0, 2.0), (4, 3.0, None))
    back = _restored(before, Query(after), [d.film for d in deeds], deeds)
    for name in ("items", "ratings", "times", "speaks"):
        np.testing.assert_array_equal(getattr(back, name), getattr(before, name))
    assert _restored(before, Query(after), [1], deeds).items.tolist() == [1, 3, 2, 4]
    two = _restored(before, Query(after), [2], deeds)
    assert (two.items.tolist(), two.ratings.tolist(), two.speaks.tolist()) == ([2, 3, 4], [2, 4, 3], [-1, 1, 1])
    assert _restored(before, Query(after), [4], deeds).items.tolist() == [3, 2]


def test_a_film_comes_back_to_its_old_place_whatever_else_moved() -> None:
    """Old films 1 2 3; 1 and 2 are rated anew. With 2 as it was, it stands before 3 and not after 1, which has moved."""
    before = Profile(np.array([1, 2, 3]), np.array([5, 2, 4]), np.array([10, 20, 30]))
    after = Profile(np.array([3, 1, 2]), np.array([4, 1, 5]), np.array([30, 40, 50]))
    back = _restored(before, Query(after), [2], _deeds(before, after))
    assert (back.items.tolist(), back.ratings.tolist(), len(back.speaks)) == ([2, 3, 1], [2, 4, 1], 0)


def test_sentences_count_what_moved(service: Service) -> None:
    viewer = service.viewers["kenji"]
    film = first(ask(service, viewer))[10]
    found = changed(ask(service, viewer), ask(service, rated(viewer, film, 5)))
    title, said = service.catalog.titles[film], sentences(found, service.catalog)
    assert said[0].startswith(f"{len(found.moves)} films of your first row moved: ")
    counts = {how: len(of) for how, of in (("came in", found.came), ("went up", found.rose), ("went down", found.fell), ("left", found.left))}
    assert all(f"{n} {how}" in said[0] for how, n in counts.items() if n)
    assert [int(s.split()[0]) for s in said[1:]] == [len(of) for of in found.groups]
    assert any(f"because you gave {title} 5 stars:" in s for s in said)
    told = sentences(found, service.catalog, {film: f"you loved {title}"})
    assert any(f"because you loved {title}:" in s for s in told)
    for move in found.moves:
        text = line(move, found, service.catalog)
        assert all(str(p) in text for p in move.places if p)
        if move.why.kind == "rating":
            assert f"number {move.why.ranks[0]:,} by score instead of {move.why.ranks[1]:,}" in text
