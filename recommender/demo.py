"""`python -m recommender.demo`: a walk through the REST API with its client, as somebody new; nothing of it stays."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from rich.console import Console

from recommender.api.answered import Recommendations
from recommender.api.asked import Recommend, Said
from recommender.client import ApiError, Client, NoAnswer

K = 5  # films of each list
console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """Ask a running API: who is there, what to watch, why, and what a like changes."""
    about = "A walk through the REST API; start it with: python -m recommender serve"
    parser = argparse.ArgumentParser(prog="python -m recommender.demo", description=about)
    parser.add_argument("--address", default="http://127.0.0.1:8000", help="where the API is")
    parser.add_argument("--key", default=None, help="one of its MARQUEE_API_KEYS, where it has any")
    asked = parser.parse_args()
    try:
        with Client(asked.address, asked.key) as marquee, _somebody(marquee) as me:
            walk(marquee, me)
    except (ApiError, NoAnswer, ValueError) as error:
        raise SystemExit(str(error)) from None


@contextmanager
def _somebody(marquee: Client) -> Iterator[str]:
    """An id that nobody had, and of which nothing stays."""
    me = f"demo-{uuid4().hex[:12]}"
    try:
        yield me
    finally:
        with suppress(ApiError, NoAnswer):
            marquee.forget(me)


def walk(marquee: Client, me: str) -> None:
    """Everything, step by step."""
    viewers = marquee.users(size=4).users
    _said("Who is there", *(f"{viewer.name} ({viewer.id}): {viewer.line}" for viewer in viewers))

    somebody = viewers[-1]
    films = marquee.recommend(Recommend(user_id=somebody.id, k=K))
    _shown(f"What {somebody.name} may like", films)
    best = films.recommendations[0]
    why = marquee.explain(somebody.id, best.id, k=K)
    shown, every = len(why.reasons[:K]), len(why.reasons)
    exact = "their weights sum to its score" if why.exact else "films weighed by leaving each out"
    how = f"{exact}; the heaviest {shown} of {every}" if shown < every else exact
    _said(f"Why {best.title}, by {every} reasons: {how}", *(f"{reason.weight:+.3f}  {reason.kind} {reason.subject}" for reason in why.reasons[:K]))

    before = marquee.recommend(Recommend(user_id=me, k=K))
    _shown("What somebody new is answered", before)
    liked = [film.id for film in marquee.similar("Alien (1979)", k=2).similar]
    stored = [marquee.feedback(Said(user_id=me, kind="like", movie_id=film)).ids[0] for film in liked]
    after = marquee.recommend(Recommend(user_id=me, k=K))
    _shown(f"After likes for {' and '.join(marquee.movie(film).title for film in liked)}", after, _ids(before))
    for id_ in stored:
        marquee.feedback(Said(user_id=me, kind="undo", target=id_))
    again = marquee.recommend(Recommend(user_id=me, k=K))
    _said("Taken back", "the list is the first one again" if _ids(again) == _ids(before) else "the list is another one still")

    beside = marquee.compare(somebody.id, "hybrid", "ease", "popularity", k=K)
    _said(
        f"Models side by side for {somebody.name}",
        *(f"{made.side}: {', '.join(film.title for film in made.films)}" for made in beside.lists),
    )


def _ids(films: Recommendations) -> list[int]:
    return [film.id for film in films.recommendations]


def _shown(title: str, films: Recommendations, known: list[int] | None = None) -> None:
    """A list with its reasons; where `known` is given, films that are not among them are marked."""
    new = lambda film: " *" if known is not None and film.id not in known else ""
    _said(f"{title} ({films.strategy}; * new)" if known is not None else f"{title} ({films.strategy})", *(
        f"{film.title} ({film.year or 'no year'}){new(film)}: {film.recommendation_reason}" for film in films.recommendations
    ))  # fmt: skip


def _said(title: str, *lines: str) -> None:
    console.print(f"\n{title}", style="bold")
    for line in lines:
        console.print(f"  {line}")


if __name__ == "__main__":
    main()
