"""A page of the app without a browser: opened by its address, acted upon, read."""

from __future__ import annotations

import html
import json
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 120  # that a run may take


def opened(page: str | None = None, **address: str) -> AppTest:
    """The app at an address, on a page such as "taste", or on Home."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    for name, value in address.items():
        at.query_params[name] = value
    if page:
        at.switch_page(f"pages/{page}.py")
    return again(at)


def again(at: AppTest) -> AppTest:
    """One more run."""
    at.run()
    assert not at.exception
    return at


def views(at: AppTest) -> dict[str, dict]:
    """What each component of the page was given to draw, by the name of its view."""
    drawn = [json.loads(c.proto.json) for c in at.get("bidi_component") if c.proto.json]
    return {d["view"]: d for d in drawn if isinstance(d, dict) and "view" in d}


def act(at: AppTest, key: str, **what) -> AppTest:
    """The run that a click in a view causes."""
    told(at, key, **what)
    again(at)
    silent(at, key)
    return at


def told(at: AppTest, key: str, **what) -> None:
    """A click in a view, of which the next run is told."""
    at.session_state[key] = {"acts": [{**what, "nth": time.time_ns()}]}


def silent(at: AppTest, key: str) -> None:
    """No click in a view any more."""
    at.session_state[key] = {"acts": None}


def where(at: AppTest, name: str) -> str | None:
    """A parameter of the address."""
    value = at.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def text(at: AppTest) -> str:
    """What can be read: HTML, captions and notes."""
    return html.unescape(" ".join([str(e.proto.body) for e in at.get("html")] + [c.value for c in at.caption] + [i.value for i in at.info]))
