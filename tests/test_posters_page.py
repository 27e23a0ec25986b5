"""Posters in the app: nothing of them without a key; with one they come over the drawn ones, and nobody's key is anybody else's."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps import act, again, opened, text, views
from conftest import serving
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest
from tmdb_server import V3, V4, Tmdb, film, picture, tmdb

from recommender.serve import gallery as room
from recommender.serve.gallery import Gallery
from recommender.settings import STATIC, settings
from recommender.ui.posters import ATTRIBUTION, TYPED

MATRIX, ALIEN, TOY_STORY = (2571, 603), (1214, 348), (1, 862)  # (film, its number at TMDB)


@pytest.fixture
def server() -> Iterator[Tmdb]:
    with tmdb() as state:
        yield state


@pytest.fixture
def house(server: Tmdb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gallery]:
    """The gallery of the app in this process, without a key."""
    own = {
        "tmdb_api": server.api,
        "tmdb_images": server.images,
        "tmdb_rate": 1000.0,
        "posters": tmp_path / "posters",
        "poster_facts": tmp_path / "facts",
    }
    for name, value in own.items():
        monkeypatch.setattr(settings(), name, value)
    monkeypatch.setattr("recommender.serve.posters.STATIC", tmp_path)
    made = Gallery(settings())
    monkeypatch.setattr(room, "_shared", [made])
    yield made
    made.close()


@pytest.fixture
def keyed(house: Gallery) -> Gallery:
    house.own = house.client(SecretStr(V3))
    return house


def asked(at: AppTest, films: list[int], about: int | None = None) -> dict:
    """What the page is told when the browser has asked until nothing more comes."""
    for n in range(200):
        act(at, "mq_art", n=n, films=films, about=about)
        if not (said := views(at)["art"])["coming"]:
            return said
        time.sleep(0.02)
    raise AssertionError("it never comes")


def test_without_a_key_nothing_is_different_and_nothing_is_asked(server: Tmdb, house: Gallery) -> None:
    without = views(opened(viewer="vera", film=str(MATRIX[0])))
    assert "art" not in without
    assert server.asked == []
    assert "posters" not in [thread.name for thread in threading.enumerate()]
    house.own = house.client(SecretStr(V3))
    told = views(opened(viewer="vera", film=str(MATRIX[0])))
    first = told.pop("art")
    assert told == without, "a key changes nothing of what the other views are given"
    assert first == {"view": "art", "n": None, "at": first["at"], "pictures": {}, "none": [], "coming": False, "about": None}
    assert server.asked == [], "the browser asks, not the page"


def test_the_browser_is_told_what_it_asks_for(server: Tmdb, keyed: Gallery) -> None:
    server.films[MATRIX[1]] = film(MATRIX[1], overview="<b>A hacker</b> wakes.")
    server.none = {TOY_STORY[1]}
    at = opened(viewer="vera")
    said = asked(at, [MATRIX[0], ALIEN[0], TOY_STORY[0], -1, "x", None, 10**30], MATRIX[0])  # type: ignore[list-item]
    assert said["pictures"] == {str(MATRIX[0]): "603-poster000603.png", str(ALIEN[0]): "348-poster000348.png"}
    assert said["none"] == [TOY_STORY[0]]
    assert said["at"] == "app/static/posters/"
    about = said["about"]
    assert (about["film"], about["tmdb"], about["overview"], about["minutes"], about["said"]) == (*MATRIX, "<b>A hacker</b> wakes.", 95, ATTRIBUTION)
    assert about["cast"][0] == ["Player 0", f"Part 0 of {MATRIX[1]}"]
    for odd in ("films", {"a": 1}, [[1]], 7, None):
        act(at, "mq_art", n=1, films=odd, about=odd)
        assert views(at)["art"]["pictures"] == {}


def test_a_child_is_given_nothing_of_a_film_over_the_limit(server: Tmdb, keyed: Gallery) -> None:
    child = opened(viewer="mia")
    said = asked(child, [MATRIX[0], TOY_STORY[0]], MATRIX[0])
    assert said["pictures"] == {str(TOY_STORY[0]): "862-poster000862.png"}
    assert said["about"] is None
    assert server.asked == ["/3/movie/862", "/t/p/w342/poster000862.png"]


def typed(at: AppTest, key: str) -> AppTest:
    """The key is put into the field and sent."""
    at.text_input(key="mq_tmdb_field").input(key)
    next(b for b in at.button if "Use it for this visit" in b.label).click()
    return again(at)


def sent(at: AppTest) -> str:
    """All that the browser is sent."""
    return " ".join(str(node.proto) for node in at._tree if getattr(node, "proto", None) is not None)


def test_a_typed_key_is_one_visits_alone_and_never_shown(server: Tmdb, house: Gallery, tmp_path: Path) -> None:
    mine, other = opened("system", viewer="vera", about="posters"), opened("system", viewer="kenji", about="posters")
    assert "No key" in text(mine)
    assert ATTRIBUTION in text(mine)
    assert "art" not in views(mine)
    typed(mine, V4)
    assert "art" in views(mine)
    assert "Your key, for this visit" in text(mine)
    assert V4 not in sent(mine) + repr(mine) + repr(mine.session_state._state.filtered_state)
    assert V4 not in repr(vars(house)) + "".join(path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file())
    again(other)
    assert "art" not in views(other), "nobody else's pages use it"
    assert TYPED not in other.session_state
    assert "No key" in text(other)
    assert house.own is None
    mine.button(key="mq_tmdb_forget").click()
    again(mine)
    assert "art" not in views(mine)
    assert "No key" in text(mine)


def test_a_wrong_key_is_told_and_not_kept_up(server: Tmdb, house: Gallery) -> None:
    at = opened("system", viewer="vera", about="posters")
    typed(at, "not a key at all")
    assert "no key of TMDB" in " ".join(e.value for e in at.error)
    assert "not a key at all" not in sent(at)
    typed(at, "f" * 32)
    end = time.monotonic() + 20
    while "refuses it (401)" not in text(at):
        assert time.monotonic() < end
        again(at)
    assert server.asked == ["/3/authentication"]


def test_the_section_tells_what_is_kept_and_clears_it(server: Tmdb, keyed: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened("system", viewer="vera", about="posters")
    assert "0 of 3,8" in text(at)
    asked(at, [MATRIX[0], ALIEN[0]])
    again(at)
    assert "2 of 3,8" in text(at)
    assert "deleted 150 days after" in text(at)
    monkeypatch.setattr(settings(), "household", False)
    again(at)
    assert not [b for b in at.button if b.key == "mq_tmdb_clear"], "strangers delete nothing"
    monkeypatch.setattr(settings(), "household", True)
    again(at)
    at.button(key="mq_tmdb_clear").click()
    again(at)
    assert "0 of 3,8" in text(at)
    assert list(settings().posters.glob("*")) == []


@pytest.mark.browser
def test_a_poster_fades_in_over_the_drawn_one_and_a_film_tells_more(server: Tmdb, page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page.set_default_timeout(90_000)  # a fresh server, perhaps on a busy machine
    folder = STATIC / "posters" / f"test-{os.getpid()}"
    own = {"KEY": V4, "API": server.api, "IMAGES": server.images, "RATE": "30"}
    for name, value in own.items():
        monkeypatch.setenv(f"MARQUEE_TMDB_{name}", value)
    monkeypatch.setenv("MARQUEE_POSTERS", str(folder))
    monkeypatch.setenv("MARQUEE_POSTER_FACTS", str(tmp_path / "facts"))
    server.films[MATRIX[1]] = film(MATRIX[1], overview="<img src=x onerror=document.title='run'> A hacker wakes.")
    server.pictures[ALIEN[1]] = picture(1)[:8] + b"x" * 400  # begins as a picture does, and is none
    try:
        with serving(tmp_path / "streamlit.log") as url:
            page.goto(f"{url}/?viewer=kenji&film={MATRIX[0]}")
            told = page.locator(".mq-film .mq-tmdb")
            told.get_by_text("A hacker wakes.").wait_for()
            assert "<img src=x onerror" in told.inner_text(), "text is text"
            assert ATTRIBUTION in told.inner_text()
            assert "Part 0 of 603" in told.inner_text()
            assert told.get_by_role("link").get_attribute("href") == "https://www.themoviedb.org/movie/603"
            photo = page.locator(".mq-film .mq-top .mq-poster > .mq-photo.mq-on")
            photo.wait_for()
            assert photo.evaluate("img => [img.naturalWidth, img.complete, img.alt]") == [342, True, ""]
            assert photo.get_attribute("src") == f"app/static/posters/{folder.name}/603-poster000603.png"
            box, drawn = photo.bounding_box(), page.locator(".mq-film .mq-top .mq-poster > .mq-art").bounding_box()
            assert all(abs(box[side] - drawn[side]) < 1 for side in ("x", "y", "width", "height")), "over the drawn one, as large"
            page.goto(f"{url}/?viewer=kenji&film={ALIEN[0]}")
            page.locator(".mq-film .mq-tmdb").get_by_text(f"What film {ALIEN[1]} is about.").wait_for()
            art = f".mq-poster > .mq-art[data-art='{ALIEN[0]}']"
            page.locator(f".mq-film .mq-top {art}").wait_for()
            page.locator(f".mq-film .mq-top {art} + .mq-photo").wait_for(state="detached")
            assert page.locator(".mq-film .mq-top .mq-art").is_visible(), "the drawing stays"
            assert page.title() != "run"
            page.keyboard.press("Escape")
            page.locator(".mq-home .mq-card .mq-photo.mq-on").first.wait_for()
            assert page.complaints == []
        assert V4 not in (tmp_path / "streamlit.log").read_text()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
