"""What to ask a viewer next, and how much of their taste is still open: the interview as the desk holds it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from recommender.interview import Interview, Question
from recommender.models.ratings import Ratings
from recommender.serve.request import Request


@dataclass(frozen=True)
class Round:
    """The films to ask about next, best first, and the share of what was open at the start that is settled now, 0 to 1."""

    questions: tuple[Question, ...]
    progress: float


def next_round(request: Request, asked: Collection[int] = (), k: int = 1) -> Round:
    """The next k questions to a viewer; asked: films they were asked about before, whether they knew them or not.

    Films they have seen or hidden or may not see never come, nor those outside the filters. Without the model ratings or the atlas nothing can be
    asked: LookupError.
    """
    ratings, atlas = request.models.get("ratings"), request.atlas
    if not isinstance(ratings, Ratings) or atlas is None:
        raise LookupError("the interview needs the model ratings and the atlas; at least one of them did not load")
    interview, known = Interview(ratings, atlas), request.query.profile.items
    allowed = request.may_see.copy()
    allowed[request.seen] = False
    picked = [group for group, points in request.viewer.preferences.groups if points > 0]
    return Round(interview.questions(known, allowed, asked, k, picked), interview.progress(known))


def said(question: Question) -> str:
    """Why this film, in numbers."""
    people, share = round(100 * question.known), question.settles
    return f"An estimated {people} of 100 people know it; what you say would settle {share:.0%} of what is open about your taste."
