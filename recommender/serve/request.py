"""One viewer's query while it is answered: what is scored, offered, tried and said is worked out once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recommender import rank
from recommender.catalog import Catalog
from recommender.models.ratings import Ratings
from recommender.serve import phrases
from recommender.serve.carousels import Planner, Row
from recommender.serve.routing import route, way
from recommender.serve.standings import Scores
from recommender.serve.viewers import Viewer
from recommender.settings import Settings
from recommender.steer import FLAT, Steering, pushes
from recommender.types import (
    ANY_FILM,
    NO_PREFERENCES,
    Carousel,
    Context,
    Drop,
    Explanation,
    Filters,
    Query,
    Recommendation,
    Recommender,
    Strategy,
    Way,
    simulated_in,
)  # fmt: skip

if TYPE_CHECKING:
    from recommender.models.atlas import Atlas

TRIED = 10  # films of the viewer's that are tried for one row, those named most often first


@dataclass(eq=False)
class Request:
    """query.profile is what the models may know; viewer.profile all that the viewer has seen, films not to be used included."""

    settings: Settings
    catalog: Catalog
    models: dict[str, Recommender]
    viewer: Viewer
    query: Query
    filters: Filters = ANY_FILM
    hidden: frozenset[int] = frozenset()
    nobody: dict[tuple[int, Context], np.ndarray] = field(default_factory=dict)  # see Scores
    atlas: Atlas | None = None  # groups of films, where it loaded

    @cached_property
    def seen(self) -> np.ndarray:
        """Item numbers of what the viewer has seen."""
        return np.union1d(self.viewer.profile.items, self.query.profile.items)

    @property
    def passed_over(self) -> np.ndarray:
        """Item numbers that no row but Watch again may show: what was seen, unless the viewer wants it shown."""
        return np.empty(0, np.int64) if self.viewer.preferences.seen else self.seen

    @cached_property
    def scores(self) -> Scores:
        """Scores and ranks among all films within the viewer's limit that they have not seen."""
        pool = self.catalog.allowed(self.viewer.certificate)
        pool[self.passed_over] = False
        return Scores(self.models, self.query, pool, self.steering, nobody=self.nobody)

    @cached_property
    def steering(self) -> Steering:
        """What the viewer set by hand."""
        wanted = self.viewer.preferences
        if wanted == NO_PREFERENCES:
            return Steering()
        atlas = self.atlas
        wanted = replace(wanted, groups=tuple((g, points) for g, points in wanted.groups if atlas and 0 <= g < len(atlas.names)))
        closeness = {group: atlas.closeness(group) for group, _ in wanted.groups} if atlas else None
        names = {group: atlas.names[group].text for group, _ in wanted.groups} if atlas else None
        return Steering(pushes(wanted, self.catalog, closeness, self.catalog.raters, names), wanted.without)

    @property
    def way(self) -> Way:
        """By how much the viewer has rated, whether it is used or not: to leave a film out must not change the way."""
        return way(len(self.viewer.profile), self.models, self.settings)

    @cached_property
    def strategy(self) -> Strategy:
        """The way and its reason in words; one model alone where the viewer chose one."""
        chosen = self.chosen
        if chosen is not None:
            why = f"The first row is ranked by one model, as you asked: {phrases.PART_NAMES[chosen]}."
            return Strategy("single", why, {chosen: 1.0}, simulated_in(self.query.context, self.models[chosen]))
        made = route(self.query, len(self.viewer.profile), self.models, self.settings)
        return replace(made, why=f"{made.why} Moved by what you set by hand.") if self.steering else made

    @cached_property
    def chosen(self) -> str | None:
        """The model that the viewer wants for the first row, where it is there and has something to say."""
        wanted = self.viewer.preferences.model
        return wanted if wanted in self.models and not self.silent(self.row_of(wanted), self.offered) else None

    @property
    def main(self) -> str:
        """The model that makes the first row, or the first that is there."""
        wanted = self.chosen or ("popularity" if self.way == "popular" else "hybrid")
        return wanted if wanted in self.models else next(iter(self.models), wanted)

    @cached_property
    def promise(self) -> dict[str, np.ndarray]:
        """Predicted stars and the chance of four or more (I,); nan where too few people rated the film."""
        ratings = self.models.get("ratings")
        if not isinstance(ratings, Ratings):
            return {}
        stars, known = self.scores["ratings"], ratings.raters_ > 0
        chance = ratings.chance(stars, len(self.query.profile))
        return {"stars": np.where(known, np.clip(stars, 0.5, 5), np.nan), "chance": np.where(known, chance, np.nan)}

    @cached_property
    def may_see(self) -> np.ndarray:  # (I,) bool
        """Films within the viewer's limit and the filters, not hidden, and not on the watch-list where that is to be left out."""
        may = self.catalog.allowed(self.viewer.certificate) & self.catalog.fits(self.filters)
        may[list(self.hidden)] = False
        if not self.viewer.preferences.listed:
            may[list(self.viewer.listed)] = False
        return may

    @cached_property
    def offered(self) -> np.ndarray:  # (I,) bool
        """Films for a Home page: on a personal one, nothing that the viewer is expected to dislike; unknown chances stay."""
        if not self.promise or self.way == "popular":
            return self.may_see
        return self.may_see & ~(self.promise["chance"] < self.settings.least_match)

    @cached_property
    def planner(self) -> Planner:
        """Plans the rows, over films that are offered and not seen."""
        unseen = self.offered.copy()
        unseen[self.passed_over] = False
        s, variety = self.settings, self.viewer.preferences.variety
        diversity = variety if variety is not None else s.diversity if self.way == "collaborative" else 0.0
        return Planner(self.catalog, self.scores, self.viewer.name, self.way, diversity, s.least_drop, unseen, self.chosen)

    def row_of(self, model: str) -> Row:
        """A plain row over all films by one model, or by the main one where `model` is not there."""
        name = model if model in self.scores else self.main
        if name not in self.scores:
            raise LookupError(f"model {name!r} is not loaded; loaded: {', '.join(self.models) or 'none'}")
        everything = np.ones(len(self.catalog), bool)
        simulated = bool(simulated_in(self.query.context, self.models[name]))
        return Row(name, phrases.PART_NAMES[name], "", name, self.scores[name], self.scores.explain(name), everything, simulated=simulated)

    def choose(self, row: Row, allowed: np.ndarray, used: np.ndarray, k: int | None = None) -> np.ndarray:
        """The films of one row: allowed, in the row's own set, not on the screen yet, and unseen (but for Watch again)."""
        k = k or self.settings.row_length
        scores = rank.mask(row.scores, self._out(row, allowed) | used)
        return rank.diversify(scores, self.catalog.genres, k, row.diversity) if row.diversity else rank.top(scores, k)

    def silent(self, row: Row, allowed: np.ndarray) -> bool:
        """Whether the row's scores tell no film from another of those it may show: any list would be made of ties."""
        scores = row.scores[~self._out(row, allowed)]
        return len(scores) > 1 and not np.ptp(scores) > FLAT

    def _out(self, row: Row, allowed: np.ndarray) -> np.ndarray:  # (I,) bool
        """Films that a row may not show."""
        out = ~allowed | ~row.among
        if row.key != "again":
            out[self.passed_over] = True
        return out

    def has_scores_of_its_own(self, row: Row) -> bool:
        """Whether a row is not ranked as its model ranks all films."""
        return row.scores is not self.scores.done.get(row.model)

    def pool(self, row: Row) -> np.ndarray:  # (I,) bool
        """Films not seen among which a row ranks: all, or those that it is about where it has scores of its own."""
        return self.scores.pool & row.among if self.has_scores_of_its_own(row) else self.scores.pool.copy()

    def carousel(self, row: Row, items: np.ndarray) -> Carousel:
        return Carousel(row.key, row.title, row.why, row.model, self.recommendations(row, items), row.simulated)

    def recommendations(self, row: Row, items: np.ndarray) -> tuple[Recommendation, ...]:
        """Films as they are shown. A sentence names a film of the viewer's only where the recommendation falls without it."""
        explanations = row.explain(items)
        named = [phrases.nameable(e) if item not in self.query.profile.items else [] for item, e in zip(items, explanations)]
        tried, placed = self._tried(row, np.asarray(items), named), self.scores.placed(row.model, np.asarray(items))
        return tuple(
            self._recommendation(row, *of) for of in zip(np.asarray(items).tolist(), explanations, tried, zip(*map(np.ndarray.tolist, placed)))
        )

    def falls(self, row: Row, items: np.ndarray, films: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Ranks of items (K,) by the model of a row, or as the row itself scores where no model does: now (K,), and without each of these films in
        turn (n, K)."""
        return self.scores.falls(row.model, items, films) if row.rescore is None else self.scores.falls_by(row.rescore, items, films)

    def drops(self, row: Row, item: int, films: list[int]) -> tuple[Drop, ...]:
        """What each of the viewer's films does for the rank of one film."""
        before, after = self.falls(row, np.array([item]), films)
        return tuple(Drop(film, int(before[0]), int(rank)) for film, rank in zip(films, after[:, 0]))

    def _tried(self, row: Row, items: np.ndarray, named: list[list[int]]) -> list[dict[int, Drop]]:
        """What the films that might be named do for the rank of each item; of many films, those that come first for most items."""
        films, counts = np.unique([film for of in named for film in (*of, *of[:1])], return_counts=True)
        if not len(films):
            return [{} for _ in items]
        chosen = films[np.argsort(-counts, kind="stable")][:TRIED].astype(int).tolist()
        before, after = self.falls(row, items, chosen)
        drops = [{film: Drop(film, int(before[k]), int(after[n, k])) for n, film in enumerate(chosen)} for k in range(len(items))]
        return [{film: of[film] for film in may if film in of} for of, may in zip(drops, named)]

    def _recommendation(self, row: Row, item: int, explanation: Explanation, drops: dict[int, Drop], placed: tuple[bool, bool]) -> Recommendation:
        score = float(row.scores[item])
        holds = {film for film, drop in drops.items() if drop.after - drop.before >= self.settings.least_drop}
        case = phrases.Case(item, explanation, score, self.query.profile, self.query.context, self.catalog, holds, *placed)
        said = phrases.say(case, row.lead)
        named = tuple(drops[film] for film in said.films)
        if not self.promise or np.isnan(self.promise["stars"][item]):
            return Recommendation(item, score, row.model, explanation, said.text, drops=named)
        stars, match = float(self.promise["stars"][item]), round(100 * float(self.promise["chance"][item]))
        return Recommendation(item, score, row.model, explanation, said.text, stars, match, named)
