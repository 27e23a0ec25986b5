"""The nightly refresh: models fitted again on a data set and on what is stored here, examined beside those at work, and promoted if not worse.

The examination compares recipes, not files: champion (what is at work) and candidate are both fitted once more without the viewers they are asked
about, the champion on the ratings and events that it was made of, the candidate on all that there is now. The viewers are those that the networks
left out, too, which makes a fifth of all; for the hybrid a tenth, since its gate knows the others. (A network at work may know a person whose
number changed when somebody was forgotten, which speaks for what is at work.) Each one's last film is ranked among all that
they have not seen; a model passes if the 95% interval of its paired difference in NDCG@10 lies above minus the margin. All models must pass (an
intersection-union test, so nothing is corrected for their number: Berger, Technometrics 24(4), 1982), on the viewers as they are now, and, where
ratings have changed, as they were for the champion: bad data would else examine itself.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy

from recommender import artifacts
from recommender.catalog import Catalog
from recommender.evaluate.metrics import hits_of_ranks, ndcg
from recommender.interactions import Interactions
from recommender.load import ratings, read_films
from recommender.models import BESIDE, MODELS
from recommender.models.hybrid import PARTS
from recommender.serve import releases
from recommender.serve.feedback import Feedback
from recommender.serve.learners import learners, mark
from recommender.serve.releases import Release, ReleaseError
from recommender.serve.service import Service
from recommender.serve.viewers import load_viewers
from recommender.settings import Settings
from recommender.stats.inference import Difference, paired_difference
from recommender.train import last_ranks, strangers, train
from recommender.types import Context, Profile, Query, Recommender

RATINGS = "ratings.npz"  # of the data set a release was fitted on, without what is stored here
# Fitted in closed form in seconds. Popularity is not among them: trending is of the last 60 days, which would be those of the few people here alone.
QUICK = ("item_knn", "communities", "ease", "pure_svd", "content")
K, ASKED, SEED = 10, 50, 0  # list length; viewers of an examination, at least; the seed of every split, which the networks were trained by
COLUMNS = ("users", "items", "ratings", "times", "times_of_day", "user_ids")


class Examined(NamedTuple):
    """One model of champion and candidate on the same viewers: their mean NDCG@10, and what the candidate has more."""

    model: str
    viewers: str  # "as they are now" or "as they were"
    champion: float
    candidate: float
    difference: Difference


@dataclass(frozen=True)
class Outcome:
    """What became of a refresh. why: each reason against promoting, none where it passed; release: the one at work now, if it is new."""

    champion: str
    examined: tuple[Examined, ...]
    why: tuple[str, ...]
    facts: dict[str, Any]
    release: str | None = None


@dataclass(frozen=True, eq=False)
class Sides:
    """Ratings in one numbering of users. data: the data set as it is now; old and new: with people, for the champion and for the candidate."""

    data: Interactions
    old: Interactions
    new: Interactions
    seq: int  # the last event that new knows of
    people: int


def refresh(
    settings: Settings,
    data: Path,
    names: Sequence[str] = QUICK,
    margin: float | None = None,
    dry_run: bool = False,
    before: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Train models by name on the data set of a folder and on stored feedback, examine them, and put them to work if they are not worse.

    before: the folder of the data that the committed artifacts were fitted on, where that is another. ReleaseError where another process changes
    releases, or the champion cannot be read. Nothing is at work that was not before until the very last step, which is a single one.
    """
    wanted, margin, started = _ordered(names), settings.release_margin if margin is None else margin, time.perf_counter()
    with releases.alone(settings):
        champion, catalog = releases.current(settings), read_films(settings.films)
        releases.verify(champion, catalog)
        sides = _sides(settings, champion, catalog, data, before)
        say(f"{len(sides.new):,} ratings of {(sides.new.lengths > 0).sum():,} viewers, {sides.people} of them from stored feedback")
        with releases.candidate(settings, champion) as folder:
            for card in train(wanted, catalog, sides.new, folder, settings.checkpoints, SEED, min_raters=settings.min_raters):
                say(f"{card['name']} fitted in {card['seconds']:.0f} s")
            _keep(sides.data, champion, folder)
            why = _faults(settings, folder)
            examined = () if why else _examined(settings, catalog, champion.folder, folder, wanted, sides)
            why += tuple(_worse(row, margin) for row in examined if not _passed(row, margin))
            outcome = Outcome(champion.name, examined, why, _facts(champion, wanted, sides, margin, examined, started))
            if why or dry_run:
                return outcome
            release = releases.publish(settings, folder, outcome.facts, datetime.now(UTC))
        releases.switch(settings, release)
        releases.prune(settings, settings.releases_kept)
    return replace(outcome, release=release.name)


