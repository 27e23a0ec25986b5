"""What a sceptic would try by hand: take a film away, ask why another is missing, set limits for tonight."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.counterfactual import plus, without
from recommender.models.hybrid import PARTS
from recommender.models.neighbours import PUBLISHED
from recommender.models.sequence import REST
from recommender.serve import inquiry, phrases, wire
from recommender.serve.answers import Change
from recommender.serve.evidence import evidence
from recommender.serve.service import Service
from recommender.serve.signals import Verdict
from recommender.serve.viewers import Viewer
from recommender.settings import settings
from recommender.types import CERTIFICATES, Context, Filters, Query, Reason

EVENING = Context("evening", "tv")


def place(service: Service, name: str, query: Query, item: int, model: str) -> int:
    """Rank by brute force among all films within the limit that the viewer has not seen."""
    viewer, scores = service.viewers[name], service.models[model].score([query])[0]
    rivals = service.catalog.allowed(viewer.certificate)
    rivals[viewer.profile.items] = False
    rivals[item] = False
    return 1 + sum(scores[i] > scores[item] or (scores[i] == scores[item] and i < item) for i in np.flatnonzero(rivals))


# -- what the promised drop is worth ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["jonas", "walter", "vera", "mia", "kenji"])
def test_who_stops_using_the_named_film_sees_the_promised_drop(service: Service, name: str) -> None:
    """Each of the first films of each row: the rank that the sentence promised is the one in the dialog after one click."""
    viewer = service.viewers[name]
    query = service.query(viewer, EVENING)
    promised = 0
    for row in service.home(viewer, query).carousels:
        for r in row.recommendations[:2]:
            for drop in r.drops:
                less = service.query(viewer, EVENING, [drop.film])
                assert drop.film not in less.profile.items
                assert service.details(viewer, query, r.item, r.model).rank == drop.before
                assert service.details(viewer, less, r.item, r.model).rank == drop.after
                promised += 1
    assert promised >= 3


@pytest.mark.parametrize("name", ["vera", "mia"])
def test_the_dialog_has_both_ranks_of_every_film_among_the_reasons(service: Service, name: str) -> None:
    viewer = service.viewers[name]
    query = service.query(viewer, EVENING)
    for model in ("hybrid", "ease", "als", "sequence"):
        item = int(
            np.argmax(np.where(np.isin(np.arange(len(service.catalog)), viewer.profile.items), -np.inf, service.models[model].score([query])[0]))
        )
        found = service.details(viewer, query, item, model)
        films = [r.subject for r in found.recommendation.explanation.reasons[:8] if r.kind in ("film", "sequence") and isinstance(r.subject, int)]
        assert [d.film for d in found.drops] == films
        for drop in found.drops[:3]:
            assert drop.before == place(service, name, query, item, model)
            assert drop.after == place(service, name, without(query, [drop.film]), item, model)


def test_a_film_not_to_be_used_is_in_no_reason_and_still_not_shown(service: Service) -> None:
    kenji = service.viewers["kenji"]
    loved = [int(i) for i in kenji.profile.items[kenji.profile.ratings == 5]]
    query = service.query(kenji, EVENING, loved)
    titles = {service.catalog.titles[i] for i in loved}
    home = service.home(kenji, query)
    assert len(home.carousels) >= 10
    for row in home.carousels:
        assert not any(title in row.title for title in titles)
        for r in row.recommendations:
            assert r.item not in loved
            assert not {x.subject for x in r.explanation.reasons} & set(loved)
            assert not any(re.search(rf"(liked|of) {re.escape(title)}(?!\w)", r.sentence) for title in titles)


def test_a_row_because_of_a_film_holds_only_films_that_fall_without_it(service: Service) -> None:
    for name in ("jonas", "vera", "mia", "kenji"):
        viewer = service.viewers[name]
        query = service.query(viewer, EVENING)
        rows = [row for row in service.home(viewer, query).carousels if row.key.startswith("because-")]
        for row in rows:
            film = service.catalog.index(int(row.key.removeprefix("because-")))
            assert f"{settings().least_drop} places lower" in row.why
            for r in row.recommendations[::7]:
                before = place(service, name, query, r.item, "ease")
                after = place(service, name, without(query, [film]), r.item, "ease")
                assert [(d.film, d.before, d.after) for d in r.drops] == [(film, before, after)]
                assert after - before >= settings().least_drop
        assert rows


def test_the_rule_is_a_setting_and_can_silence_every_name(service: Service) -> None:
    strict = replace(service, settings=settings().model_copy(update={"least_drop": 5000}))
    vera = service.viewers["vera"]
    home = strict.home(vera, strict.query(vera, EVENING))
    assert not any(r.drops for row in home.carousels for r in row.recommendations)
    assert not any(row.key.startswith("because-") for row in home.carousels)


# -- why not ---------------------------------------------------------------------------------------------------------------


ALL = ("time_of_day", "device")


@pytest.mark.parametrize("filters", [Filters(), Filters(minutes=110)])
@pytest.mark.parametrize("name", ["leila", "walter", "vera", "kenji", "mia"])
def test_why_not_adds_up_and_every_change_was_tried(service: Service, name: str, filters: Filters) -> None:
    viewer = service.viewers[name]
    query = service.query(viewer, EVENING, anyway=ALL)
    asked = service.request(viewer, query, filters)
    row = asked.planner.top()
    pool = asked.offered & row.among & ~np.isin(np.arange(len(service.catalog)), viewer.profile.items)
    rng = np.random.default_rng(0)
    changes = 0
    for item in rng.choice(np.flatnonzero(pool), 3, replace=False).tolist():
        found = inquiry.why_not(asked, item, ALL)
        if found is None:
            continue
        assert found.among == pool.sum()
        assert found.rank == rank_in(row.scores, pool, item)
        assert rank_in(row.scores, pool, found.rival) == min(10, pool.sum())
        assert found.gap == pytest.approx(max(float(row.scores[found.rival]) - float(row.scores[item]), 0), abs=1e-6)
        if found.gap:
            assert sum(points for _, points in found.parts) == pytest.approx(found.gap, abs=1e-4)
        assert set(dict(found.parts)) <= {*PARTS, "time", "device", found.model}
        for change in found.changes:
            rank, place = after(service, viewer, query, filters, change, item)
            assert (change.rank, change.place) == (rank, place)
            assert change.rank < found.rank
            changes += 1
        for kind in ("rate", "drop", "context"):
            order = [c.place or 10 + c.rank for c in found.changes if c.what == kind]
            assert order == sorted(order)
    assert changes >= 1


def rank_in(scores: np.ndarray, pool: np.ndarray, item: int) -> int:
    return 1 + sum(scores[i] > scores[item] or (scores[i] == scores[item] and i < item) for i in np.flatnonzero(pool) if i != item)


def after(service: Service, viewer: Viewer, query: Query, filters: Filters, change: Change, item: int) -> tuple[int, int | None]:
    """Rank by score, and place on the Home page, once the change has been made: the film rated and so seen, not used, or the moment another."""
    if change.what == "rate":
        viewer, query = replace(viewer, profile=plus(Query(viewer.profile), change.film).profile), plus(query, change.film)
    elif change.what == "drop":
        query = without(query, [change.film])
    else:
        query = Query(query.profile, change.context)
    asked = service.request(viewer, query, filters)
    row = asked.planner.top()
    pool = asked.offered & row.among & ~np.isin(np.arange(len(service.catalog)), viewer.profile.items)
    assert pool[item]
    shown = [r.item for r in service.home(viewer, query, filters).carousels[0].recommendations[:10]]
    return rank_in(row.scores, pool, item), shown.index(item) + 1 if item in shown else None


@pytest.mark.parametrize("filters", [Filters(), Filters(minutes=95), Filters("Western")])
@pytest.mark.parametrize("name", ["sam", "leila", "walter", "vera", "mia"])
def test_what_is_shown_first_needs_no_excuse_and_what_is_not_has_one(service: Service, name: str, filters: Filters) -> None:
    viewer = service.viewers[name]
    query = service.query(viewer, EVENING)
    asked = service.request(viewer, query, filters)
    row = service.home(viewer, query, filters).carousels[0]
    assert row.key == "top"
    for place, r in enumerate(row.recommendations, 1):
        found = inquiry.why_not(asked, r.item, ())
        assert (found is None) == (place <= 10), place
        assert inquiry.standing(asked, r.item).place == (place if place <= 10 else None)
    for place, r in enumerate(row.recommendations[:10:3], 1):
        held = inquiry.held(asked, r.item, seconds=0.3)
        assert held.place == 3 * place - 2
        shown = {x.item for x in service.home(viewer, without(query, held.films), filters).carousels[0].recommendations[:10]}
        assert (r.item not in shown) == bool(held.films)  # without them it is really gone from the row
    assert inquiry.held(asked, row.recommendations[10].item) is None


def test_a_film_outside_the_four_hundred_is_told_so(service: Service) -> None:
    kenji = service.viewers["kenji"]
    asked = service.request(kenji, service.query(kenji, EVENING))
    row = asked.planner.top()
    assert asked.strategy.route == "collaborative"
    outside = np.flatnonzero(asked.offered & ~row.among & asked.scores.pool)[:3]
    for item in outside.tolist():
        found = inquiry.why_not(asked, item, ())
        assert found.rank is None
        assert any("takes only the 400 films" in line for line in phrases.why_not(found, service.catalog))


def test_what_is_simulated_is_marked_in_why_not(service: Service) -> None:
    kenji = service.viewers["kenji"]
    asked = service.request(kenji, service.query(kenji, EVENING, anyway=ALL))
    marked = 0
    for item in np.flatnonzero(asked.offered & asked.planner.top().among & asked.scores.pool)[:12].tolist():
        found = inquiry.why_not(asked, item, ALL)
        told = wire.why_not(found, item, service.catalog) if found else {"behind": [], "changes": []}
        assert all(("simulated" in part) == (part["part"] == "device") for part in told["behind"])
        assert all(("simulated" in c) == bool(c["context"] and c["context"].get("device")) for c in told["changes"])
        for line in phrases.why_not(found, service.catalog) if found else []:
            if "“Device”" in line or re.search(r"^For .*(TV|your phone|your tablet|your computer)", line):
                assert "(simulated)" in line
                marked += 1
    assert marked


@pytest.mark.parametrize(
    ("name", "film", "filters", "hidden", "said"),
    [
        ("kenji", "Alien (1979)", Filters(), False, "you have seen it"),
        ("mia", "Pocahontas (1995)", Filters(), True, "you hid it"),
        ("mia", "Pocahontas (1995)", Filters(minutes=60), False, "it takes 81 minutes, and you have 60"),
        ("vera", "Pulp Fiction (1994)", Filters(certificate="PG"), False, "it has R, and you asked for PG at most"),
        ("vera", "The Apartment (1960)", Filters(in_colour=True), False, "it is in black and white, or may be"),
        ("vera", "Alien (1979)", Filters(genre="Comedy"), False, "it is not filed under Comedy"),
        ("vera", "The Bicycle Thief (1948)", Filters(minutes=60), False, "nobody knows how long it takes"),
    ],
)
def test_rules_that_keep_a_film_away_are_named(service: Service, name: str, film: str, filters: Filters, hidden: bool, said: str) -> None:
    viewer, item = service.viewers[name], service.catalog.named(film)
    asked = service.request(viewer, service.query(viewer, EVENING), filters, frozenset([item] if hidden else []))
    found = inquiry.why_not(asked, item, ())
    assert found is not None
    assert said in found.kept_out
    assert any(said in line for line in phrases.why_not(found, service.catalog))


def test_a_film_the_viewer_would_dislike_is_kept_out_by_its_match(service: Service) -> None:
    vera = service.viewers["vera"]
    asked = service.request(vera, service.query(vera, EVENING))
    chance = np.where(asked.scores.pool, asked.promise["chance"], np.nan)
    for item in (int(np.nanargmin(chance)), int(np.nanargmax(np.where(chance < 0.3, chance, np.nan)))):  # the worst, and the one nearest to the line
        found = inquiry.why_not(asked, item, ())
        assert found is not None
        assert f"its match is {int(100 * chance[item])}%, and under 30% a film is not offered" in found.kept_out
        assert int(100 * chance[item]) < 30


def test_a_newcomer_is_told_that_hardly_anything_is_personal_yet(service: Service) -> None:
    sam = service.viewers["sam"]
    asked = service.request(sam, service.query(sam, EVENING))
    found = inquiry.why_not(asked, service.catalog.named("Pocahontas (1995)"), ())
    assert found is not None
    assert found.model == "popularity"
    assert {c.what for c in found.changes} == {"rate"}  # the little that a newcomer says moves the row a little
    assert any("hardly personal yet" in line for line in phrases.why_not(found, service.catalog))


def test_leaving_films_out_does_not_change_the_way_or_what_was_rated(service: Service) -> None:
    walter = service.viewers["walter"]  # eight ratings: one fewer would be a newcomer's
    assert len(walter.profile) == settings().few_ratings
    for unused in ([], walter.profile.items[:1].tolist(), walter.profile.items.tolist()):
        home = service.home(walter, service.query(walter, EVENING, unused))
        assert home.strategy.route == "balanced"
        assert "you have rated 8 films" in home.strategy.why
        assert len(home.carousels) >= 5
    query = service.query(walter, EVENING, walter.profile.items[:4].tolist())
    told = service.details(walter, query, service.catalog.named("Patton"), "content")
    genre = next(n for n, r in enumerate(told.recommendation.explanation.reasons) if r.kind == "genre")
    rated = walter.profile.items[
        service.catalog.genres[walter.profile.items, service.catalog.genre(told.recommendation.explanation.reasons[genre].subject)]
    ]
    assert f"of the {len(rated)} you rated" in told.evidence[genre]


# -- limits for tonight ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sam", "vera", "mia"])
@pytest.mark.parametrize("filters", [Filters(minutes=95), Filters(certificate="PG"), Filters(in_colour=True), Filters("Comedy", 100, "PG-13", True)])
def test_limits_hold_in_every_row(service: Service, name: str, filters: Filters) -> None:
    viewer, catalog = service.viewers[name], service.catalog
    query = service.query(viewer, EVENING)
    mild = CERTIFICATES[: CERTIFICATES.index(filters.certificate) + 1] if filters.certificate else (*CERTIFICATES, "")
    homes = [service.home(viewer, query, filters), *(service.listing(viewer, query, m, 20, filters) for m in ("hybrid", "popularity", "encoder"))]
    items = [r.item for home in homes for row in home.carousels for r in row.recommendations]
    assert len(items) > 20
    for i in items:
        assert filters.minutes is None or catalog.minutes[i] <= filters.minutes
        assert catalog.certificates[i] in mild
        assert catalog.in_colour[i] or not filters.in_colour
        assert filters.genre is None or filters.genre in catalog.genres_of(i)


def test_nothing_fits_is_an_empty_page_and_no_error(service: Service) -> None:
    vera = service.viewers["vera"]
    assert service.home(vera, service.query(vera, EVENING), Filters("Film-Noir", 30, "G", True)).carousels == ()


# -- evidence --------------------------------------------------------------------------------------------------------------


def test_evidence_counts_what_is_there(service: Service) -> None:
    catalog, models, ease = service.catalog, service.models, service.models["ease"]
    vera = service.viewers["vera"].profile
    film, other = int(ease.weights_.indices[0]), int(np.flatnonzero(np.diff(ease.weights_.indptr))[0])
    both = ease.both(other, film)
    wanted = f"{both:,} people rated both" if both else f"Fewer than {PUBLISHED} people rated both"
    assert evidence(Reason("film", other, 1.0), film, vera, catalog, models) == wanted
    counts = ease.both_
    assert ((counts >= PUBLISHED) | (counts == -1)).all()  # fewer are never published
    raters = models["popularity"].parts_[2]
    rows = np.repeat(np.arange(len(catalog)), np.diff(ease.weights_.indptr))
    assert (counts <= np.minimum(raters[rows], raters[ease.weights_.indices])).all()  # no more than rated either
    assert ease.both(other, other) is None
    noir = catalog.genres[vera.items, catalog.genre("Film-Noir")]
    said = f"You liked {(noir & (vera.ratings >= 4)).sum()} of the {noir.sum()} you rated"
    assert evidence(Reason("genre", "Film-Noir", 1.0), film, vera, catalog, models) == said
    assert evidence(Reason("context", "tv", 1.0, True), film, vera, catalog, models).startswith("Simulated")
    assert evidence(Reason("context", "evening", 1.0), film, vera, catalog, models).startswith("Observed")
    assert evidence(Reason("popularity", "quality", 1.0), film, vera, catalog, models) == "Says nothing about you"
    assert evidence(Reason("film", "12 other films", 1.0), film, vera, catalog, models) == ""


# -- what the models are told ----------------------------------------------------------------------------------------------


def verdict(signal: str, on: bool) -> Verdict:
    return Verdict(signal, "observed", on, 0.0, 0.0, 0.0, 1.0, 10, "Switched.")


def test_a_signal_that_is_off_reaches_no_model(service: Service) -> None:
    vera, sam = service.viewers["vera"], service.viewers["sam"]
    off = {name: verdict(name, False) for name in ("time_of_day", "device")}
    on = {name: verdict(name, True) for name in ("time_of_day", "device")}
    desk = replace(service, signals={"hybrid": off, "popularity": on})
    assert desk.query(vera, EVENING).context == Context()
    assert desk.query(sam, EVENING).context == EVENING  # another model makes a newcomer's first row
    assert desk.query(vera, EVENING, anyway=("device",)).context == Context(device="tv")
    assert desk.told(vera) == ()
    assert desk.told(vera, ("device",)) == ("device",)
    home = desk.home(vera, desk.query(vera, EVENING))
    assert not any(x.kind == "context" for row in home.carousels for r in row.recommendations for x in r.explanation.reasons)
    assert not any(row.simulated for row in home.carousels)
    assert home.strategy.simulated == ()
    found = inquiry.why_not(desk.request(vera, desk.query(vera, EVENING)), desk.catalog.named("Alien³"), desk.told(vera))
    assert found is not None
    assert not any(change.what == "context" for change in found.changes)


# -- the command line ------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> dict:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_explain_as_json_adds_up_and_its_ranks_can_be_checked_by_hand(service: Service) -> None:
    for model, exact in (("ease", True), ("item_knn", True), ("als", True), ("pure_svd", True), ("content", True), ("hybrid", False)):
        told = run("explain", "--viewer", "vera", "--film", "The Manchurian Candidate", "--model", model)
        assert {"film", "score", "rank", "reasons", "exact", "without", "smallest_set", "parts", "sentence"} <= set(told)
        assert told["exact"] is exact
        tolerance = 1e-6 if exact else 1e-5
        assert sum(reason["weight"] for reason in told["reasons"]) == pytest.approx(told["score"], abs=tolerance * max(1, abs(told["score"])))
        assert sum(part["points"] for part in told["parts"]) == pytest.approx(told["score"], abs=1e-4)
        films = [r["subject"] for r in told["reasons"] if r["kind"] in ("film", "sequence") and r["subject"] != REST]
        assert [drop["film"] for drop in told["without"]] == films  # both ranks of every film that is a reason
        for drop in told["without"][:1]:
            again = run("explain", "--viewer", "vera", "--film", "The Manchurian Candidate", "--model", model, "--without", drop["film"])
            assert (told["rank"], again["rank"]) == (drop["rank_before"], drop["rank_after"])
        if model != "content":
            assert told["without"]
        if told["smallest_set"] and told["smallest_set"]["films"]:
            gone = "; ".join(told["smallest_set"]["films"])
            again = run("explain", "--viewer", "vera", "--film", "The Manchurian Candidate", "--model", model, "--without", gone)
            assert again["rank"] == told["smallest_set"]["rank_after"] > 10


def test_why_not_and_limits_from_the_command_line() -> None:
    told = run("why-not", "--viewer", "mia", "--film", "Pocahontas", "--minutes", "60")
    assert told["kept_out"] == ["it takes 81 minutes, and you have 60"]
    told = run("why-not", "--viewer", "kenji", "--film", "Starship Troopers")
    assert sum(part["points"] for part in told["behind"]) == pytest.approx(told["gap"], abs=1e-4)
    assert told["rank"] > told["first"] == 10
    answer = run("recommend", "--viewer", "vera", "--minutes", "95", "--certificate", "PG", "--in-colour", "--genre", "comedy", "-k", "5")
    assert answer["carousels"]
    assert {"time_of_day", "device"} == set(answer["signals"])
    assert all("Comedy" in film["genres"] for row in answer["carousels"] for film in row["items"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "--viewer", "vera", "--film", "Alien", "--without", "Toy Story"], "'Toy Story', which Vera has not rated"),
        (["recommend", "--viewer", "vera", "--genre", "Polka"], "genre 'Polka' is unknown"),
        (["recommend", "--viewer", "vera", "--minutes", "0"], "greater than or equal to 1"),
        (["why-not", "--viewer", "mia", "--film", "The Matrix"], "over the limit of Mia, PG"),
    ],
)
def test_bad_input_is_named(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code != 0
    assert said in (str(done.exception) if done.exception and not isinstance(done.exception, SystemExit) else done.output)


def test_wire_of_a_film_in_full(service: Service) -> None:
    vera = service.viewers["vera"]
    found = service.details(vera, service.query(vera, EVENING), 5, "hybrid")
    told = wire.details(found, service.catalog)
    assert json.loads(json.dumps(told)) == told
    assert len(told["reasons"]) == len(found.recommendation.explanation.reasons)
    assert all("evidence" in reason for reason in told["reasons"][:8])
