"""The client: against the API itself, and against servers that misbehave."""

from __future__ import annotations

import inspect
import json
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any
from urllib.request import Request, urlopen

import pytest
from fastapi.testclient import TestClient
from loopback import answering, served
from pydantic import SecretStr

from recommender.api.answered import Data, Forgotten, Recommendations, Stored
from recommender.api.app import create
from recommender.api.asked import Events, Moment, Recommend, Said
from recommender.api.browsed import Genres, History, Movie, Movies, SimilarMovies, Users
from recommender.api.browsed_experiments import Overviews, ReadingOf, Results
from recommender.api.browsed_explain import Compared, Explained, Missing, Present
from recommender.api.browsed_reports import Models, ReportOf, Reports
from recommender.api.browsed_taste import Wants
from recommender.api.routes.health import Ready
from recommender.client import ApiError, Client, NoAnswer

LIKE = Said(user_id="client-1", kind="like", movie_id=2571)
JSON = {"content-type": "application/json"}
GENRES = {"genres": [{"name": "Drama", "movies": 3}]}


@pytest.fixture(scope="module")
def address(api: TestClient) -> Iterator[str]:
    """Where the API itself is served."""
    with served(api.app) as found:
        yield found


@pytest.fixture
def marquee(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client
        client.forget("client-1")


# -- against the API ---------------------------------------------------------------------------------------------------

CALLS: dict[str, tuple[Callable[[Client], Any], tuple[type, ...]]] = {
    "recommend": (lambda c: c.recommend(Recommend(user_id="ines", k=3)), (Recommendations,)),
    "feedback": (lambda c: c.feedback(LIKE), (Stored,)),
    "my_data": (lambda c: c.my_data("client-1"), (Data,)),
    "forget": (lambda c: c.forget("client-2"), (Forgotten,)),
    "users": (lambda c: c.users(), (Users,)),
    "movies": (lambda c: c.movies("matirx", genre="Action"), (Movies,)),
    "movie": (lambda c: c.movie(2571), (Movie,)),
    "genres": (lambda c: c.genres(), (Genres,)),
    "similar": (lambda c: c.similar("Alien (1979)", k=3), (SimilarMovies,)),
    "history": (lambda c: c.history("ines"), (History,)),
    "preferences": (lambda c: c.preferences("ines"), (Wants,)),
    "explain": (lambda c: c.explain("vera", 1214, model="ease"), (Explained,)),
    "why_not": (lambda c: c.why_not("ines", "Alien (1979)"), (Missing, Present)),
    "compare": (lambda c: c.compare("ines", "ease", "popularity", k=5), (Compared,)),
    "models": (lambda c: c.models(), (Models,)),
    "evaluations": (lambda c: c.evaluations(), (Reports,)),
    "evaluation": (lambda c: c.evaluation("P1", size=2, model="ease"), (ReportOf,)),
    "experiments": (lambda c: c.experiments(), (Overviews,)),
    "experiment": (lambda c: c.experiment("blend"), (ReadingOf,)),
    "ready": (lambda c: c.ready(), (Ready,)),
    "ab_test_results": (lambda c: c.ab_test_results(), (Results,)),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_question_gets_an_answer_of_its_type(marquee: Client, name: str) -> None:
    call, types = CALLS[name]
    assert isinstance(call(marquee), types)


def test_every_method_is_asked_above() -> None:
    public = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    assert public - {"close"} == set(CALLS)


def test_answers_are_those_of_the_api(marquee: Client, api: TestClient) -> None:
    assert marquee.movies("matirx", size=3).model_dump(mode="json") == api.get("/api/movies", params={"q": "matirx", "size": 3}).json()
    assert [g.model_dump(mode="json") for g in marquee.genres().genres] == api.get("/api/movie_genres").json()["genres"]


def test_what_was_recommended_at_a_moment_is_explained_at_it(marquee: Client) -> None:
    now = Moment(time_of_day="evening", device="tv")
    asked = Recommend(user_id="kenji", k=3, context=now, anyway=True, reasons=1000)
    film = marquee.recommend(asked).recommendations[0]
    why = marquee.explain("kenji", film.id, now=now, anyway=True, k=3)
    assert (why.score, why.sentence) == (pytest.approx(film.similarity_score, abs=1e-6), film.recommendation_reason)
    assert {reason.subject for reason in why.reasons if reason.kind == "context"} == {"evening", "tv"}
    assert {name: signal.used for name, signal in why.signals.items()} == {"time_of_day": True, "device": True}
    assert marquee.explain("kenji", film.id).score != pytest.approx(why.score, abs=1e-6)
    there, elsewhere = (marquee.why_not("kenji", 608, now=at, anyway=True) for at in (now, Moment()))
    assert there != elsewhere
    assert marquee.compare("kenji", "hybrid", "ease", k=5, now=now).device == "tv"
    with pytest.raises(ValueError, match="wanted time_of_day and device"):
        marquee.explain("kenji", 608, now=Moment(at="2026-11-22T21:00"))


def test_what_is_fed_back_is_stored_and_heeded_and_can_be_taken_back(marquee: Client) -> None:
    stored = marquee.feedback(Events(events=[LIKE, Said(user_id="client-1", kind="hide", title="Fargo (1996)")]))
    assert (stored.stored, len(set(stored.ids))) == (2, 2)
    assert {event["id"] for event in marquee.my_data("client-1").events} == set(stored.ids)
    assert [film.movie.id for film in marquee.history("client-1").stands.films if film.said == "like"] == [2571]
    marquee.feedback(Said(user_id="client-1", kind="undo", target=stored.ids[0]))
    assert "like" not in {film.said for film in marquee.history("client-1").stands.films}


def test_an_id_of_ones_own_is_kept(marquee: Client) -> None:
    mine = LIKE.model_copy(update={"id": "mine"})
    assert [marquee.feedback(mine).stored, marquee.feedback(mine).known] == [1, 1]


def test_a_problem_is_told_with_all_it_says(marquee: Client) -> None:
    with pytest.raises(ApiError, match="404: no such film") as caught:
        marquee.similar("Star Wrs Trk")
    assert caught.value.status == 404
    assert caught.value.problem is not None
    assert caught.value.problem.instance
    assert caught.value.problem.errors[0].where == "query.title"
    assert caught.value.problem.type == "/problems/no-such-film"


def test_the_key_is_sent(api: TestClient) -> None:
    desk, key = api.app.state.desk, "a-key-for-the-client"
    with served(create(desk, desk.settings.model_copy(update={"api_keys": (SecretStr(key),)}))) as address:
        with Client(address, key) as known:
            assert known.genres().genres
        with Client(address, retries=0) as stranger, pytest.raises(ApiError, match="401"):
            stranger.genres()


# -- against servers that misbehave ------------------------------------------------------------------------------------


class Odd(BaseHTTPRequestHandler):
    """Does one of `plays` a request, the last of them again and again, and notes what it was asked."""

    protocol_version = "HTTP/1.1"
    plays: list[Callable[[Odd], None]]
    asked: list[tuple[str, str, bytes, dict[str, str]]]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.asked.append((self.command, self.path, body, {k.lower(): v for k, v in self.headers.items()}))
        (self.plays.pop(0) if len(self.plays) > 1 else self.plays[0])(self)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def say(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def cut(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


PROBLEM = {"type": "about:blank", "title": "not ready", "status": 503, "detail": "no models are loaded", "instance": "abc"}


def good(odd: Odd) -> None:
    odd.say(200, json.dumps(GENRES).encode())


def away(odd: Odd, status: int = 503, **headers: str) -> None:
    odd.say(status, json.dumps(PROBLEM | {"status": status}).encode(), "application/problem+json", **headers)


def half(odd: Odd) -> None:
    odd.send_response(200)
    odd.send_header("content-length", "1000")
    odd.end_headers()
    odd.wfile.write(b'{"genres": [')
    odd.cut()


def silent(odd: Odd) -> None:
    time.sleep(3)
    odd.close_connection = True


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Client, type[Odd]]]]:
    """A client of a server that plays these; nobody waits, and `waits` of the server holds how long they would have."""
    open_: list[Any] = []

    def start(*plays: Callable[[Odd], None], **how: Any) -> tuple[Client, Any]:
        odd = type("Playing", (Odd,), {"plays": list(plays), "asked": [], "waits": []})
        monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(sleep=odd.waits.append, time=time.time))
        server = answering(odd)
        open_.append(server)
        return Client(server.__enter__(), **{"timeout": 5.0, **how}), odd

    yield start
    for server in open_:
        server.__exit__(None, None, None)


