"""A client of the REST API: typed questions in, typed answers out, and tried again where that does no harm.

marquee = Client("http://127.0.0.1:8000")
found = marquee.recommend(Recommend(user_id="ines", k=5))
marquee.feedback(Said(user_id="ines", kind="like", movie_id=found.recommendations[0].id))
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlsplit
from uuid import uuid4

from pydantic import BaseModel, TypeAdapter, ValidationError
from urllib3 import BaseHTTPResponse, PoolManager
from urllib3.exceptions import HTTPError, MaxRetryError, ResponseError
from urllib3.util import Retry

from recommender.api.answered import Data, Forgotten, Recommendations, Stored
from recommender.api.asked import Events, Moment, Recommend, Said
from recommender.api.browsed import Genres, History, Movie, Movies, SimilarMovies, Users
from recommender.api.browsed_experiments import Overviews, ReadingOf, Results
from recommender.api.browsed_explain import Compared, Explained, Missing, Present
from recommender.api.browsed_reports import Models, ReportOf, Reports
from recommender.api.browsed_taste import Wants
from recommender.api.problems import ProblemDetails
from recommender.api.routes.health import Ready

PASSING = (429, 502, 503, 504)  # what may be otherwise a moment later
LONGEST = 10  # seconds between two tries
Answer = TypeVar("Answer")
ANY_TIME = Moment()
WHY_NOT: TypeAdapter[Missing | Present] = TypeAdapter(Missing | Present)


class ApiError(RuntimeError):
    """An answer that is an error. `problem` is what the API said of it, None where what answered was not our API; `retry_after`: seconds after which
    it wants to be asked again, None where it did not say."""

    def __init__(self, status: int, said: str, problem: ProblemDetails | None, retry_after: float | None = None) -> None:
        super().__init__(f"{status}: {said}")
        self.status, self.problem, self.retry_after = status, problem, retry_after


class NoAnswer(ConnectionError):
    """However often it was asked, nothing answered."""


class _Again(Retry):
    """Tries again, and never before Retry-After: where that is more than LONGEST away, not at all."""

    def increment(self, method: str | None = None, url: str | None = None, response: BaseHTTPResponse | None = None, *how: Any, **more: Any) -> Self:
        if response is not None and (self.get_retry_after(response) or 0) > LONGEST:
            raise MaxRetryError(more["_pool"], url or "", ResponseError(f"wants to be asked again in more than {LONGEST} s"))
        return super().increment(method, url, response, *how, **more)


class Client:
    """One API at one address; threads may share it. Close it, or use it in a `with`.

    Lost connections, also in the middle of an answer, and passing refusals (429, 502, 503, 504) are tried `retries` times more, each time twice as
    long after the last, or when Retry-After says; where that is more than LONGEST away the refusal is raised at once, with `retry_after`. That does
    no harm: questions change nothing, and what is fed back carries an id by which it is stored once. Redirections are not followed, so the key goes
    nowhere else. Members of an answer that are not known here, as a newer API may have, are passed over. Methods raise ApiError for an answer that is
    an error, NoAnswer where none came.
    """

    def __init__(self, address: str = "http://127.0.0.1:8000", key: str | None = None, timeout: float = 10.0, retries: int = 4) -> None:
        """timeout: seconds that the API may be silent, each time. ValueError for an address that is none."""
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
            raise ValueError(f"address is {address!r}, wanted one such as http://127.0.0.1:8000")
        self.address = address.rstrip("/")
        again = _Again(
            retries, redirect=False, status_forcelist=PASSING, allowed_methods=None, raise_on_status=False,
            backoff_factor=0.2, backoff_jitter=0.1, backoff_max=LONGEST)  # fmt: skip
        heads = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self.pool = PoolManager(maxsize=16, headers=heads, retries=again, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.pool.clear()

    # -- questions ---------------------------------------------------------------------------------------------------

    def recommend(self, asked: Recommend) -> Recommendations:
        """Films for somebody, the best first, each with its reason."""
        return self._post("/recommendations", asked, Recommendations)

    def feedback(self, said: Said | Events) -> Stored:
        """Store what somebody did; once this returns it is on the disk. Events without an id get one here, so that a retry stores them once."""
        events = said.events if isinstance(said, Events) else [said]
        named = [one if one.id else one.model_copy(update={"id": f"c-{uuid4().hex}"}) for one in events]
        return self._post("/feedback", Events(events=named) if isinstance(said, Events) else named[0], Stored)

    def my_data(self, user_id: int | str) -> Data:
        """Everything that is stored of somebody."""
        return self._get("/api/my_data", Data, user_id=user_id)

    def forget(self, user_id: int | str) -> Forgotten:
        """Delete everything that is stored of somebody, for good. Tried again after a lost answer, it counts what was left."""
        return self._ask("DELETE", "/api/my_data", Forgotten, fields={"user_id": user_id})

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

    def explain(
        self, user_id: int | str, film: int | str, model: str | None = None, now: Moment = ANY_TIME, anyway: bool = False, k: int = 10
    ) -> Explained:
        """Why a film stands where it stands for somebody, in the list that `recommend` gives to the same k, model, moment and `anyway`."""
        return self._get("/api/explain", Explained, user_id=user_id, **_film(film), model=model, k=k, **_moment(now, anyway))

    def why_not(self, user_id: int | str, film: int | str, now: Moment = ANY_TIME, anyway: bool = False) -> Missing | Present:
        """Why a film does not stand higher at a moment, and what would change that."""
        return self._get("/api/why_not", WHY_NOT, user_id=user_id, **_film(film), **_moment(now, anyway))

    def compare(self, user_id: int | str, *models: str, k: int = 10, now: Moment = ANY_TIME, anyway: bool = False) -> Compared:
        """Lists of two to four models side by side, at a moment."""
        return self._get("/api/compare", Compared, user_id=user_id, models=",".join(models), k=k, **_moment(now, anyway))

    def models(self) -> Models:
        """All models: what each is, and how well it ranked."""
        return self._get("/api/models", Models)

    def evaluations(self) -> Reports:
        """All evaluation reports, each in a line."""
        return self._get("/api/evaluation", Reports)

    def evaluation(self, name: str, page: int = 1, size: int = 100, **only: str | int) -> ReportOf:
        """One report by name, and a page of its figures. only: variant, model, metric, k or segment, to be told of these alone."""
        return self._get(f"/api/evaluation/{quote(name, safe='')}", ReportOf, page=page, size=size, **only)

    def experiments(self) -> Overviews:
        """All experiments that are planned, each in a line."""
        return self._get("/api/experiments", Overviews)

    def experiment(self, name: str, day: int | None = None) -> ReadingOf:
        """Everything that an experiment says by the end of a day, the first being 0; by now without."""
        return self._get(f"/api/experiments/{quote(name, safe='')}", ReadingOf, day=day)

    def ab_test_results(self) -> Results:
        """What each experiment found."""
        return self._get("/api/ab_test_results", Results)

    def ready(self) -> Ready:
        """What answers now; ApiError with status 503 until models are loaded, however often it was asked."""
        return self._get("/ready", Ready)

    # -- how ---------------------------------------------------------------------------------------------------------

    def _get(self, path: str, answer: type[Answer] | TypeAdapter[Answer], **asked: Any) -> Answer:
        return self._ask("GET", path, answer, fields={name: value for name, value in asked.items() if value is not None})

    def _post(self, path: str, asked: BaseModel, answer: type[Answer]) -> Answer:
        body = asked.model_dump_json(exclude_unset=True).encode()
        return self._ask("POST", path, answer, body=body, headers={**self.pool.headers, "Content-Type": "application/json"})

    def _ask(self, method: str, path: str, answer: type[Answer] | TypeAdapter[Answer], **more: Any) -> Answer:
        try:
            came = self.pool.request(method, self.address + path, redirect=False, **more)
        except HTTPError as error:
            reason = error.reason if isinstance(error, MaxRetryError) else error
            raise NoAnswer(f"{self.address}{path} did not answer: {reason}") from None
        return self._read(came, path, answer)

    def _read(self, came: BaseHTTPResponse, path: str, answer: type[Answer] | TypeAdapter[Answer]) -> Answer:
        """The answer in its form; ApiError for a problem, and for anything that is not an answer of this API."""
        try:
            if 200 <= came.status < 300:
                return (answer if isinstance(answer, TypeAdapter) else TypeAdapter(answer)).validate_json(came.data, extra="ignore")
            problem = ProblemDetails.model_validate_json(came.data)
        except ValidationError as error:
            wrong = error.errors(include_input=False)[0]
            said = f"{self.address}{path} did not answer as Marquee does: {'.'.join(map(str, wrong['loc'])) or 'the body'}: {wrong['msg']}"
            raise ApiError(came.status, said, None) from None
        after = came.headers.get("Retry-After")
        raise ApiError(came.status, f"{problem.title}: {problem.detail}", problem, Retry().parse_retry_after(after) if after else None)


def _moment(now: Moment, anyway: bool) -> dict[str, str | None]:
    """A moment as the GET routes take it, and whether the models are told all of it. ValueError for what they do not take."""
    if now.at is not None or now.minutes is not None:
        raise ValueError("the moment gives at or minutes, wanted time_of_day and device alone")
    return {"time_of_day": now.time_of_day, "device": now.device, "anyway": "true" if anyway else None}


def _film(film: int | str) -> dict[str, int | str]:
    return {"movie_id": film} if isinstance(film, int) else {"title": film}
