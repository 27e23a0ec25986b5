"""One film in full: the row that explains it, its rank, what each reason rests on, and what every film of the viewer's does for it."""

from __future__ import annotations

import numpy as np

from recommender import rank
from recommender.serve.alike import alike
from recommender.serve.carousels import Row
from recommender.serve.evidence import contributions, evidence, labels
from recommender.serve.picks import TOP, first
from recommender.serve.request import Request
from recommender.types import Details

EXPLAINED = 8  # heaviest reasons of a film that are looked into one by one


def explaining(asked: Request, item: int, model: str = "", key: str | None = None) -> Row:
    """The row by which a film is explained: of this key on the viewer's Home page, where it may stand in it, else the plain one of a model.

    The first row explains every film, as it would rank those that it does not take.
    """
    if key == TOP:
        return asked.planner.top() or asked.row_of(model)
    kept = next((row for row in asked.planner.rows() if row.key == key and row.among[item]), None) if key else None
    return kept or asked.row_of(model)


def details(asked: Request, row: Row, item: int, explained: int = EXPLAINED, k: int = 0) -> Details:
    """A film as a row explains it, the `explained` heaviest reasons looked into.

    The rank is that among all films the viewer has not seen; where the row has scores of its own, such as those of one genre, it is that among the
    films the row is about. k: the sentence of a film among the first k of the first row is the one it has there, where fewer of the viewer's films
    are tried.
    """
    shown = first(asked, k)[1] if k and row.key == TOP else np.array([], np.int64)
    beside = shown if item in shown else np.array([item])
    found = asked.recommendations(row, beside)[beside.tolist().index(item)]
    ranked = asked.pool(row)
    ranked[item] = True
    reasons = found.explanation.reasons
    films = [int(r.subject) for r in reasons[:explained] if r.kind in ("film", "sequence") and isinstance(r.subject, int)]
    return Details(
        recommendation=found,
        rank=rank.rank_of(rank.mask(row.scores, ~ranked), item),
        among=_among(asked, row, item),
        contributions=contributions(found, asked.query, asked.models, bool(asked.steering)),
        similar=alike(item, asked.models, asked.catalog, asked.viewer.certificate).items,
        drops=asked.drops(row, item, films) if asked.scores.pool[item] else (),
        simulated=tuple(name for name, label in labels(asked.query) if any(r.simulated and r.subject == label for r in reasons)),
        evidence=tuple(evidence(r, item, asked.viewer.profile, asked.catalog, asked.models) for r in reasons[:explained]),
    )


def _among(asked: Request, row: Row, item: int) -> str:
    """What a film is ranked among, as a phrase."""
    own = asked.has_scores_of_its_own(row)
    about = f"the films {'your first' if row.key == TOP else 'this'} row is about" if own else "all films you have not seen"
    return f"{about}, and this one" if item in asked.seen or (own and not row.among[item]) else about