@pytest.mark.parametrize(
    "trouble", [away, lambda odd: away(odd, 502), lambda odd: away(odd, 504), half, Odd.cut], ids=["503", "502", "504", "half", "cut"]
)
def test_what_passes_is_tried_again(play, trouble: Callable[[Odd], None]) -> None:
    client, odd = play(trouble, trouble, good)
    assert client.genres().genres[0].name == "Drama"
    assert len(odd.asked) == 3


def test_who_is_silent_is_asked_again(play) -> None:
    client, odd = play(silent, good, timeout=1)
    assert client.genres()
    assert len(odd.asked) == 2


def test_waits_double_and_retry_after_is_kept_within_bounds(play) -> None:
    client, odd = play(away, away, away, away, good)
    client.genres()
    first, second, third = odd.waits  # none before the first
    assert 0.4 <= first <= 0.5
    assert 0.8 <= second <= 0.9
    assert 1.6 <= third <= 1.7
    late = {"retry-after": "7"}
    client, odd = play(lambda o: away(o, 429, **late), good)
    client.genres()
    assert odd.waits == [7]


def test_nobody_is_asked_before_the_time_that_they_gave(play) -> None:
    """An hour is too long to wait: the refusal is told at once, and when to ask again."""
    client, odd = play(away, lambda o: away(o, 429, **{"retry-after": "3600"}), good)
    with pytest.raises(ApiError, match="429") as caught:
        client.genres()
    assert (caught.value.retry_after, len(odd.asked), max(odd.waits, default=0) < 1) == (3600, 2, True)
    client, odd = play(away, retries=0)
    with pytest.raises(ApiError) as caught:
        client.genres()
    assert caught.value.retry_after is None


