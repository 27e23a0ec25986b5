"""Which rows stand on a Home page, and which films may stand in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from recommender import rank
from recommender.catalog import Catalog
from recommender.counterfactual import Scorer
from recommender.models.content import Content
from recommender.models.hybrid import Hybrid
from recommender.models.moment import Moment
from recommender.models.neighbours import EASE
from recommender.models.popularity import Popularity
from recommender.serve import phrases
from recommender.serve.liking import LIKED, mostly_liked
from recommender.serve.standings import Scores
from recommender.types import Context, Explanation, Profile, Query, Reason, simulated_in

FEWEST = 5  # a row with fewer films is left out
SHORT = 95  # minutes
GEM_STARS = 3.6  # damped mean stars of a hidden gem
WIDELY_WATCHED = ("Comedy", "Drama", "Action", "Sci-Fi", "Thriller", "Romance", "Animation")
LED = 60  # films to which one film leads most that are tried for a row of its own
CANDIDATES = 400  # films of the collaborative model that the collaborative route ranks


@dataclass(frozen=True)
class Row:
    """One planned row: `scores` (I,) rank the films in `among`; the model explains them, reasons of kind `lead` first."""

    key: str
    title: str
    why: str
    model: str
    scores: np.ndarray
    explain: Callable[[np.ndarray], list[Explanation]]
    among: np.ndarray  # (I,) bool
    lead: tuple[str, ...] = ()
    diversity: float = 0.0
    simulated: bool = False
    fewest: int = FEWEST
    rescore: Scorer | None = None  # how other queries would be scored, where it is not as the model does


@dataclass(frozen=True)
class Planner:
    """Plans the rows of one viewer in one context; rows whose model did not load are left out."""

    catalog: Catalog
    scores: Scores
    name: str
    way: str
    diversity: float  # of the first row
    least_drop: int  # ranks
    allowed: np.ndarray  # (I,) bool, films this viewer may be shown and has not seen
    chosen: str | None = None  # the model of the first row, where the viewer chose one

    @property
    def profile(self) -> Profile:
        return self.scores.query.profile

    @property
    def context(self) -> Context:
        return self.scores.query.context

    def rows(self) -> list[Row]:
        planned = self._everybody() if self.way == "popular" else self._personal()
        return [row for row in planned if row]

    def _personal(self) -> list[Row | None]:
        liked = self._liked_films()
        person, genres = self._favourite_person(), self._favourite_genres(3)
        return [
            self.top(),
            *[self._because_watched(item) for item in liked[:1]],
            self._next(),
            self._people(),
            self._because_person(person),
            self._moment(),
            *[self._because_watched(item) for item in liked[1:2]],
            self._because_genre(genres[0] if genres else None),
            self._gems(),
            self._row("stars", "Your highest predicted stars", "Films we expect you to rate highest", "ratings", ("film",), well_known=100),
            self._short(),
            self._popular(),
            *[self._popular_genre(g) for g in genres[:2]],
            self._unmapped(),
            self._again(),
        ]

    def _everybody(self) -> list[Row | None]:
        asked = [g for g in (*self.profile.genres, *self._favourite_genres(3)) if g in self.catalog.genre_names]
        asked = list(dict.fromkeys(asked))
        others = [g for g in WIDELY_WATCHED if g in self.catalog.genre_names and g not in asked]
        return [
            self.top(),
            self._popular(),
            *[self._because_watched(item) for item in self._liked_films()[:2]],
            *[self._popular_genre(g) for g in (asked + others)[:4]],
            self._gems(),
            self._decade(1980),
            *[self._popular_genre(g) for g in (asked + others)[4:6]],
            self._short(),
            self._decade(1950),
            *[self._popular_genre(g) for g in (asked + others)[6:8]],
        ]

    def top(self) -> Row | None:
        """The row that is the recommendation itself: how it is ranked depends on the route."""
        title = f"Top picks for {self.name}"
        if self.chosen:
            row = self._row("top", title, f"Ranked by one model, as you asked: {phrases.PART_NAMES[self.chosen]}", self.chosen, ())
            return replace(row, diversity=self.diversity) if row else None
        if self.way == "popular" or "hybrid" not in self.scores:
            why = "Popular, of the genres you asked for first" if self.profile.genres else "Most rated and best rated"
            unmoved = self._row("top", title, why, "popularity", ("genre",))
            row = self._moment("top", title, why + self._moved()) or unmoved or self._row("top", title, "Well rated by many", "content", ())
            return replace(row, diversity=self.diversity) if row else None
        now = " for this moment" if self.context != Context() else ""
        hybrid, among, why = self.scores["hybrid"], self.allowed, f"A blend of three models{now and f', weighed{now}'}"
        if self.way == "collaborative" and self.scores["ease"][self.allowed].any():  # else nobody watched what this viewer likes
            among = np.isin(np.arange(len(hybrid)), rank.top(rank.mask(self.scores["ease"], ~self.allowed), CANDIDATES))
            why = f"What people with your history watched, ranked by a blend of three models{now}{' and mixed a little' if self.diversity else ''}"
        return Row("top", title, why, "hybrid", hybrid, self.scores.explain("hybrid"), among, (), self.diversity, self._simulated("hybrid"))

    def _simulated(self, model: str) -> bool:
        return bool(simulated_in(self.context, self.scores.models.get(model)))

    def _row(
        self, key: str, title: str, why: str, model: str, lead: tuple[str, ...], among: np.ndarray | None = None, well_known: int = 0
    ) -> Row | None:
        if model not in self.scores:
            return None
        scores = self.scores[model]
        among = np.ones(len(scores), bool) if among is None else among
        if well_known:
            among = among & (self._raters() >= well_known)
        return Row(key, title, why, model, scores, self.scores.explain(model), among, lead, simulated=self._simulated(model))

    def _well_known(self) -> np.ndarray:  # (I,) bool
        """The more popular half of the films that anybody rated."""
        scores, rated = self.scores["popularity"], self._raters() > 0
        return rated & (scores >= np.median(scores[rated])) if rated.any() else rated

    def _raters(self) -> np.ndarray:  # (I,) people; 0 where fewer than the published minimum
        popularity = self.scores.models.get("popularity")
        return popularity.parts_[2] if isinstance(popularity, Popularity) else np.zeros(len(self.catalog))

    def _because_watched(self, item: int) -> Row | None:
        """Films that one film leads to, and that fall by `least_drop` ranks or more, in the ranking by all the viewer's films, without it."""
        if "ease" not in self.scores:
            return None
        alone = Query(self.profile.keep(self.profile.items == item), self.context)
        ease = self.scores.models["ease"]
        scores = ease.score([alone])[0]
        led = rank.top(rank.mask(scores, ~self.allowed), LED)
        before, (after,) = self.scores.falls("ease", led, [item])
        among = np.isin(np.arange(len(scores)), led[(after - before >= self.least_drop) & (scores[led] > 0)])
        key, title = f"because-{self.catalog.ids[item]}", f"Because you watched {self.catalog.titles[item]}"
        why = f"Watched by the same people; without it, each would stand {self.least_drop} places lower or more among all you have not seen"
        return Row(key, title, why, "ease", scores, lambda items: ease.explain(alone, items), among, ("film",))

    def _people(self) -> Row | None:
        if "user_knn" in self.scores:
            return self._row("people", "Watched by the viewers most like you", "The 100 most alike in the data set", "user_knn", ("crowd",))
        return self._row("people", "Enjoyed by people with your taste", "The taste communities nearest to you", "communities", ("crowd",))

    def _because_person(self, person: str | None) -> Row | None:
        content = self.scores.models.get("content")
        if person is None or not isinstance(content, Content):
            return None
        scores = content.person_points(self.scores.query, person)
        explain = lambda items: [Explanation.of([Reason("person", person, float(scores[i]))]) for i in items]
        title, why = f"Because you like {person}", "Films of theirs that you have not seen"
        return Row("person", title, why, "content", scores, explain, scores > 0, ("person",), fewest=3)

    def _because_genre(self, genre: str | None) -> Row | None:
        content = self.scores.models.get("content")
        if genre is None or not isinstance(content, Content):
            return None
        linked = self.scores["content"] > content.quality * content.quality_ + 1e-6  # what is like no film of theirs is here for its merit alone
        among = self.catalog.genres[:, self.catalog.genre(genre)] & linked
        return self._row("genre", f"Because you like {genre}", f"{genre} films made of what you like", "content", ("genre",), among, well_known=50)

    def _moved(self) -> str:
        """What moves the first row of a newcomer besides popularity."""
        by = ["to this moment"] * bool(phrases.moment(self.context)) + ["to what you said of films"] * bool(self.profile.weights.any())
        return f", adjusted {phrases.listed(by)}" if by else ""

    def _moment(self, key: str = "moment", title: str | None = None, why: str | None = None) -> Row | None:
        popularity, hybrid, ease = (self.scores.models.get(name) for name in ("popularity", "hybrid", "ease"))
        said = phrases.moment(self.context)
        if not (said or key == "top") or not isinstance(popularity, Popularity) or not isinstance(hybrid, Hybrid):
            return None
        ranked = self.scores.of(Moment(popularity, hybrid, ease if key == "top" and isinstance(ease, EASE) else None), moved=key == "top")
        points = popularity.lift(self.context.time_of_day) if self.context.time_of_day else hybrid.context_points([self.scores.query])[1][0]
        timed = "Popular, and rated more often than usual at this time of day"
        why = why or (timed if self.context.time_of_day else "Popular, and of the genres chosen on it")
        among = (points > 0) & self._well_known() if key == "moment" else self._raters() > 0
        lead = ("context",) if key == "moment" else ("setting", "film", "genre", "context")
        return Row(
            key,
            title or f"Popular for {said}",
            why,
            "popularity",
            ranked.scores,
            ranked.explain,
            among,
            lead,
            simulated=self._simulated("hybrid"),
            rescore=ranked.rescore,
        )

    def _everybodys(self, key: str, title: str, why: str, among: np.ndarray) -> Row | None:
        """A row by popularity alone, whatever genres the viewer asked for."""
        popularity = self.scores.models.get("popularity")
        if not isinstance(popularity, Popularity):
            return None
        anyone, rated = Query(), among & (self._raters() > 0)
        explain = lambda items: popularity.explain(anyone, items)
        return Row(key, title, why, "popularity", popularity.score([anyone])[0], explain, rated, ("popularity",))

    def _popular(self) -> Row | None:
        return self._everybodys(
            "popular", "Popular now", "Most rated and best rated when the data end, recent ratings first", np.ones(len(self.catalog), bool)
        )

    def _popular_genre(self, genre: str) -> Row | None:
        popularity = self.scores.models.get("popularity")
        if not isinstance(popularity, Popularity):
            return None
        among = self.catalog.genres[:, self.catalog.genre(genre)] & (self._raters() > 0)
        scores = popularity.in_genre(genre)
        explain = lambda items: popularity.explain_in_genre(genre, items)
        key, title, why = f"in-{genre}", f"Popular in {genre}", f"What everybody watches among {genre} films"
        return Row(key, title, why, "popularity", scores, explain, among, ("popularity",))

    def _decade(self, start: int) -> Row | None:
        among = (self.catalog.years >= start) & (self.catalog.years < start + 10)
        return self._everybodys(f"decade-{start}", f"From the {start}s", "The best loved of their decade", among)

    def _gems(self) -> Row | None:
        """Well rated, but in the less watched half of the published films."""
        popularity = self.scores.models.get("popularity")
        if not isinstance(popularity, Popularity):
            return None
        _, stars, raters = popularity.parts_
        among = (raters > 0) & (raters < np.median(raters[raters > 0])) & (stars >= GEM_STARS)
        facts = ("gems", "Hidden gems", "Rated highly by the few who know them")
        if self.way == "popular" or "als" not in self.scores:
            return self._everybodys(*facts, among)
        return self._row(*facts, "als", ("film",), among)

    def _short(self) -> Row | None:
        facts, among = ("short", "Short films", f"At most {SHORT} minutes, where the running time is known"), self.catalog.minutes <= SHORT
        return self._everybodys(*facts, among) if self.way == "popular" else self._row(*facts, "pure_svd", ("film",), among)

    def _unmapped(self) -> Row | None:
        """Films too few people rated for any other model: placed by what they are made of."""
        why = "Hardly anyone has rated these; placed by their genres, people and plot"
        return self._row("unmapped", "Off the map", why, "encoder", ("film",), self._raters() == 0)

    def _again(self) -> Row | None:
        seen = np.zeros(len(self.catalog), bool)
        seen[self.profile.items[self.profile.ratings >= LIKED]] = True
        return self._row("again", "Watch again", "You rated these four stars or more", "ratings", ("film", "popularity"), seen)

    def _next(self) -> Row | None:
        if not len(self.profile):
            return None
        title = f"What comes next after {self.catalog.titles[self.profile.items[-1]]}"
        return self._row("next", title, "What people rated next after films like your latest", "sequence", ("sequence",))

    def _liked_films(self) -> list[int]:
        """Liked films, best rated first, then latest."""
        at = [n for n in range(len(self.profile)) if self.profile.ratings[n] >= LIKED]
        return [int(self.profile.items[n]) for n in sorted(at, key=lambda n: (-self.profile.ratings[n], -n))]

    def _favourite_person(self) -> str | None:
        """Who is in most of the liked films (two at least), has films left to show and is not switched off."""
        liked, seen, off = self._liked_films(), set(self.profile.items.tolist()), self.scores.steering.without
        counts = Counter(p for i in liked for p in dict.fromkeys((*self.catalog.directors[i], *self.catalog.actors[i])))
        left = lambda p: sum(i not in seen for i in self.catalog.people[p])
        fond = lambda p: mostly_liked(np.isin(np.arange(len(self.catalog)), self.catalog.people[p]), self.profile)
        order = sorted((p for p in counts if p not in off), key=lambda p: (-counts[p], -left(p), p))
        return next((p for p in order if counts[p] >= 2 and left(p) >= 4 and fond(p)), None)

    def _favourite_genres(self, n: int) -> list[str]:
        """Genres most over-represented among liked films, against the catalogue, of those most of whose films the viewer liked."""
        liked = self._liked_films()
        if not liked:
            return []
        share, usual = self.catalog.genres[liked].mean(axis=0), self.catalog.genres.mean(axis=0)
        best = np.argsort(-(share - usual), kind="stable")
        mine = [g for g in best if share[g] > usual[g] and mostly_liked(self.catalog.genres[:, g], self.profile)]
        return [self.catalog.genre_names[g] for g in mine[:n]]
