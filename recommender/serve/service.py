"""The front desk: one viewer and one context in, explained rows out. Plain data; knows nothing of screens or HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from recommender import artifacts, rank
from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.load import load, read_films
from recommender.models import MODELS
from recommender.models.hybrid import Hybrid
from recommender.models.ratings import Ratings
from recommender.serve import phrases
from recommender.serve.carousels import Planner, Row, Scores
from recommender.serve.routing import route
from recommender.serve.viewers import Viewer, load_viewers
from recommender.settings import Settings
from recommender.types import Carousel, Context, Details, Explanation, Home, Profile, Query, Recommendation, Recommender, Strategy


@dataclass
class Service:
    """Catalogue, models and viewers, loaded once; every method answers for one query."""

    settings: Settings
    catalog: Catalog
    models: dict[str, Recommender]
    viewers: dict[str, Viewer]
    problems: tuple[str, ...] = ()  # one line for each artifact that did not load
    _allowed: dict[str | None, np.ndarray] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: Settings) -> Service:
        catalog = read_films(settings.films)
        models, problems = artifacts.load_all(settings.artifacts, catalog)
        return cls(settings, catalog, models, load_viewers(settings.viewers, catalog), problems)

    def warm(self) -> None:
        """Build now what is built on first use, so that nobody waits for it later."""
        self.catalog.search("a")
        for viewer in list(self.viewers.values())[-1:]:
            self.home(viewer, Query(viewer.profile, Context("evening", "tv")))
        self.dataset_users()

    # -- viewers ---------------------------------------------------------------------------------------------------

    @property
    def dataset(self) -> Path:
        return self.settings.raw / self.settings.dataset

    def dataset_users(self) -> int:
        """How many MovieLens profiles can be picked: 0 where no data set has been fetched."""
        return self._interactions.n_users if self.dataset.is_dir() else 0

    def dataset_viewer(self, number: int) -> Viewer:
        """A MovieLens user by the publisher's number."""
        if not self.dataset.is_dir():
            raise KeyError(f"MovieLens user {number} needs the data set; get it with: python -m recommender fetch --dataset {self.settings.dataset}")
        found = np.flatnonzero(self._interactions.user_ids == number)
        if not len(found):
            ids = self._interactions.user_ids
            raise KeyError(f"MovieLens user {number} is unknown, wanted {ids.min()} to {ids.max()}")
        profile = self._interactions.profile(int(found[0]))
        line = f"A real profile of {len(profile)} ratings from {self.settings.dataset}"
        return Viewer(f"ml-{number}", f"Viewer {number}", line, {"shape": "robot", "hue": (number * 47) % 360}, profile, None)

    def dataset_pick(self, rng: np.random.Generator, genre: str | None = None) -> int:
        """The number of a MovieLens user drawn at random; with a genre, of the sixtieth part (100 of 6,040) who favour it most among their films."""
        data = self._interactions
        if genre is None:
            return int(rng.choice(data.user_ids))
        share = data.matrix() @ self.catalog.genres[:, self.catalog.genre(genre)].astype(np.float32) / np.maximum(data.lengths, 1)
        return int(rng.choice(data.user_ids[rank.top(share, max(1, data.n_users // 60))]))

    @cached_property
    def _interactions(self) -> Interactions:
        """The fetched data set, in the numbers of this catalogue; the exact user neighbours come with it."""
        theirs, interactions = load(self.dataset)
        known = {int(id_): n for n, id_ in enumerate(self.catalog.ids)}
        number = np.array([known.get(int(id_), -1) for id_ in theirs.ids])[interactions.items]
        kept = replace(interactions.where(number >= 0), items=number[number >= 0], n_items=len(self.catalog))
        self.models["user_knn"] = MODELS["user_knn"]().fit(kept, self.catalog)
        return kept

    # -- what is shown ---------------------------------------------------------------------------------------------

    def home(self, viewer: Viewer, query: Query, genre: str | None = None, hidden: frozenset[int] = frozenset()) -> Home:
        """The strategy and the rows of one Home page. Items in `hidden`, seen films and films over the viewer's certificate stay away."""
        started = time.perf_counter()
        self._check(hidden)
        scores = Scores(self.models, query)
        strategy = route(query, self.models, self.settings)
        promise = self._promises(scores)
        allowed = self._offered(viewer, scores, strategy.route, genre, hidden)
        rows = self._planner(viewer, scores, strategy.route, allowed).rows()
        modelled = time.perf_counter()
        used = np.zeros(len(self.catalog), bool)
        carousels = []
        for row in rows:
            items = self._choose(row, allowed, used, query.profile)
            if len(items) >= min(row.fewest, self.settings.row_length):
                used[items] = True
                carousels.append(self._carousel(row, items, query, promise))
        done = time.perf_counter()
        timing = {"models": 1000 * (modelled - started), "reasons": 1000 * (done - modelled), "total": 1000 * (done - started)}
        return Home(strategy, tuple(carousels), timing)

    def listing(self, viewer: Viewer, query: Query, model: str, k: int = 20) -> Home:
        """One list by one model, plainly ranked, as a Home page of a single row."""
        started = time.perf_counter()
        row = self._row_of(model, query)
        items = self._choose(row, self._may_see(viewer, query), np.zeros(len(self.catalog), bool), query.profile, k)
        carousel = self._carousel(row, items, query, self._promises(Scores(self.models, query)))
        strategy = Strategy(
            "single", f"Ranked by one model, as asked: {phrases.PART_NAMES[row.model]}.", {row.model: 1.0}, ("device",) * row.simulated
        )
        return Home(strategy, (carousel,), {"total": 1000 * (time.perf_counter() - started)})

    def may_see(self, viewer: Viewer, item: int) -> bool:
        """Whether a film is within the viewer's certificate."""
        return bool(self._certified(viewer.certificate)[item])

    def details(self, viewer: Viewer, query: Query, item: int, model: str, row: str | None = None) -> Details:
        """One film for one viewer, explained as its row explains it, or by one model (by the main one where that model is not there).

        `row` is the key of a carousel of this viewer's Home page.
        """
        self._check([item])
        scores, way = Scores(self.models, query), route(query, self.models, self.settings).route
        allowed = self._offered(viewer, scores, way)
        planner = self._planner(viewer, scores, way, allowed)
        planned = planner.rows() if row else []
        kept = next((r for r in planned if r.key == row and r.among[item]), None)
        used = kept or self._row_of(model, query)
        out = ~(allowed & kept.among) if kept else ~self._may_see(viewer, query)
        out[query.profile.items] = True
        out[item] = False
        found = self._recommendations(used, np.array([item]), query, self._promises(scores))[0]
        narrow = kept is not None and bool((planner.allowed & ~kept.among).any())
        among = "the films this row is about" if narrow else "all films you have not seen"
        place = rank.rank_of(rank.mask(used.scores, out), item)
        return Details(found, place, among, self._contributions(found, query), self._similar(item, viewer))

    def _contributions(self, found: Recommendation, query: Query) -> tuple[tuple[str, float], ...]:
        """The score by model, time of day and device; of the hybrid by its parts."""
        maker = self.models.get(found.model)
        if isinstance(maker, Hybrid):
            parts = {name: float(points[0]) for name, points in maker.contributions(query, np.array([found.item])).items()}
        else:
            said = [r for r in found.explanation.reasons if r.kind == "context"]
            parts = {name: r.weight for name, label in _labels(query) for r in said if r.subject == label}
            parts = {found.model: found.score - sum(parts.values()), **parts}
        unknown = {name for name, label in _labels(query) if label is None}
        return tuple((name, points) for name, points in parts.items() if name not in unknown)

    def cards(self, viewer: Viewer, query: Query, items: list[int]) -> tuple[Recommendation, ...]:
        """Any films as cards, explained by the main model."""
        self._check(items)
        if not items:
            return ()
        return self._recommendations(self._row_of(self._main(query), query), np.array(items), query, self._promises(Scores(self.models, query)))

    def search(self, words: str, viewer: Viewer, k: int = 24) -> list[int]:
        """Films by title or person, typing errors forgiven, within the viewer's certificate."""
        allowed = self._certified(viewer.certificate)
        return [i for i in self.catalog.search(words, 4 * k) if allowed[i]][:k]

    def moved(self, viewer: Viewer, before: Query, after: Query, k: int = 20) -> tuple[int, int]:
        """After a change of context: how many of the top k picks are new, and how many of the others stand in another place."""
        old, now = (self._top_items(viewer, query, k).tolist() for query in (before, after))
        new = len(set(now) - set(old))
        return new, sum(item in old and old.index(item) != n for n, item in enumerate(now))

    # -- how -------------------------------------------------------------------------------------------------------

    def _check(self, items: Iterable[int]) -> None:
        for item in items:
            if not 0 <= item < len(self.catalog):
                raise LookupError(f"item number is {item}, wanted 0 to {len(self.catalog) - 1}")

    def _main(self, query: Query) -> str:
        return "popularity" if route(query, self.models, self.settings).route == "popular" else "hybrid"

    def _top_items(self, viewer: Viewer, query: Query, k: int) -> np.ndarray:
        strategy, scores = route(query, self.models, self.settings), Scores(self.models, query)
        allowed = self._offered(viewer, scores, strategy.route)
        row = self._planner(viewer, scores, strategy.route, allowed).top()
        return self._choose(row, allowed, np.zeros(len(self.catalog), bool), query.profile, k) if row else np.empty(0, np.int64)

    def _offered(
        self, viewer: Viewer, scores: Scores, way: str, genre: str | None = None, hidden: frozenset[int] = frozenset()
    ) -> np.ndarray:  # (I,) bool
        """Films for a Home page: on a personal one, nothing that the viewer is expected to dislike; unknown chances stay."""
        allowed, promise = self._may_see(viewer, scores.query, genre, hidden), self._promises(scores)
        if promise and way != "popular":
            allowed &= ~(promise["chance"] < self.settings.least_match)
        return allowed

    def _planner(self, viewer: Viewer, scores: Scores, way: str, allowed: np.ndarray) -> Planner:
        unseen = allowed.copy()
        unseen[scores.query.profile.items] = False
        return Planner(self.catalog, scores, viewer.name, way, self.settings.diversity, unseen)

    def _row_of(self, model: str, query: Query) -> Row:
        """A plain row over all films by one model, or by the main one where `model` is not there."""
        scores = Scores(self.models, query)
        name = model if model in scores else self._main(query)
        if name not in scores:
            raise LookupError(f"model {name!r} is not loaded; loaded: {', '.join(self.models) or 'none'}")
        everything = np.ones(len(self.catalog), bool)
        simulated = query.context.device is not None and "device" in getattr(self.models[name], "simulates", ())
        return Row(name, phrases.PART_NAMES[name], "", name, scores[name], scores.explain(name), everything, simulated=simulated)

    def _certified(self, certificate: str | None) -> np.ndarray:
        if certificate not in self._allowed:
            self._allowed[certificate] = self.catalog.allowed(certificate)
        return self._allowed[certificate]

    def _may_see(self, viewer: Viewer, query: Query, genre: str | None = None, hidden: frozenset[int] = frozenset()) -> np.ndarray:  # (I,) bool
        may = self._certified(viewer.certificate).copy()
        if genre:
            may &= self.catalog.genres[:, self.catalog.genre(genre)]
        if query.context.minutes:
            may &= self.catalog.minutes <= query.context.minutes
        may[list(hidden)] = False
        return may

    def _choose(self, row: Row, allowed: np.ndarray, used: np.ndarray, profile: Profile, k: int | None = None) -> np.ndarray:
        """The films of one row: allowed, in the row's own set, not on the screen yet, and unseen (but for Watch again)."""
        k = k or self.settings.row_length
        out = ~allowed | ~row.among | used
        if row.key != "again":
            out[profile.items] = True
        scores = rank.mask(row.scores, out)
        return rank.diversify(scores, self.catalog.genres, k, row.diversity) if row.diversity else rank.top(scores, k)

    def _carousel(self, row: Row, items: np.ndarray, query: Query, promise: dict[str, np.ndarray]) -> Carousel:
        return Carousel(row.key, row.title, row.why, row.model, self._recommendations(row, items, query, promise), row.simulated)

    def _recommendations(self, row: Row, items: np.ndarray, query: Query, promise: dict[str, np.ndarray]) -> tuple[Recommendation, ...]:
        explanations = row.explain(items)
        return tuple(self._recommendation(row, int(i), e, query, promise) for i, e in zip(items, explanations))

    def _recommendation(self, row: Row, item: int, explanation: Explanation, query: Query, promise: dict[str, np.ndarray]) -> Recommendation:
        score = float(row.scores[item])
        sentence = phrases.say(item, explanation, score, query.profile, query.context, self.catalog, row.lead)
        if not promise or np.isnan(promise["stars"][item]):
            return Recommendation(item, score, row.model, explanation, sentence)
        stars, match = float(promise["stars"][item]), round(100 * float(promise["chance"][item]))
        return Recommendation(item, score, row.model, explanation, sentence, stars, match)

    def _promises(self, scores: Scores) -> dict[str, np.ndarray]:
        """Predicted stars and the chance of four or more (I,); nan where too few people rated the film."""
        ratings = self.models.get("ratings")
        if not isinstance(ratings, Ratings):
            return {}
        stars = scores["ratings"]
        known = ratings.raters_ > 0
        return {
            "stars": np.where(known, np.clip(stars, 0.5, 5), np.nan),
            "chance": np.where(known, ratings.chance(stars, len(scores.query.profile)), np.nan),
        }

    def _similar(self, item: int, viewer: Viewer, k: int = 12) -> tuple[int, ...]:
        """The films that a profile of this film alone leads to."""
        alone = Query(Profile(np.array([item]), np.array([5.0]), np.array([0])))
        for name in ("ease", "content"):
            if name in self.models:
                scores = rank.mask(self.models[name].score([alone])[0], ~self._certified(viewer.certificate))
                scores[item] = -np.inf
                if (scores > 0).sum() >= k:
                    return tuple(int(i) for i in rank.top(scores, k))
        return ()


def _labels(query: Query) -> tuple[tuple[str, str | None], ...]:
    return ("time", query.context.time_of_day), ("device", query.context.device)