@pytest.mark.parametrize("path", ["/recommendations", "/feedback", "/api/explain", "/api/why_not", "/api/compare", "/api/user_history"])
def test_members_of_a_newer_server_are_passed_over(play, api: TestClient, path: str) -> None:
    ask: dict[str, Callable[[Client], Any]] = {
        "/recommendations": lambda c: c.recommend(Recommend(user_id="vera", k=2)),
        "/feedback": lambda c: c.feedback(LIKE),
        "/api/explain": lambda c: c.explain("vera", 1214),
        "/api/why_not": lambda c: c.why_not("vera", 1214),
        "/api/compare": lambda c: c.compare("vera", "ease", "popularity", k=5),
        "/api/user_history": lambda c: c.history("vera"),
    }

    def newer(odd: Odd) -> None:
        stored = {"stored": 1, "known": 0, "ids": ["a"]}
        told = stored if path == "/feedback" else api.request(*odd.asked[-1][:2], content=odd.asked[-1][2], headers=JSON).json()
        told["later"] = [1]
        for part in ("metadata", "smallest_set", "user"):
            if isinstance(told.get(part), dict):
                told[part]["later"] = 5
        for part in ("recommendations", "reasons", "behind", "lists", "changes"):
            for one in told.get(part, ()):
                one["later"] = "yes"
        odd.say(200, json.dumps(told).encode())

    client, _ = play(newer)
    assert "later" not in ask[path](client).model_dump_json()


