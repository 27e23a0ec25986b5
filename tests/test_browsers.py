"""Simulated browsers: they speak with a real app as a browser does, and what is made of their notes is right, by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from loops import apart

from recommender.loadtest import collect, evening
from recommender.loadtest.browsers import Crowd, chosen
from recommender.loadtest.tab import Tab

browser = pytest.mark.browser


async def _visit(address: str, query: str = "") -> dict:
    """Pick a viewer, change the moment, open, rate and close a film, search, another page and its tab."""
    said: dict = {}
    async with Tab(address, query) as tab:
        said["answers"] = [await tab.run()]
        if not query:
            said["picked"] = await tab.act("mq_who", do="pick", viewer="vera")
        film = tab.data("mq_home")["rows"][0]["films"][0]["id"]
        said["answers"] += [await tab.choose("mq_pick_time", "morning"), await tab.choose("mq_pick_device", "tv")]
        said["moment"] = tab.query
        opened = await tab.act("mq_home", do="open", film=film, row="top")
        said["opened"], said["in dialog"] = opened, tab.data("mq_film_view")["film"]["id"] == film
        said["answers"] += [await tab.act("mq_film_view", do="mark", film=film, mark="love")]
        said["mark"] = tab.data("mq_film_view")["mark"]
        said["answers"] += [await tab.close(), await tab.act("mq_home", do="find", words="matrix")]
        said["found"] = tab.data("mq_home")["found"]["title"]
        said["answers"] += [await tab.run(page="evaluation"), await tab.turn("Trade-offs")]
        said["address"] = tab.query
    return said


@browser
def test_two_visits_are_answered_as_a_browser_is(app_url: str) -> None:
    async def both() -> list[dict]:
        return await asyncio.gather(_visit(app_url), _visit(app_url, "viewer=kenji"))

    for said in apart(both()):
        assert all(answer.ms > 0 and not answer.problems for answer in (*said["answers"], said["opened"]))
        assert "time=morning" in said["moment"]
        assert "device=tv" in said["moment"]
        assert said["in dialog"]
        assert said["mark"] == "love"
        assert said["found"] == "“matrix”"
        assert "section=trade-offs" in said["address"]
        full, fragment = said["answers"][1], said["opened"]
        assert fragment.received < full.received, "opening a film sends no page again"


@browser
def test_whatever_they_choose_next_can_be_done(app_url: str) -> None:
    async def wander(seed: int) -> Crowd:
        crowd, rng = Crowd((0, 0)), np.random.default_rng(seed)
        async with Tab(app_url, "viewer=vera") as tab:
            await crowd.does("first visit", tab.run)
            for _ in range(15):
                await crowd.does(*chosen(tab, rng))
        return crowd

    crowd = apart(wander(5))
    assert crowd.n == 16
    assert not crowd.failed
    assert len(crowd.acts) > 5


def _notes() -> list[dict]:
    act = lambda root, number, ms, **more: {"what": "act", "root": root, "round": number, "act": "rate", "ms": ms, "server_ms": ms / 2, **more}
    made = [act("before", 0, 100.0), act("before", 1, 400.0), act("after", 0, 50.0), act("after", 1, 100.0), act("after", 1, 9e9, failed="x")]
    sizes = {"received": 2000, "sent": 1000}
    turn = {"entry": "app.py", "data": False, "root": "after"}
    starts = [
        {**turn, "what": "start", "round": n, "health_s": 1.0, "row_s": s, "visit_ms": 10.0, "second_ms": 5.0, "http": 3e6, "received": 3e5}
        for n, s in enumerate((4.0, 9.0, 5.0))
    ]
    return [{**note, **sizes} for note in made] + starts + [{**turn, "what": "memory", "round": 0, "rss_mb": 700.0, "pss_mb": 500.0, "uss_mb": 400.0}]


def test_figures_of_starts_clicks_and_ratios_by_hand() -> None:
    facts = {"commits": {"before": "a", "after": "b"}, "date": "2026-01-01", "machine": {}, "rounds": 2, "laps": 1}
    hour = {
        "facts": {},
        "samples": [{"rss_mb": 900.0, "pss_mb": 1.0, "uss_mb": 1.0}, {"rss_mb": 950.0, "pss_mb": 2.0, "uss_mb": 1.0}],
        "failed": {"rate: TimeoutError": 1},
        "acts": {"rate": [[0.1, 30.0, 500, 9000], [0.2, 50.0, 500, 9000], [0.3, 40.0, 500, 9000]]},
    }
    told = collect.report({"notes": _notes(), "facts": facts}, hour)
    found = {(r.variant, r.metric, r.segment): r for r in told.rows}
    row = found["after", "row s", None]
    assert (row.mean, row.lo, row.hi, row.n) == (5.0, 4.0, 9.0, 3)
    assert found["after", "ms p50", "act=rate"].mean == 75.0, "what failed is no answer"
    assert found["after", "received kB p50", "act=rate"].mean == 2.0
    assert told.more["ratios"]["rate"] == pytest.approx([np.sqrt(0.5 * 0.25), 0.25, 0.5], abs=1e-3)
    assert told.more["not painted"] == 1
    assert found["hour", "rss MB", None].mean == 950.0, "the most of the hour"
    assert found["hour", "failures", None].mean == 0.25
    assert found["hour", "ms p50", "act=rate"].mean == 40.0
    assert "| rate | 250 | 75 |" in collect.tables(told)["click"]


def test_it_is_evening_for_a_browser_at_every_hour() -> None:
    for hour in range(24):
        now = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour, minutes=59)
        assert now.astimezone(ZoneInfo(evening.zone(now))).hour == 19