def _ordered(names: Sequence[str]) -> list[str]:
    """The models as they must be trained: parts before the hybrid, the atlas after the vectors it is drawn from."""
    shipped = [name for name, make in MODELS.items() if getattr(make(), "shipped", True)] + list(BESIDE)
    if unknown := sorted(set(names) - set(shipped)):
        raise KeyError(f"model {unknown[0]!r} cannot be refreshed, wanted some of {', '.join(shipped)}")
    if not names:
        raise ValueError("no model is named, wanted at least one")
    chosen = {*names, *(["atlas"] if "als" in names else [])}
    return [name for name in shipped if name in chosen]


# -- what is learned from ----------------------------------------------------------------------------------------------


def _sides(settings: Settings, champion: Release, catalog: Catalog, data: Path, before: Path | None) -> Sides:
    """The ratings of both sides, users of the data sets first, then people, each under the same number on both."""
    now = ratings(data, catalog)
    was, now = numbered(_learned(settings, champion, catalog, now, before), now)
    facts, demo = champion.facts(), load_viewers(settings.viewers, catalog)
    with closing(Feedback.open(settings.database_url)) as store:
        seq = mark(store)
        found = [learners(store, catalog, settings, demo, until) for until in (int(facts["feedback"]["last_event"]) if facts else 0, seq)]
    known, all_ = (theirs if len(theirs) >= settings.min_raters else {} for theirs in found)  # the weights of fewer would tell of them
    people = list({**all_, **known})
    return Sides(now, joined(was, known, people), joined(now, all_, people), seq, len(all_))


def _learned(settings: Settings, champion: Release, catalog: Catalog, now: Interactions, before: Path | None) -> Interactions:
    """The data set that the champion was fitted on: kept in its folder; of the committed artifacts found by its hash."""
    if champion.name != releases.COMMITTED:
        return read_ratings(champion.folder / RATINGS, len(catalog))
    wanted = artifacts.card("popularity", champion.folder)["data"]["sha256"]
    if now.fingerprint() == wanted:
        return now
    for folder in (before, settings.raw / settings.dataset):
        if folder is not None and folder.is_dir() and (found := ratings(folder, catalog)).fingerprint() == wanted:
            return found
    raise ReleaseError(
        f"the data that the committed artifacts were fitted on, with the hash {wanted[:12]}, is not there; name its folder by --before"
    )


def numbered(old: Interactions, new: Interactions) -> tuple[Interactions, Interactions]:
    """Two data sets with their users, known by the publisher's ids, in one numbering: that of old, and behind it whom only new knows."""
    ids = np.append(old.user_ids, new.user_ids[~np.isin(new.user_ids, old.user_ids)])
    order = np.argsort(ids)
    found = []
    for data in (old, new):
        users = order[np.searchsorted(ids, data.user_ids, sorter=order)][data.users]
        columns = {"n_users": len(ids), "n_items": data.n_items, "user_ids": ids, "times_of_day": data.times_of_day, "devices": data.devices}
        found.append(Interactions.sorted(users, data.items, data.ratings, data.times, **columns))
    return found[0], found[1]


def joined(data: Interactions, profiles: dict[str, Profile], people: Sequence[str]) -> Interactions:
    """A data set, and behind its users as many as there are people, with the ratings of those that have a profile. Their ids are below 0."""
    places = {name: data.n_users + n for n, name in enumerate(people)}
    parts = [(np.full(len(p), places[name]), p.items, p.ratings, p.times) for name, p in profiles.items()]
    users, items, stars, times = (np.concatenate([getattr(data, c), *(p[n] for p in parts)]) for n, c in enumerate(COLUMNS[:4]))
    context = {c: np.append(getattr(data, c), np.full(len(users) - len(data), -1, np.int8)) for c in ("times_of_day", "devices")}
    ids = np.append(data.user_ids, -1 - np.arange(len(people)))
    return Interactions.sorted(users, items, stars, times, n_users=len(ids), n_items=data.n_items, user_ids=ids, **context)


def _keep(data: Interactions, champion: Release, folder: Path) -> None:
    """The data set beside the models, so that they can be examined against the next ones; shared with the champion where it is the same."""
    theirs = champion.folder / RATINGS
    if champion.name != releases.COMMITTED and read_ratings(theirs, data.n_items).fingerprint() == data.fingerprint():
        releases.share(theirs, folder / RATINGS)
    else:
        np.savez_compressed(folder / RATINGS, **{name: getattr(data, name) for name in COLUMNS})  # type: ignore[arg-type]


