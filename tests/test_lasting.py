"""What a viewer says in a real browser is there after the server was killed, on SQLite and, by one variable, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import postgres as postgresql
import pytest
from conftest import opened, serving

pytestmark = pytest.mark.browser


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path, monkeypatch) -> Iterator[str]:
    """An empty store, as the one variable names it."""
    monkeypatch.delenv("MARQUEE_DATABASE_URL")
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'said.sqlite'}"
        monkeypatch.setenv("DATABASE_URL", address)
        yield address
        return
    with postgresql.database(request.getfixturevalue("postgres"), f"t{uuid4().hex}") as address:
        monkeypatch.setenv("DATABASE_URL", address)
        yield address


def dialog(page, url: str, film: int):
    page.goto(f"{url}/?viewer=vera&film={film}")
    shown = page.get_by_role("dialog")
    shown.locator(".mq-acts .mq-do").first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    return shown


def test_all_is_back_after_the_server_was_killed(page, database, tmp_path):
    with serving(tmp_path / "first.log") as url:
        shown = dialog(page, url, 1214)
        for name in ("Love", "Watch-list"):
            shown.get_by_role("button", name=name).click()
            shown.locator(".mq-do[aria-pressed=true]", has_text=name).wait_for()
        shown = dialog(page, url, 1200)
        stars = shown.get_by_role("slider", name="Your stars")
        stars.focus()
        for _ in range(7):
            stars.press("ArrowRight")
        page.locator(".mq-stars output", has_text="3.5").wait_for()
        page.locator(".mq-stars input[value='3.5']").wait_for()  # drawn anew from what is stored
    with opened(database) as store:  # it is the one that the variable names
        said = store.taste("vera").opinions
    assert (said[1214].kind, said[1200].stars) == ("love", 3.5)
    with serving(tmp_path / "second.log") as url:
        shown = dialog(page, url, 1214)
        assert shown.locator(".mq-do[aria-pressed=true]").all_inner_texts() == ["Love", "Watch-list"]
        assert dialog(page, url, 1200).get_by_role("slider", name="Your stars").input_value() == "3.5"
        page.goto(f"{url}/?viewer=vera")
        page.locator(".mq-card .mq-art").first.wait_for()
        assert page.locator(".mq-card[data-film='1214']").count() == page.locator(".mq-row[data-key=again] .mq-card[data-film='1214']").count()
