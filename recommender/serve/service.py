"""The front desk: one viewer and one context in, explained rows out. Plain data; knows nothing of screens or HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from recommender import artifacts, rank
from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.load import read_films
from recommender.load.monochrome import read_monochrome
from recommender.models.atlas import Atlas
from recommender.models.popularity import Popularity
from recommender.serve import phrases, releases
from recommender.serve.dataset import Dataset
from recommender.serve.details import details, explaining
from recommender.serve.events import KINDS, NO_TASTE, SILENT, VIEWER, Event, Taste, standing
from recommender.serve.feedback import Feedback, for_now, opened
from recommender.serve.picks import first
from recommender.serve.releases import Release
from recommender.serve.request import Request
from recommender.serve.routing import silence, way
from recommender.serve.signals import Verdict, heed, verdicts
from recommender.serve.tastes import served
from recommender.serve.viewers import NoViewer, Viewer, load_viewers
from recommender.settings import Settings
from recommender.types import ANY_FILM, Context, Details, Filters, Home, Query, Recommendation, Recommender, Strategy, simulated_in


@dataclass
class Service:
    """Catalogue, models and viewers, loaded once; every method answers for one query."""

    settings: Settings
    catalog: Catalog
    models: dict[str, Recommender]
    viewers: dict[str, Viewer]
    problems: tuple[str, ...] = ()  # one line for each artifact that did not load
    nobody: dict[tuple[int, Context], np.ndarray] = field(default_factory=dict)  # scores for an empty profile, by model and moment
    signals: dict[str, dict[str, Verdict]] = field(default_factory=dict)  # main model -> signal of the context -> whether it is told
    feedback: Feedback = field(default_factory=for_now)  # what viewers said
    people: dict[str, tuple[int, Viewer, Taste]] = field(default_factory=dict)  # as last served, with the version of their taste
    atlas: Atlas | None = None  # groups of films and their map
    version: str = "unreleased"  # which release the models are of, and a hash of their weights
    folder: Path = Path()  # where the models were read from
    unread: tuple[str, ...] = ()  # those of the problems that are of the models
    retired: bool = False  # whether another release is at work, and all that was asked of this one is answered
    data: Dataset = field(init=False)  # the fetched data set

    def __post_init__(self) -> None:
        self.data = Dataset(self.settings.raw / self.settings.dataset, self.catalog)

    @classmethod
    def open(cls, settings: Settings, release: Release | None = None, before: Service | None = None) -> Service:
        """Everything from the places the settings name; what does not load is told in `problems`.

        release: whose models, else those of the current one; before: what was open already, whose store and data set are kept.
        """
        release = release or releases.current(settings)
        catalog = read_films(settings.films)
        if (beside := settings.films.with_name("monochrome.csv")).is_file():
            catalog = replace(catalog, in_colour=read_monochrome(beside, catalog))
        models, problems = artifacts.load_all(release.folder, catalog)
        if isinstance(popularity := models.get("popularity"), Popularity):
            raters = popularity.parts_[2].astype(np.int64)
            catalog = replace(catalog, stars=np.where(raters > 0, popularity.means_, np.nan), raters=raters)
        signals = {model: verdicts(settings.artifacts / "reports", model) for model in ("hybrid", "popularity")}
        atlas, unmapped = artifacts.load_atlas(release.folder, catalog, models)
        store, lost = (before.feedback, ()) if before else opened(settings.database_url)
        viewers = load_viewers(settings.viewers, catalog)
        made = cls(
            settings=settings,
            catalog=catalog,
            models=models,
            viewers=viewers,
            problems=problems + unmapped + lost,
            unread=problems + unmapped,
            signals=signals,
            feedback=store,
            atlas=atlas,
            version=release.version,
            folder=release.folder,
        )
        if before:
            made.data.take(before.data)
        return made

    def warm(self) -> None:
        """Build now what is built on first use, so that nobody waits for it later."""
        self.catalog.search("a")
        for viewer in list(self.viewers.values())[-1:]:
            self.home(viewer, Query(viewer.profile, Context("evening", "tv")))
        self.dataset_users()
        self.catalog.called("a")
        if self.atlas:
            len(self.atlas.names)

    def retire(self) -> None:
        """Let go of the models and of all that was made with them; nobody may ask this service any more."""
        self.retired = True
        for kept in (self.models, self.nobody, self.people, vars(self.atlas) if self.atlas else {}):  # requests hold these themselves
            kept.clear()
        self.atlas = None

    # -- viewers ---------------------------------------------------------------------------------------------------

    def person(self, name: str) -> Viewer:
        """A viewer by id, as they are now: a demo viewer, one that somebody made, or ml-<number>. KeyError where there is none."""
        return self._current(name)[1]

    def taste(self, viewer: Viewer) -> Taste:
        """What stands of all that a viewer said."""
        return self._current(viewer.id)[2]

    def fresh(self, viewer: Viewer) -> Viewer:
        """Somebody who has said nothing yet, their films speaking as far as the settings say."""
        return served(viewer, NO_TASTE, self.catalog, self.settings)

    def latest(self, viewer: Viewer) -> str | None:
        """The event that says what the viewer said last and did not take back; None where there is none."""
        said = standing(self.feedback.events(viewer.id, [kind for kind in KINDS if kind not in SILENT]))
        return said[-1].id if said else None

    def _current(self, name: str) -> tuple[int, Viewer, Taste]:
        if not VIEWER.fullmatch(name):
            raise _unknown(name)
        version, kept = self.feedback.version(name), self.people.get(name)
        if kept is None or kept[0] != version:
            base, taste = self._base(name), self.feedback.taste(name)
            kept = self.people[name] = version, served(base, taste, self.catalog, self.settings), taste
        return kept

    def _base(self, name: str) -> Viewer:
        """A viewer as they were before they said anything."""
        if name in self.viewers:
            return self.viewers[name]
        if number := re.fullmatch(r"ml-([0-9]{1,9})", name):
            return self.dataset_viewer(int(number[1]))
        own = self.feedback.viewers(self.catalog)
        if name in own:
            return own[name]
        raise _unknown(name)

    def record(self, events: Sequence[Event], who: Mapping[str, Viewer] | None = None) -> list[Event]:
        """Store what viewers did or were shown, and give what was new; KeyError for an unknown viewer or film, ValueError for one over their limit.

        who: viewers by id, where they are known already, or have none but an id.
        """
        films: dict[str, set[int]] = {}
        for event in events:
            of = films.setdefault(event.viewer, set())
            if event.film is not None and event.kind != "undo":
                of.add(self.catalog.index(event.film))
        for name, items in films.items():
            self._within(who[name] if who else self.person(name), sorted(items))
        return self.feedback.add(events)

    @property
    def interactions(self) -> Interactions | None:
        """The fetched data set in the numbers of this catalogue; None where there is none. The exact user neighbours come with it."""
        held = self.data.read()
        if held is not None and self.models.get("user_knn") is not held.neighbours:
            self.models = {**self.models, "user_knn": held.neighbours}  # not in place: somebody may be walking through them
        return held.interactions if held else None

    def dataset_users(self) -> int:
        """How many MovieLens profiles can be picked: 0 where no data set has been fetched."""
        data = self.interactions
        return data.n_users if data else 0

    def dataset_viewer(self, number: int) -> Viewer:
        """A MovieLens user by the publisher's number."""
        if (data := self.interactions) is None:
            raise KeyError(f"MovieLens user {number} needs the data set; get it with: python -m recommender fetch --dataset {self.settings.dataset}")
        found = np.flatnonzero(data.user_ids == number)
        if not len(found):
            raise KeyError(f"MovieLens user {number} is unknown, wanted {data.user_ids.min()} to {data.user_ids.max()}")
        profile = data.profile(int(found[0]))
        line = f"A real profile of {len(profile)} ratings from {self.settings.dataset}"
        return Viewer(f"ml-{number}", f"Viewer {number}", line, {"shape": "robot", "hue": (number * 47) % 360}, profile, None)

    def dataset_pick(self, rng: np.random.Generator, genre: str | None = None) -> int:
        """The number of a MovieLens user drawn at random; with a genre, of the sixtieth part who favour it most. LookupError without a data set."""
        if (data := self.interactions) is None:
            raise LookupError(f"data set {self.settings.dataset!r} is not here, wanted a fetched one to pick from")
        if genre is None:
            return int(rng.choice(data.user_ids))
        share = data.matrix() @ self.catalog.genres[:, self.catalog.genre(genre)].astype(np.float32) / np.maximum(data.lengths, 1)
        return int(rng.choice(data.user_ids[rank.top(share, max(1, data.n_users // 60))]))

    def verdicts(self, viewer: Viewer) -> dict[str, Verdict]:
        """Whether the model that makes this viewer's first row is told each signal of the context, and why."""
        popular = way(len(viewer.profile), self.models, self.settings) == "popular"
        return self.signals["popularity" if popular else "hybrid"]

    def told(self, viewer: Viewer, anyway: Collection[str] = ()) -> tuple[str, ...]:
        """The signals of the context that the models are told."""
        return tuple(name for name, verdict in self.verdicts(viewer).items() if verdict.on or name in anyway)

    def query(self, viewer: Viewer, context: Context, unused: Collection[int] = (), anyway: Collection[str] = ()) -> Query:
        """What the models may know: the viewer's films but those not to be used (here, or by what they said), and of the context what is worth
        telling them. `anyway` names signals that are told although they are switched off.
        """
        profile = viewer.profile.keep(~np.isin(viewer.profile.items, [*unused, *viewer.unused]))
        return Query(profile, heed(context, self.verdicts(viewer), anyway))

    # -- what is shown ---------------------------------------------------------------------------------------------

    def request(self, viewer: Viewer, query: Query, filters: Filters = ANY_FILM, hidden: frozenset[int] = frozenset()) -> Request:
        """A question, checked, with everything needed to answer it. query.profile is what the models may know of the viewer."""
        self._check(hidden)
        return Request(self.settings, self.catalog, self.models, viewer, query, filters, hidden | viewer.hidden, self.nobody, self.atlas)

    def home(self, viewer: Viewer, query: Query, filters: Filters = ANY_FILM, hidden: frozenset[int] = frozenset()) -> Home:
        """The strategy and the rows of one Home page. Items in `hidden`, seen films and films over the viewer's certificate stay away."""
        started = time.perf_counter()
        asked = self.request(viewer, query, filters, hidden)
        strategy, rows = asked.strategy, asked.planner.rows()
        modelled = time.perf_counter()
        used = np.zeros(len(self.catalog), bool)
        carousels = []
        for row in rows:
            items = asked.choose(row, asked.offered, used)
            if len(items) >= min(row.fewest, self.settings.row_length):
                used[items] = True
                carousels.append(asked.carousel(row, items))
        done = time.perf_counter()
        timing = {"models": 1000 * (modelled - started), "reasons": 1000 * (done - modelled), "total": 1000 * (done - started)}
        return Home(strategy, tuple(carousels), timing)

    def listing(self, viewer: Viewer, query: Query, model: str, k: int = 20, filters: Filters = ANY_FILM) -> Home:
        """One list by one model, plainly ranked, as a Home page of a single row; empty where the model tells no film from another."""
        started = time.perf_counter()
        asked = self.request(viewer, query, filters)
        row = asked.row_of(model)
        silent = asked.silent(row, asked.may_see)
        items = asked.choose(row, asked.may_see, np.full(len(self.catalog), silent), k)
        carousel = asked.carousel(row, items)
        why = silence(row.model, viewer.name) if silent else f"Ranked by one model, as asked: {phrases.PART_NAMES[row.model]}."
        strategy = Strategy("single", why, {row.model: 1.0}, simulated_in(query.context, self.models[row.model]), silent)
        return Home(strategy, (carousel,), {"total": 1000 * (time.perf_counter() - started)})

    def may_see(self, viewer: Viewer, item: int) -> bool:
        """Whether a film is within the viewer's certificate."""
        return bool(self.catalog.allowed(viewer.certificate)[item])

    def _within(self, viewer: Viewer, items: Iterable[int]) -> None:
        """LookupError for a film that there is not, ValueError for one over the viewer's limit: whoever asks, by whatever way."""
        items, allowed = list(items), self.catalog.allowed(viewer.certificate)
        self._check(items)
        for item in items:
            if not allowed[item]:
                raise ValueError(f"film {self.catalog.titles[item]!r} is over the limit of {viewer.name}, {viewer.certificate}")

    def details(self, viewer: Viewer, query: Query, item: int, model: str, row: str | None = None) -> Details:
        """One film for one viewer, explained as its row explains it, or by one model (by the main one where that model is not there).

        `row` is the key of a carousel of this viewer's Home page.
        """
        self._within(viewer, [item])
        asked = self.request(viewer, query)
        return details(asked, explaining(asked, item, model, row), item)

    def cards(self, viewer: Viewer, query: Query, items: list[int]) -> tuple[Recommendation, ...]:
        """Any films as cards, explained by the main model."""
        self._within(viewer, items)
        asked = self.request(viewer, query)
        return asked.recommendations(asked.row_of(asked.main), np.array(items)) if items else ()

    def search(self, words: str, viewer: Viewer, k: int = 24) -> list[int]:
        """Films by title or person, typing errors forgiven, within the viewer's certificate."""
        allowed = self.catalog.allowed(viewer.certificate)
        return [i for i in self.catalog.search(words, 4 * k) if allowed[i]][:k]

    def moved(self, viewer: Viewer, before: Query, after: Query, k: int = 20) -> tuple[int, int]:
        """After a change of context: how many of the top k picks are new, and how many of the others stand in another place."""
        old, now = (first(self.request(viewer, query), k)[1].tolist() for query in (before, after))
        new = len(set(now) - set(old))
        return new, sum(item in old and old.index(item) != n for n, item in enumerate(now))

    # -- how -------------------------------------------------------------------------------------------------------

    def _check(self, items: Iterable[int]) -> None:
        for item in items:
            if not 0 <= item < len(self.catalog):
                raise LookupError(f"item number is {item}, wanted 0 to {len(self.catalog) - 1}")


def _unknown(name: str) -> NoViewer:
    return NoViewer(f"viewer {name!r} is unknown, wanted the id of a demo viewer, of one made here, or ml-<number>")
