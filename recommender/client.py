"""A client of the REST API: typed questions in, typed answers out, and tried again where that does no harm.

marquee = Client("http://127.0.0.1:8000")
found = marquee.recommend(Recommend(user_id="ines", k=5))
marquee.feedback(Said(user_id="ines", kind="like", movie_id=found.recommendations[0].id))
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import requests
from pydantic import BaseModel, TypeAdapter, ValidationError
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from recommender.api.answered import Recommendations, Stored
from recommender.api.asked import Events, Recommend, Said
from recommender.api.browsed import Genres, History, Movie, Movies, SimilarMovies, Users
from recommender.api.browsed_experiments import Results
from recommender.api.browsed_explain import Compared, Explained, Missing, Present
from recommender.api.browsed_taste import Wants
from recommender.api.problems import ProblemDetails

PASSING = (429, 502, 503, 504)  # what may be otherwise a moment later
LONGEST = 10  # seconds between two tries, whatever Retry-After says
Answer = TypeVar("Answer")
WHY_NOT: TypeAdapter[Missing | Present] = TypeAdapter(Missing | Present)


class ApiError(RuntimeError):
    """An answer that is an error. `problem` is what the API said of it; None where what answered was not our API."""

    def __init__(self, status: int, said: str, problem: ProblemDetails | None) -> None:
        super().__init__(f"{status}: {said}")
        self.status, self.problem = status, problem


class Client:
    """One API at one address. Close it, or use it in a `with`.

    Lost connections and passing refusals (429, 502, 503, 504) are tried `retries` times more, each time twice as long after the last, or when
    Retry-After says. That does no harm: questions change nothing, and what is fed back carries an id by which it is stored once. Methods raise
    ApiError for an answer that is an error, requests.RequestException where none came.
    """

    def __init__(self, address: str = "http://127.0.0.1:8000", key: str | None = None, timeout: float = 10.0, retries: int = 4) -> None:
        """timeout: seconds until the API must have begun to answer, each time."""
        self.address, self.timeout = address.rstrip("/"), timeout
        self.session = requests.Session()
        self.session.headers.update({"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {}))
        again = Retry(
            retries, backoff_factor=0.2, status_forcelist=PASSING, allowed_methods=None, raise_on_status=False,
            backoff_max=LONGEST, retry_after_max=LONGEST, backoff_jitter=0.1)  # fmt: skip
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=again))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.session.close()

    # -- questions ---------------------------------------------------------------------------------------------------

    def recommend(self, asked: Recommend) -> Recommendations:
        """Films for somebody, the best first, each with its reason."""
        return self._post("/recommendations", asked, Recommendations)

    def feedback(self, said: Said | Events) -> Stored:
        """Store what somebody did; once this returns it is on the disk. Events without an id get one here, so that a retry stores them once."""
        events = said.events if isinstance(said, Events) else [said]
        named = [one if one.id else one.model_copy(update={"id": f"c-{uuid4().hex}"}) for one in events]
        return self._post("/feedback", Events(events=named) if isinstance(said, Events) else named[0], Stored)

    def users(self, page: int = 1, size: int = 50) -> Users:
        """Who can be asked for by name or number."""
        return self._get("/api/users", Users, page=page, size=size)

    def movies(self, q: str | None = None, genre: str | None = None, page: int = 1, size: int = 50) -> Movies:
        """Films by words of their title or their people, typing errors forgiven; without words, the most rated first."""
        return self._get("/api/movies", Movies, q=q, genre=genre, page=page, size=size)

    def movie(self, movie_id: int) -> Movie:
        """One film by its MovieLens id."""
        return self._get(f"/api/movies/{movie_id:d}", Movie)

    def genres(self) -> Genres:
        """Every genre, and how many films have it."""
        return self._get("/api/movie_genres", Genres)

    def similar(self, film: int | str, k: int = 10) -> SimilarMovies:
        """Films like one, by id or title."""
        return self._get("/api/similar_movies", SimilarMovies, **_film(film), k=k)

    def history(self, user_id: int | str) -> History:
        """What stands of all that somebody said, and when they said it."""
        return self._get("/api/user_history", History, user_id=user_id)

    def preferences(self, user_id: int | str) -> Wants:
        """What somebody set by hand, and the taste that their films show."""
        return self._get("/api/user_preferences", Wants, user_id=user_id)

    def explain(self, user_id: int | str, film: int | str, model: str | None = None) -> Explained:
        """Why a film stands where it stands for somebody."""
        return self._get("/api/explain", Explained, user_id=user_id, **_film(film), model=model)

    def why_not(self, user_id: int | str, film: int | str) -> Missing | Present:
        """Why a film does not stand higher, and what would change that."""
        return self._get("/api/why_not", WHY_NOT, user_id=user_id, **_film(film))

    def compare(self, user_id: int | str, *models: str, k: int = 10) -> Compared:
        """Lists of two to four models side by side."""
        return self._get("/api/compare", Compared, user_id=user_id, models=",".join(models), k=k)

    def ab_test_results(self) -> Results:
        """What each experiment found."""
        return self._get("/api/ab_test_results", Results)

    # -- how ---------------------------------------------------------------------------------------------------------

    def _get(self, path: str, answer: type[Answer] | TypeAdapter[Answer], **asked: Any) -> Answer:
        return self._read(self.session.get(self.address + path, params=asked, timeout=self.timeout), answer)

    def _post(self, path: str, asked: BaseModel, answer: type[Answer]) -> Answer:
        return self._read(
            self.session.post(self.address + path, json=asked.model_dump(mode="json", exclude_unset=True), timeout=self.timeout), answer
        )

    def _read(self, came: requests.Response, answer: type[Answer] | TypeAdapter[Answer]) -> Answer:
        """The answer in its form; ApiError for a problem, and for anything that is not an answer of this API."""
        try:
            if came.ok:
                return (answer if isinstance(answer, TypeAdapter) else TypeAdapter(answer)).validate_json(came.content)
            problem = ProblemDetails.model_validate_json(came.content)
        except ValidationError as error:
            wrong = error.errors()[0]
            said = f"{came.url} did not answer as Marquee does: {'.'.join(map(str, wrong['loc'])) or 'the body'}: {wrong['msg']}"
            raise ApiError(came.status_code, said, None) from None
        raise ApiError(came.status_code, f"{problem.title}: {problem.detail}", problem)


def _film(film: int | str) -> dict[str, int | str]:
    return {"movie_id": film} if isinstance(film, int) else {"title": film}