def test_it_gives_up_and_says_what_it_was_told_last(play) -> None:
    client, odd = play(away, retries=2)
    with pytest.raises(ApiError, match="503: not ready: no models are loaded") as caught:
        client.genres()
    assert caught.value.problem is not None
    assert len(odd.asked) == 3


@pytest.mark.parametrize("trouble", [half, Odd.cut], ids=["half", "cut"])
def test_who_never_answers_is_named(play, trouble: Callable[[Odd], None]) -> None:
    client, odd = play(trouble, retries=1)
    with pytest.raises(NoAnswer, match="/api/movie_genres did not answer"):
        client.genres()
    assert len(odd.asked) == 2


def test_where_nothing_listens_there_is_no_answer(play) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NoAnswer, match="did not answer"):
        Client(f"http://127.0.0.1:{port}", retries=0).genres()


@pytest.mark.parametrize(
    "status, body, kind",
    [
        (200, b"<html>Welcome</html>", "text/html"),
        (200, b"", "application/json"),
        (200, b'{"genres": 5}', "application/json"),
        (200, b"\xff\xfe", "application/json"),
        (500, b"<html>Internal Server Error</html>", "text/html"),
        (404, b'{"detail": "Not Found"}', "application/json"),
    ],
)
def test_another_kind_of_answer_is_no_answer_of_ours(play, status: int, body: bytes, kind: str) -> None:
    client, odd = play(lambda o: o.say(status, body, kind))
    with pytest.raises(ApiError, match="did not answer as Marquee does") as caught:
        client.genres()
    assert (caught.value.status, caught.value.problem, len(odd.asked)) == (status, None, 1)


def test_what_is_wrong_for_good_is_not_tried_again(play) -> None:
    for status in (400, 401, 403, 404, 409, 413, 422, 500):
        client, odd = play(lambda o, status=status: away(o, status))
        with pytest.raises(ApiError, match=str(status)):
            client.genres()
        assert len(odd.asked) == 1


def test_the_key_goes_nowhere_else(play) -> None:
    elsewhere, stranger = play(good)
    client, odd = play(lambda o: o.say(302, b"", location=f"{elsewhere.address}/api/movie_genres"), key="a-key-for-the-client")
    with pytest.raises(ApiError, match="302"):
        client.genres()
    assert odd.asked[0][3]["authorization"] == "Bearer a-key-for-the-client"
    assert not stranger.asked


def test_a_lost_acknowledgement_stores_once(play, address: str, marquee: Client) -> None:
    """The event is stored, the answer gets lost, and the client asks again."""

    def passed_on(odd: Odd) -> tuple[int, bytes]:
        sent = Request(address + odd.path, odd.asked[-1][2], {"content-type": "application/json"})
        with urlopen(sent) as answer:
            return answer.status, answer.read()

    def lost(odd: Odd) -> None:
        passed_on(odd)
        odd.cut()

    client, odd = play(lost, lambda o: o.say(*passed_on(o)))
    told = client.feedback(LIKE)
    first, second = (json.loads(body) for _, _, body, _ in odd.asked)
    assert first == second
    assert (told.stored, told.known, told.ids) == (0, 1, [first["id"]])
    assert [event["id"] for event in marquee.my_data("client-1").events] == told.ids


def test_each_event_of_several_gets_an_id_of_its_own(play) -> None:
    client, odd = play(lambda o: o.say(201, b'{"stored": 2, "known": 0, "ids": ["a", "b"]}'))
    client.feedback(Events(events=[LIKE, LIKE.model_copy(update={"id": "mine"})]))
    client.feedback(LIKE)
    sent = [json.loads(body) for _, _, body, _ in odd.asked]
    ids = [one["id"] for one in sent[0]["events"]] + [sent[1]["id"]]
    assert ids[1] == "mine"
    assert len(set(ids)) == 3
    assert set(sent[1]) == {"user_id", "kind", "movie_id", "id"}  # and nothing that was not said


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://localhost", "http://", ""])
def test_an_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(ValueError, match="wanted one such as"):
        Client(address)
