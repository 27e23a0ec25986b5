"""TMDB's client and cache against a server of this machine that behaves like TMDB, and misbehaves: what comes, and what is never said."""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from tmdb_server import V3, V4, Tmdb, film, picture, tmdb
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.serve import gallery as room
from recommender.serve import tmdb as wire
from recommender.serve.gallery import Gallery, bring
from recommender.serve.posters import DAY, Cache
from recommender.serve.tmdb import Away, Client, Film, KeyRefused, Line, NotThere, Odd, TmdbError
from recommender.settings import STATIC, Settings, settings


@pytest.fixture
def server() -> Iterator[Tmdb]:
    with tmdb() as state:
        yield state


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the pictures; static/ is elsewhere for the test."""
    monkeypatch.setattr("recommender.serve.posters.STATIC", tmp_path)
    return tmp_path / "posters"


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def client(server: Tmdb, key: str = V3, **other) -> Client:
    return Client(SecretStr(key), Line(server.api, server.images, rate=1000, **({"pause": 0.01} | other)))


def cache(folder: Path, clock: Callable[[], float] = time.time, days: int = 150, most: int = 10**9) -> Cache:
    return Cache(folder, folder.parent / "facts", days, most, clock)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


# -- the client --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "way"), [(V3, "v3"), (V4, "v4"), (f"  {V4}\n", "v4")])
def test_both_kinds_of_key_open_the_door(server: Tmdb, key: str, way: str) -> None:
    found = client(server, key).film(603)
    assert found == Film(603, "/poster000603.png", "What film 603 is about.", 95, tuple((f"Player {n}", f"Part {n} of 603") for n in range(10)))
    assert server.signed == {way: 1}
    assert server.asked == ["/3/movie/603"]


def test_a_picture_is_asked_for_without_a_key(server: Tmdb) -> None:
    assert client(server).picture("/poster000603.png") == picture(603)
    assert server.signed == {}


@pytest.mark.parametrize("key", ["", "short", "g" * 32, V3 + "0", "a.b.c", f"{V3}&x=1", "x" * 999])
def test_what_is_no_key_is_refused_before_it_is_sent(server: Tmdb, key: str) -> None:
    with pytest.raises(TmdbError, match="no key of TMDB") as refused:
        client(server, key)
    assert len(key) < 5 or key not in str(refused.value)
    assert server.asked == []


@pytest.mark.parametrize("key", ["f" * 32, V4[:-1] + "z"])
def test_a_wrong_key_is_said_once_and_never_sent_again(server: Tmdb, key: str) -> None:
    wrong = client(server, key)
    with pytest.raises(KeyRefused, match="refuses the key"):
        wrong.film(603)
    for _ in range(3):
        with pytest.raises(KeyRefused):
            wrong.film(604)
    assert server.asked == ["/3/movie/603"]
    assert wrong.refused
    assert not wrong.line.resting, "the line is not at fault"


ILLS = ["401", "404", "500", "302", "429 0", "reset", "cut", "broken", "list", "html", "html as json", "huge", "elsewhere"]


@pytest.mark.parametrize("key", [V3, V4], ids=["v3", "v4"])
@pytest.mark.parametrize("ill", ILLS)
def test_no_failure_tells_the_key(server: Tmdb, ill: str, key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.ills[0] = ill
    asking = client(server, key)
    with pytest.raises(TmdbError) as failed:
        asking.film(603)
    chain, error = [], failed.value
    while error is not None:
        chain += [repr(error), str(error), str(vars(error))]
        error = error.__cause__ or error.__context__
    told = "".join([*chain, *traceback.format_exception(failed.value), repr(asking), repr(vars(asking)), str(vars(asking.line)), caplog.text])
    assert key not in told
    assert caplog.records, "urllib3 writes down what it asks for at this level"


def test_no_dead_network_tells_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asking = Client(SecretStr(V3), Line("http://127.0.0.1:9/3", "http://127.0.0.1:9", rate=1000, pause=0.001))
    with pytest.raises(Away) as failed:
        asking.film(603)
    assert failed.value.__context__ is None
    assert V3 not in "".join(traceback.format_exception(failed.value)) + caplog.text


@pytest.mark.parametrize(
    ("ill", "raised"),
    [
        ("404", NotThere), ("302", Odd), ("elsewhere", Odd), ("broken", Odd), ("list", Odd), ("html", Odd), ("html as json", Odd), ("huge", Odd),
        ("500", Away), ("reset", Away),
    ],
)  # fmt: skip
def test_what_is_not_what_was_asked_for_is_told_apart(server: Tmdb, ill: str, raised: type[TmdbError]) -> None:
    server.ills[603] = ill
    with pytest.raises(raised):
        client(server).film(603)
    assert "/elsewhere" not in server.asked
    assert len(server.asked) == (wire.ATTEMPTS if raised is Away else 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"poster_path": "/../../../app.py"}, {"poster_path": "poster.jpg"}, {"poster_path": "/a.jpg/../b.jpg"}, {"poster_path": "/x\x00yzzzzzzz.jpg"},
        {"poster_path": "//evil.example/poster12.jpg"}, {"poster_path": "/poster000603.svg"}, {"poster_path": "/poster000603.jpg\n"},
        {"poster_path": 7}, {"id": 604}, {"id": "x"}, {"runtime": -1}, {"runtime": "long"}, {"overview": ["a"]}, {"credits": []},
        {"credits": {"cast": {"name": "A"}}}, {"credits": {"cast": [{"character": "nobody"}]}},
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_of_another_shape_is_not_taken(server: Tmdb, wrong: dict) -> None:
    server.films[603] = film(603, **wrong)
    with pytest.raises(Odd, match="film 603"):
        client(server).film(603)


def test_what_tmdb_does_not_know_of_a_film_is_left_open(server: Tmdb) -> None:
    server.films[603] = {"id": 603, "poster_path": None, "overview": None, "runtime": None}
    assert client(server).film(603) == Film(603, None, "", 0, ())


def test_text_is_one_line_of_what_can_be_seen(server: Tmdb) -> None:
    cast = [{"name": "A\u202eb\x07", "character": "x" * 999}]
    server.films[603] = film(603, overview="<script>alert(1)</script>\n\n" + "long " * 999, credits={"cast": cast})
    found = client(server).film(603)
    assert found.overview.startswith("<script>alert(1)</script> long long")
    assert len(found.overview) <= wire.WORDS
    assert found.cast == (("A b", "x" * 199 + "…"),)


@pytest.mark.parametrize("ill", ["html as picture", "html", "huge picture", "404", "broken"])
def test_what_is_no_picture_is_not_taken_for_one(server: Tmdb, ill: str) -> None:
    server.ills[-603] = ill
    with pytest.raises((Odd, NotThere)):
        client(server).picture("/poster000603.png")


def test_a_picture_that_was_cut_short_is_asked_for_again(server: Tmdb) -> None:
    server.ills[-603] = ["cut", "reset"]
    server.ills[603] = ["cut"]
    asking = client(server)
    assert asking.film(603).tmdb == 603
    with pytest.raises(Odd, match="wanted image/"):  # what is cut says that it is JSON
        asking.picture("/poster000603.png")
    assert asking.picture("/poster000603.png") == picture(603)


@pytest.mark.parametrize("after", ["0", "Wed, 18 Nov 2026 08:00:00 GMT", "soon"])
def test_too_many_requests_are_asked_again_after_the_pause(server: Tmdb, after: str) -> None:
    server.ills[603] = [f"429 {after}", f"429 {after}"]
    assert client(server).film(603).tmdb == 603
    assert len(server.asked) == 3


def test_the_pause_is_the_one_that_is_asked_for(server: Tmdb) -> None:
    server.ills[603], asking, slept = ["429 7", "429 11"], client(server), list[float]()
    asking.line._sleep = slept.append  # type: ignore[method-assign]
    assert asking.film(603).tmdb == 603
    assert [s for s in slept if s >= 1] == [7, 11]


def test_whoever_asks_for_a_long_pause_is_left_alone_for_that_long(server: Tmdb) -> None:
    clock = Clock()
    server.ills[603], asking = ["429 200"], client(server, clock=clock)
    with pytest.raises(Away, match="429"):
        asking.film(603)
    assert 0 < asking.line.resting <= 200
    for _ in range(5):
        with pytest.raises(Away, match="left alone"):
            asking.film(604)
    assert len(server.asked) == 1, "a rest costs no request"
    clock.now += 201
    assert asking.film(604).tmdb == 604


def test_repeated_failures_end_in_a_rest_that_doubles(server: Tmdb) -> None:
    clock, rests = Clock(), []
    server.ills[0], asking = "500", client(server, clock=clock)
    for _ in range(wire.FAILURES + 6):
        with pytest.raises(Away):
            asking.film(603)
        rests.append(asking.line.resting)
        clock.now += rests[-1] + 1
    assert rests == [0, 0, 60, 120, 240, 480, 900, 900, 900]
    assert len(server.asked) == wire.FAILURES * wire.ATTEMPTS + 6, "after a rest, one look"
    server.ills.clear()
    assert asking.film(603).tmdb == 603
    assert not asking.line.resting


def test_requests_of_all_threads_keep_the_rate(server: Tmdb) -> None:
    asking, began = client(server), time.monotonic()
    asking.line._gap = 0.02  # fifty a second
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(asking.film, range(600, 611)))
    assert time.monotonic() - began >= 10 * 0.02


def test_an_answer_that_drips_is_given_up(server: Tmdb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "WHOLE", 0.2)
    monkeypatch.setattr(wire, "ATTEMPTS", 1)
    server.ills[603] = "drip"
    with pytest.raises(Away, match=r"took longer than|connection"):
        client(server).film(603)


# -- the settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tmdb_api", "tmdb_images"])
@pytest.mark.parametrize(
    "bad",
    [
        "http://api.themoviedb.org/3", "ftp://x", "api.themoviedb.org", "https://", "https://me:word@host/3", "https://host/3?k=1",
        "file:///etc/passwd", "http://127.0.0.1.example/3",
    ],
)  # fmt: skip
def test_addresses_are_of_https_or_of_this_machine(name: str, bad: str) -> None:
    with pytest.raises(ValidationError, match=r"wanted https://"):
        Settings(**{name: bad})
    assert getattr(Settings(**{name: "http://127.0.0.1:8000/3"}), name)


@pytest.mark.parametrize(
    "wrong", [{"poster_days": 181}, {"poster_days": 0}, {"tmdb_rate": 41}, {"tmdb_rate": 0}, {"posters": "/tmp/elsewhere"}, {"posters": STATIC}]
)
def test_settings_keep_within_the_terms_and_within_what_is_served(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)


@pytest.mark.parametrize("name", ["MARQUEE_TMDB_KEY", "TMDB_API_KEY"])
def test_the_key_comes_from_the_environment_or_a_file_and_is_not_shown(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(name, V4)
    found = Settings()  # type: ignore[call-arg]
    assert found.tmdb_key.get_secret_value() == V4
    assert V4 not in f"{found!r} {found} {found.model_dump()} {found.model_dump_json()}"
    monkeypatch.delenv(name)
    (tmp_path / "marquee_tmdb_key").write_text(V3 + "\n")
    assert Settings(_secrets_dir=tmp_path).tmdb_key.get_secret_value().strip() == V3  # type: ignore[call-arg]


# -- the cache ---------------------------------------------------------------------------------------------------------


def test_an_entry_comes_back_as_it_was_and_ends_with_its_time(pictures: Path) -> None:
    clock = Clock()
    store, of = cache(pictures, clock, days=150), Film(603, "/poster000603.jpg", "About.", 95, (("A", "B"),))
    made = store.keep(of, picture(603))
    assert store.entry(603) == made
    assert (made.file, made.overview, made.minutes, made.cast) == ("603-poster000603.png", "About.", 95, (("A", "B"),)), "named by what it is"
    assert (pictures / made.file).read_bytes() == picture(603)
    clock.now += 150 * DAY - 1
    assert store.known(603)
    clock.now += 2
    assert store.known(603) is None
    assert store.entry(603) is None
    assert kept(pictures) == kept(pictures.parent / "facts") == [], "what has had its time is deleted"


def test_a_film_without_a_picture_is_asked_for_again_after_a_week(pictures: Path) -> None:
    clock = Clock()
    store = cache(pictures, clock)
    store.missing(603, "TMDB does not have it (404)")
    assert store.known(603) == (clock.now, None, 0)
    clock.now += 7 * DAY + 1
    assert store.known(603) is None


@pytest.mark.parametrize(
    "harm",
    [
        b"", b"{", b"[]", b'{"tmdb": 604, "at": 1.8e9}', b'{"tmdb": 603, "at": 1.8e9, "file": "../../app.py"}', b'{"tmdb": 603, "at": 9e12}',
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_damaged_entry_is_thrown_away_and_fetched_again(server: Tmdb, pictures: Path, harm: bytes) -> None:
    store, asking = cache(pictures), client(server)
    bring(store, asking, 603)
    (pictures.parent / "facts" / "603.json").write_bytes(harm)
    fresh = cache(pictures)
    fresh.sweep()
    assert fresh.known(603) is None
    assert bring(fresh, asking, 603).file == "603-poster000603.png"
    assert server.asked.count("/3/movie/603") == 2


@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_a_damaged_picture_is_fetched_again(server: Tmdb, pictures: Path, harm: str) -> None:
    store, asking = cache(pictures), client(server)
    file = pictures / str(bring(store, asking, 603).file)
    file.write_bytes(file.read_bytes()[:50]) if harm == "cut" else file.unlink()
    bring(store, asking, 603)
    assert file.read_bytes() == picture(603)


def test_the_space_is_bounded_and_the_oldest_go(pictures: Path) -> None:
    clock = Clock()
    store = cache(pictures, clock, most=10 * len(picture(1)))
    for number in range(30):
        clock.now += 1
        store.keep(Film(number + 1, f"/poster{number + 1:06d}.png", "", 0, ()), picture(1))
    assert store.over
    store.sweep()
    assert not store.over
    files = {int(name.partition("-")[0]) for name in kept(pictures)}
    assert files == set(range(31 - len(files), 31))
    assert 8 <= len(files) <= 10
    assert len(kept(pictures.parent / "facts")) == len(files)


def test_what_nothing_names_is_swept_but_not_what_another_process_writes(pictures: Path) -> None:
    clock = Clock(time.time())
    store = cache(pictures, clock)
    store.keep(Film(1, "/poster000001.png", "", 0, ()), picture(1))
    for name in ("2-poster000002.png", ".3-poster.png-abc.part", "notes.txt"):
        (pictures / name).write_bytes(b"x")
    store.sweep()
    assert len(kept(pictures)) == 4
    clock.now += 2 * 3600
    store.sweep()
    assert kept(pictures) == ["1-poster000001.png", "notes.txt"]
    assert store.clear() == 1
    assert kept(pictures) == ["notes.txt"]


def test_a_write_that_fails_leaves_nothing_half_made(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = cache(pictures)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recommender.serve.posters.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        store.keep(Film(1, "/poster000001.png", "", 0, ()), picture(1))
    assert kept(pictures) == []
    assert store.known(1) is None


def test_many_at_once_leave_whole_entries(server: Tmdb, pictures: Path) -> None:
    asking, stores = client(server), [cache(pictures) for _ in range(6)]  # as many processes
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: bring(stores[n % 6], asking, 600 + n % 4), range(48)))
    assert kept(pictures) == [f"{n}-poster{n:06d}.png" for n in range(600, 604)]
    for n in range(600, 604):
        assert json.loads((pictures.parent / "facts" / f"{n}.json").read_bytes())["tmdb"] == n
        assert (pictures / f"{n}-poster{n:06d}.png").read_bytes() == picture(n)


# -- the gallery -------------------------------------------------------------------------------------------------------


@pytest.fixture
def house(server: Tmdb, pictures: Path, tmp_path: Path) -> Iterator[Gallery]:
    own = {"tmdb_key": SecretStr(V3), "tmdb_api": server.api, "tmdb_images": server.images, "tmdb_rate": 1000.0}
    opened = Gallery(settings().model_copy(update={**own, "posters": pictures, "poster_facts": tmp_path / "facts"}))
    opened.line._pause = 0.01
    yield opened
    server.hang.set()
    opened.close()


def until(happened: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "posters" and t.is_alive()]


def test_a_page_is_given_what_is_there_and_the_rest_comes(server: Tmdb, house: Gallery) -> None:
    server.none = {605}
    server.ills[-606] = "404"
    assert house.have([603, 604, 605, 606], house.own) == ({}, [], 4)
    until(lambda: house.have([603, 604, 605, 606], house.own).coming == 0)
    assert house.have([603, 604, 605, 606], house.own) == ({603: "603-poster000603.png", 604: "604-poster000604.png"}, [605, 606], 0)
    assert house.cache.entry(606).overview == "What film 606 is about.", "facts stay where only the picture is missing"
    asked = list(server.asked)
    house.have([603, 604, 605, 606], house.own)
    assert server.asked == asked
    assert server.asked.index("/3/movie/603") < server.asked.index("/3/movie/604"), "in the order of the page"


def test_nothing_waits_for_a_server_that_hangs(server: Tmdb, house: Gallery) -> None:
    server.ills[0] = "hang"
    house.have([603], house.own)
    until(lambda: server.asked)
    done = threading.Event()

    def page() -> None:
        for _ in range(200):
            house.have(range(1, 300), house.own)
            house.figures()
            house.forget(house.own)
        done.set()

    threading.Thread(target=page, daemon=True).start()
    assert done.wait(10), "pages are answered while the server says nothing"
    assert server.asked == ["/3/movie/603"]


def test_without_a_key_there_is_no_request_and_no_thread(server: Tmdb, pictures: Path, tmp_path: Path) -> None:
    own = {"tmdb_key": SecretStr(""), "tmdb_api": server.api, "tmdb_images": server.images, "posters": pictures, "poster_facts": tmp_path / "facts"}
    before = threading.active_count()
    empty = Gallery(settings().model_copy(update=own))
    assert empty.own is None
    assert empty.figures() == (0, 0, 0, None, None)
    assert (threading.active_count(), server.asked, pictures.exists()) == (before, [], False)


def test_a_thread_works_and_ends_with_its_work(server: Tmdb, house: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "IDLE", 0.05)
    assert threads() == []
    house.have(range(600, 640), house.own)
    assert threads() == ["posters"]
    until(lambda: threads() == [])
    assert house.coming == 0
    house.have([700], house.own)
    until(lambda: house.have([700], house.own).pictures)
    house.have(range(800, 900), house.own)
    house.close()
    assert threads() == []
    assert house.have([999], house.own).coming == 0, "closed is closed"


def test_a_refused_key_empties_its_own_queue_alone(server: Tmdb, house: Gallery) -> None:
    wrong = house.client(SecretStr("f" * 32))
    server.ills[603] = "hang"
    house.have([603], house.own)
    until(lambda: server.asked)
    house.have([604, 605], house.own)
    house.have([606, 607], wrong)
    server.hang.set()
    server.ills.clear()
    until(lambda: wrong.refused and house.have([604, 605], house.own).coming == 0)
    assert sorted(house.have([604, 605], house.own).pictures) == [604, 605]
    assert house.have([606, 607], wrong).coming == 0
    assert "/3/movie/607" not in server.asked


def test_a_dead_network_costs_a_few_requests_and_then_nothing(server: Tmdb, house: Gallery) -> None:
    server.ills[0] = "500"
    house.have(range(600, 650), house.own)
    until(lambda: house.line.resting)
    until(lambda: house.coming == 0)
    asked = len(server.asked)
    assert asked == wire.FAILURES * wire.ATTEMPTS
    assert "500" in house.trouble.line
    for _ in range(20):
        assert house.have(range(600, 650), house.own).coming == 0
    assert len(server.asked) == asked


def test_a_disk_that_takes_nothing_is_told_and_rested_from(server: Tmdb, house: Gallery, pictures: Path) -> None:
    pictures.write_text("a file where the folder should be")
    house.have([603, 604], house.own)
    until(lambda: house.trouble)
    assert "cannot be kept" in house.trouble.line
    until(lambda: house.coming == 0)
    assert house.have([603], house.own).coming == 0


def test_a_queue_has_an_end(server: Tmdb, house: Gallery) -> None:
    server.ills[0] = "hang"
    house.have([603], house.own)
    until(lambda: server.asked)
    assert house.have(range(10_000, 20_000), house.own).coming <= room.MOST
    assert house.coming <= room.MOST + 1


def test_a_key_is_checked_without_a_film(server: Tmdb, house: Gallery) -> None:
    right, wrong = house.client(SecretStr(V4)), house.client(SecretStr("f" * 32))
    house.check(right)
    until(lambda: house.coming == 0)
    house.check(wrong)
    until(lambda: wrong.refused)
    assert not right.refused
    assert set(server.asked) == {"/3/authentication"}


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(server: Tmdb, monkeypatch: pytest.MonkeyPatch, pictures: Path, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    own = {"tmdb_key": SecretStr(V3), "tmdb_api": server.api, "tmdb_images": server.images, "tmdb_rate": 1000.0, "posters": pictures}
    for name, value in {**own, "poster_facts": tmp_path / "facts"}.items():
        monkeypatch.setattr(settings(), name, value)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["posters", *words])
        return done.exit_code, done.output + str(done.exception or "")

    return run


def test_the_command_fetches_goes_on_and_clears(server: Tmdb, command: Callable[..., tuple[int, str]], pictures: Path) -> None:
    server.none = {603}
    code, said = command("--top", "12")
    assert code == 0, said
    assert len(kept(pictures)) == 11
    assert "The Matrix: TMDB does not have it (404)" in said
    asked = len(server.asked)
    code, said = command("--top", "14")
    assert code == 0, said
    assert len(server.asked) == asked + 4, "two films more, what is there stays"
    assert V3 not in said
    code, said = command("--clear")
    assert (code, kept(pictures)) == (0, [])
    assert "14 films deleted" in said


def test_the_command_says_what_stops_it(server: Tmdb, command: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.serve.gallery.Line.of", lambda s: Line(s.tmdb_api, s.tmdb_images, 1000, 0.001))
    server.ills[0] = "500"
    code, said = command("--top", "12")
    assert code == 2
    assert "the server answers 500" in said
    assert "the next run goes on" in said
    server.ills.clear()
    monkeypatch.setattr(settings(), "tmdb_key", SecretStr("f" * 32))
    code, said = command("--top", "3")
    assert code == 2
    assert said.count("refuses the key") == 1
    for key, why in (("", "MARQUEE_TMDB_KEY"), ("nonsense-as-a-key", "32 hexadecimal digits")):
        monkeypatch.setattr(settings(), "tmdb_key", SecretStr(key))
        code, said = command()
        assert code != 0
        assert why in said
        assert "nonsense" not in said


def test_an_interrupted_command_keeps_what_is_there(
    server: Tmdb, command: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, pictures: Path
) -> None:
    real, calls = room.bring, []

    def ended(*given):
        calls.append(given)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(room, "bring", ended)
    code, said = command("--top", "12")
    assert code == 2
    assert "interrupted; what is there stays" in said
    assert len(kept(pictures)) == 3