def read_ratings(path: Path, n_items: int) -> Interactions:
    """What _keep wrote. ReleaseError where that cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            columns = {name: file[name] for name in COLUMNS}
        return Interactions(**columns, n_users=len(columns["user_ids"]), n_items=n_items)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ReleaseError(f"{path} cannot be read ({error}); go back to a whole release with: python -m recommender rollback NAME") from None


# -- the examination ---------------------------------------------------------------------------------------------------


def _faults(settings: Settings, folder: Path) -> tuple[str, ...]:
    """What would keep the candidate from serving: a model that does not load or scores no number, a demo viewer without a Home page."""
    service = Service.open(settings, Release("candidate", folder))
    service.feedback.close()
    if service.unread:
        return service.unread
    queries = [Query(), *(service.query(viewer, Context()) for viewer in map(service.fresh, service.viewers.values()))]
    if bad := [name for name, model in service.models.items() if not np.isfinite(model.score(queries)).all()]:
        return tuple(f"{name} scores some films with no number" for name in bad)
    home = lambda viewer: service.home(viewer, service.query(viewer, Context("evening", "tv")))
    return tuple(f"the Home page of {v.name} is empty" for v in map(service.fresh, service.viewers.values()) if not home(v).carousels)


def _examined(settings: Settings, catalog: Catalog, champion: Path, candidate: Path, names: list[str], sides: Sides) -> tuple[Examined, ...]:
    """Every ranking model that was trained, and the hybrid, which stands on some of them, on both sides."""
    alone = [name for name in names if name in MODELS and name != "hybrid"]
    was = strangers([*dict.fromkeys([*alone, *PARTS])], catalog, sides.old, champion, SEED, settings.min_raters)
    now = strangers(alone, catalog, sides.new, candidate, SEED, settings.min_raters)
    old, new = dict(was.models), was.models | now.models
    for models, folder in ((old, champion), (new, candidate)):
        models["hybrid"] = artifacts.load("hybrid", folder, catalog)
        models["hybrid"].attach(models)  # type: ignore[attr-defined]
    exams = {"as they are now": (sides.new, now.split)}
    if sides.old.fingerprint() != sides.new.fingerprint():
        exams["as they were"] = (sides.old, was.split)
    rows = []
    for viewers, (whole, split) in exams.items():
        kept = whole.supported(settings.min_raters)
        left_out = kept.where(~np.isin(kept.users, split.fit.users))
        rows += [_pair(name, viewers, old[name], new[name], left_out) for name in alone]
        rows.append(_pair("hybrid", viewers, old["hybrid"], new["hybrid"], split.exam))  # its gate knows those of split.gate
    return tuple(rows)


def _pair(name: str, viewers: str, champion: Recommender, candidate: Recommender, exam: Interactions) -> Examined:
    a, b = (gains(model, exam) for model in (champion, candidate))
    if len(a) < ASKED:
        raise ReleaseError(f"only {len(a)} viewers {viewers} can be asked for the last of five films or more, wanted at least {ASKED}")
    return Examined(name, viewers, float(a.mean()), float(b.mean()), paired_difference(b, a, SEED))


def gains(model: Recommender, exam: Interactions) -> np.ndarray:  # (V,)
    """NDCG@10 of each examined viewer's last film."""
    found = last_ranks(model, exam)
    return ndcg(hits_of_ranks(found, K), np.ones(len(found), np.int64), K)


def _passed(row: Examined, margin: float) -> bool:
    return row.difference.lo > -margin


def _worse(row: Examined, margin: float) -> str:
    d = row.difference
    return f"{row.model} may be worse for viewers {row.viewers}: NDCG@{K} {d.delta:+.4f} [{d.lo:+.4f}, {d.hi:+.4f}], wanted above {-margin:g}"


def _facts(
    champion: Release, names: Collection[str], sides: Sides, margin: float, examined: Sequence[Examined], started: float
) -> dict[str, Any]:  # of release.json
    rounded = [
        {**row._asdict(), "champion": round(row.champion, 4), "candidate": round(row.candidate, 4), "difference": _rounded(row.difference)}
        for row in examined
    ]
    return {
        "format": 1,
        "parent": champion.name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"python -m recommender refresh --models {','.join(names)} --margin {margin:g}",
        "models": [*names],
        "data": {"sha256": sides.data.fingerprint(), "ratings": len(sides.data), "users": int((sides.data.lengths > 0).sum())},
        "feedback": {"last_event": sides.seq, "people": sides.people, "ratings": len(sides.new) - len(sides.data)},
        "exam": {"metric": f"NDCG@{K}", "margin": margin, "seed": SEED, "rows": rounded},
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "seconds": round(time.perf_counter() - started, 1),
    }


def _rounded(difference: Difference) -> dict[str, float]:
    return {key: round(value, 5) if key != "n" else value for key, value in difference._asdict().items()}
