"""What a viewer sets by hand: familiar or adventurous, similar or varied, each with its measured cost; switches, the first row's model, reset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from recommender.serve.costs import REPORT, Cost, Costs, cost_of, costs
from recommender.types import NO_PREFERENCES, Preferences
from recommender.ui import taste, tst_row, words
from recommender.ui.echo import by_hand, stand
from recommender.ui.measures import number, signed
from recommender.ui.state import Frame

T = TypeVar("T")
ADVENTURE = tuple(n / 4 for n in range(-4, 5))
USUAL = "usual"
VARIETY: tuple[str | float, ...] = (USUAL, *(n / 10 for n in range(11)))
STILL = "As it is. Moved, it says here what another place costs."
COMMAND = "python -m recommender evaluate sliders"


def stored(frame: Frame) -> Preferences:
    """What the viewer set, whatever the address asks for."""
    return frame.service.person(frame.viewer.id).preferences


def change(frame: Frame, **new: Any) -> None:
    """Store some settings, the others as they are."""
    taste.prefer(replace(frame, viewer=frame.service.person(frame.viewer.id)), replace(stored(frame), **new))


def draw(frame: Frame) -> None:
    """The sliders, the switches and the reset."""
    now = stored(frame)
    shown = tst_row.shown(frame)
    model, own = shown.request.main, _own_variety(frame, shown)
    found = _costs(frame)
    st.html(
        '<div class="mq-ev mq-ev-head"><h2>Steer it</h2><p>What you set here moves every row, and each row says so. Nothing is retrained.</p></div>'
    )
    with st.container(border=True, key="mq_tst_dials"):
        label = "Familiar to adventurous"
        _slider(frame, label, ADVENTURE, now.adventure, "adventure", _adventurous)
        _priced(found, model, replace(NO_PREFERENCES, adventure=now.adventure), own, bool(now.adventure))
        label = "Similar to varied"
        _slider(frame, label, VARIETY, USUAL if now.variety is None else now.variety, "variety", lambda v: _varied(v, own))
        _priced(found, model, replace(NO_PREFERENCES, variety=now.variety), own, now.variety is not None, STILL)
        if now.adventure and now.variety is not None:
            st.html('<p class="mq-tst-both">Both together:</p>')
            _priced(found, model, now, own, True)
    with st.container(key="mq_tst_switches"):
        _switch(frame, "Leave out films on my watch-list", "listed", not now.listed, lambda on: not on)
        _switch(frame, "Show films I have seen as well", "seen", now.seen, bool)
    with st.container(horizontal=True, vertical_alignment="bottom", key="mq_tst_way"):
        _model(frame, now)
        st.button(
            "Reset all I set", icon=":material/restart_alt:", key="mq_tst_reset", on_click=_reset, args=(frame,), disabled=now == NO_PREFERENCES
        )
    if frame.model and frame.model != now.model:
        st.caption(f"In this visit the sidebar has the first row made by “{words.md(words.model(frame.model))}”, whatever is kept here.")


# -- sliders and switches ----------------------------------------------------------------------------------------------


def _slider(frame: Frame, label: str, options: Sequence[T], now: T, name: str, says: Callable[[T], str]) -> None:
    """A slider that stands at what is stored."""
    key = f"mq_tst_{name}"
    nearest = now if now in options else min((o for o in options if o != USUAL), key=lambda o: abs(o - now))  # type: ignore[operator]
    stand(key, nearest)
    st.select_slider(label, options, key=key, format_func=says, on_change=_slid, args=(frame, name, key, options))


def _slid(frame: Frame, name: str, key: str, options: Sequence[T]) -> None:
    value = st.session_state[key]
    if by_hand(key, options):
        change(frame, **{name: None if value == USUAL else float(value)})


def _switch(frame: Frame, label: str, name: str, now: bool, means: Callable[[bool], bool]) -> None:
    key = f"mq_tst_{name}"
    stand(key, now)
    st.toggle(label, key=key, on_change=_switched, args=(frame, name, key, means))


def _switched(frame: Frame, name: str, key: str, means: Callable[[bool], bool]) -> None:
    if by_hand(key, (True, False)):
        change(frame, **{name: means(st.session_state[key])})


def _model(frame: Frame, now: Preferences) -> None:
    """Which model makes the first row."""
    key, options = "mq_tst_model", ["", *frame.service.models]
    kept = now.model if now.model in options else ""
    stand(key, kept)
    usual = "The way’s own: popularity, or the blend from some ratings on"
    said = lambda m: words.model(m) if m else usual
    st.selectbox("The first row is made by", options, format_func=said, key=key, on_change=_named, args=(frame, key, options))


def _named(frame: Frame, key: str, options: Sequence[str]) -> None:
    if by_hand(key, options):
        change(frame, model=st.session_state[key] or None)


def _reset(frame: Frame) -> None:
    taste.prefer(replace(frame, viewer=frame.service.person(frame.viewer.id)), NO_PREFERENCES)


def _adventurous(value: float) -> str:
    if not value:
        return "as it is"
    much = {0.25: "a little", 0.5: "more", 0.75: "much more", 1.0: "most"}[abs(value)]
    return f"{much} {'adventurous' if value > 0 else 'familiar'}"


def _varied(value: str | float, own: float) -> str:
    if value == USUAL:
        return f"usual ({own:g})"
    return {0.0: "0, alike", 1.0: "1, varied"}.get(float(value), f"{value:g}")


def _own_variety(frame: Frame, shown: tst_row.Shown) -> float:
    """The variety of the first row where the viewer sets none."""
    return frame.service.settings.diversity if shown.request.way == "collaborative" else 0.0


# -- what they cost ----------------------------------------------------------------------------------------------------


def _costs(frame: Frame) -> Costs:
    reports = frame.service.settings.artifacts / "reports"
    try:
        changed = (reports / REPORT).stat().st_mtime_ns
    except OSError:
        return {}
    return _read(reports, changed)


@lru_cache(maxsize=2)
def _read(reports: Path, changed: int) -> Costs:
    """Read once for each version of the report."""
    return costs(reports)


def _priced(found: Costs, model: str, wanted: Preferences, own: float, moved: bool, still: str = "") -> None:
    """What a place of the sliders costs, from the nearest that was measured. still: said where nothing was moved."""
    if not found:
        st.html(f'<p class="mq-tst-cost">What this costs was not measured here. <code>{COMMAND}</code> does it.</p>')
        return
    if model not in found:
        st.html(f'<p class="mq-tst-cost">What this costs was not measured for “{escape(words.model(model))}”.</p>')
        return
    cost = cost_of(found, wanted, model, own)
    first = found[model][0]
    if cost is None or not moved or (cost.delta, cost.lo, cost.hi) == (0, 0, 0):
        raters = f"the median film shown has {first.raters:,.0f} raters"
        standing = f"As it is: {raters}; novelty {number(first.novelty, 1)} bits. Measured for “{words.model(model)}”."
        st.html(f'<p class="mq-tst-cost">{escape(standing if moved or not still else still)}</p>')
        return
    near = _near(cost, wanted, own)
    verdict = "costs accuracy" if cost.hi < 0 else "gains accuracy" if cost.lo > 0 else "no difference beyond noise"
    look = "bad" if cost.hi < 0 else "good" if cost.lo > 0 else "even"
    st.html(
        f'<p class="mq-tst-cost"><b class="mq-ev-{look}">{verdict}</b> NDCG@10 {signed(cost.delta)} [{signed(cost.lo)}, {signed(cost.hi)}] '
        f"on {cost.n:,} viewers · films with {cost.raters:,.0f} raters instead of {cost.own_raters:,.0f} · "
        f"novelty {number(cost.novelty, 1)} bits instead of {number(first.novelty, 1)}{escape(near)}</p>"
    )


def _near(cost: Cost, wanted: Preferences, own: float) -> str:
    """Where the measured place is, if it is not this one."""
    variety = wanted.variety if wanted.variety is not None else own
    if abs(cost.adventure - wanted.adventure) < 1e-9 and abs(cost.variety - variety) < 1e-9:
        return f" · measured at this place, for “{words.model(cost.model)}”"
    return f" · nearest measured place: adventure {cost.adventure:g}, variety {cost.variety:g}, for “{words.model(cost.model)}”"
