"""A film by lot: within every rule, with the chance that is stated and logged."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import chisquare

from recommender.serve.inquiry import first_row
from recommender.serve.request import Request
from recommender.serve.service import Service
from recommender.serve.surprise import AMONG, FAVOUR, hat, surprise
from recommender.types import ANY_FILM, Context, Filters

ASKED = (
    ANY_FILM,
    Filters(genre="Comedy", minutes=100),
    Filters(certificate="PG", in_colour=True),
    Filters(decade=1980, stars=3.5),
    Filters(fame="rare"),
)


def ask(service: Service, name: str, filters: Filters = ANY_FILM, hidden: frozenset[int] = frozenset()) -> Request:
    viewer = service.viewers[name]
    return service.request(viewer, service.query(viewer, Context("evening", "tv")), filters, hidden)


@pytest.mark.parametrize("filters", ASKED)
@pytest.mark.parametrize("name", ["sam", "leila", "walter", "vera", "mia"])
def test_never_a_film_outside_the_rules(service: Service, name: str, filters: Filters) -> None:
    plain = ask(service, name, filters)
    page = {r.item for row in service.home(plain.viewer, plain.query, filters).carousels for r in row.recommendations}
    hidden = frozenset(set(hat(plain)[0][:50:7].tolist()) - page)
    asked = ask(service, name, filters, hidden)
    items, chances = hat(asked, page)
    if len(items):
        assert chances.sum() == pytest.approx(1)
        assert (chances > 0).all()
    assert len(set(items.tolist())) == len(items) <= AMONG
    assert not set(items.tolist()) & (page | hidden | set(asked.viewer.profile.items.tolist()))
    assert service.catalog.allowed(asked.viewer.certificate)[items].all()
    assert service.catalog.fits(filters)[items].all()
    assert (asked.promise["chance"][items] >= service.settings.least_match).all()
    found = surprise(asked, np.random.default_rng(3), page)
    assert (found.recommendation is None) == (not len(items))
    if found.recommendation:
        assert found.recommendation.item in items
        assert found.propensity == chances[items.tolist().index(found.recommendation.item)]
        assert found.recommendation.sentence


@pytest.mark.parametrize("name", ["sam", "walter", "vera"])
def test_in_the_hat_are_the_best_films_and_the_less_known_have_more_lots(service: Service, name: str) -> None:
    asked = ask(service, name)
    items, chances = hat(asked)
    row, pool = first_row(asked)
    worst = row.scores[items].min()
    left = pool & ~np.isin(np.arange(len(pool)), items) & (asked.promise["chance"] >= service.settings.least_match)
    assert (np.diff(row.scores[items]) <= 0).all()
    assert len(items) == AMONG or not left.any()
    assert not left.any() or row.scores[left].max() <= worst
    raters = service.catalog.raters[items]
    rare = raters < np.median(raters)
    assert 0.4 < rare.mean() <= 0.5
    assert len(set(chances[rare])) == len(set(chances[~rare])) == 1
    assert chances[rare][0] == pytest.approx(FAVOUR * chances[~rare][0])
    assert FAVOUR > 1


def test_draws_come_as_often_as_is_stated(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """4,000 draws from a small hat; the same seed draws the same film."""
    monkeypatch.setattr(Request, "recommendations", lambda self, row, items: tuple(SimpleNamespace(item=int(i)) for i in items))
    asked, rng = ask(service, "kenji", Filters(genre="Sci-Fi", decade=1990)), np.random.default_rng(11)
    items, chances = hat(asked)
    assert 5 <= len(items) <= 100
    drawn = [surprise(asked, rng) for _ in range(4_000)]
    counts = np.bincount(np.searchsorted(np.sort(items), [d.recommendation.item for d in drawn]), minlength=len(items))
    assert chisquare(counts, 4_000 * chances[np.argsort(items)]).pvalue > 0.001
    stated = dict(zip(items.tolist(), chances.tolist()))
    assert all(d.propensity == stated[d.recommendation.item] for d in drawn[:200])
    assert surprise(asked, np.random.default_rng(5)) == surprise(asked, np.random.default_rng(5))
    assert len({surprise(asked, np.random.default_rng(seed)).recommendation.item for seed in range(30)}) > 3


def test_the_odds_in_words_are_those_in_figures(service: Service) -> None:
    for seed in range(8):
        asked = ask(service, "vera")
        found = surprise(asked, np.random.default_rng(seed))
        among, one_in = map(int, re.fullmatch(r"Drawn from (\d+) films that fit; this one had a chance of 1 in (\d+)\.", found.odds).groups())
        assert among == found.among == len(hat(asked)[0])
        assert one_in == round(1 / found.propensity)
    assert f"that may be shown and are not on the page, the first {AMONG} for you at most" in found.rule
    assert f"{service.settings.least_match:.0%} or more" in found.rule


def test_an_empty_hat_says_so_and_a_last_film_is_sure(service: Service) -> None:
    asked = ask(service, "vera", Filters(genre="Film-Noir"))
    items, _ = hat(asked)
    last = surprise(asked, np.random.default_rng(0), set(items[1:].tolist()))
    assert (last.recommendation.item, last.propensity, last.among, last.odds) == (items[0], 1.0, 1, "The only film that fits.")
    none = surprise(asked, np.random.default_rng(0), set(items.tolist()))
    assert (none.recommendation, none.propensity, none.among) == (None, 0.0, 0)
    assert none.odds == "Nothing to draw from: no film that is not on the page yet fits."


def test_films_of_unknown_match_are_left_out_and_need_no_promise(service: Service) -> None:
    """Without the model that foretells stars nothing is known of any match; then the rule does not speak of it."""
    bare = replace(service, models={name: m for name, m in service.models.items() if name != "ratings"})
    asked = ask(bare, "vera")
    found = surprise(asked, np.random.default_rng(0))
    assert found.recommendation is not None
    assert found.recommendation.match is None
    assert "match" not in found.rule
    assert not np.isnan(ask(service, "vera").promise["chance"][hat(ask(service, "vera"))[0]]).any()
