"""What the app knows of this visit: viewer, time of day, device; from the address, the browser or the sidebar."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from recommender.catalog import Catalog
from recommender.experiment.plan import Arm
from recommender.serve.desk import shared
from recommender.serve.feedback import Taste
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.settings import settings
from recommender.types import CERTIFICATES, DEVICES, FAME, TIMES_OF_DAY, Context, Filters, Query


@dataclass(frozen=True)
class Choice:
    """One part of the context: what holds now, and what the browser says."""

    value: str | None
    browser: str | None
    chosen: bool  # by the viewer, in the sidebar or the address


@dataclass(frozen=True)
class Trial:
    """The experiment that a page belongs to, and what its viewer gets."""

    experiment: str
    arm: Arm


@dataclass(frozen=True, eq=False)
class Frame:
    """What every page starts from."""

    opened: Service  # when the page was run; ask `service`
    viewer: Viewer
    time: Choice
    device: Choice
    filters: Filters  # what must be true of a film tonight
    anyway: frozenset[str]  # signals that the models are told although they are switched off
    model: str | None = None  # that makes the first row, by the address or the experiment
    trial: Trial | None = None

    @property
    def service(self) -> Service:
        """The service of the run, or what is at work now where a tab was left open so long that the release of its run has retired."""
        return shared(settings()).service if self.opened.retired else self.opened

    @property
    def asked(self) -> Context:
        """The moment as the browser or the viewer says it, whatever the models are told of it."""
        return Context(self.time.value, self.device.value)

    @property
    def query(self) -> Query:
        """What the models may know now, without the films the viewer does not want used."""
        return self.told(self.asked)

    def told(self, moment: Context) -> Query:
        """What the models may know in a moment; nothing of it where the experiment says so."""
        blind = self.trial is not None and not self.trial.arm.context
        return self.service.query(self.viewer, Context() if blind else moment, anyway=self.anyway)

    @property
    def taste(self) -> Taste:
        """What the viewer has said, as stored."""
        return self.service.taste(self.viewer)

    def asks_as(self, then: Frame) -> bool:
        """Whether rows worked out for another frame are still what this one would be given."""
        return self.viewer is then.viewer and (self.query.context, self.filters) == (then.query.context, then.filters)

    def now(self) -> Frame:
        """The same frame after something was stored or a genre was chosen, for a run that draws a part of the page."""
        genre = _genres(self.service.catalog).get(st.session_state.get("mq_genre") or "")
        variety = self.trial.arm.variety if self.trial else None
        viewer = asking(self.service.person(self.viewer.id), self.model, variety)
        return replace(self, viewer=viewer, filters=replace(self.filters, genre=genre))


EVERYWHERE = (  # on every page
    "viewer", "time", "device", "model", "minutes", "limit", "decade", "stars", "genre", "colour", "fame", "with", "how", "tour",
)  # fmt: skip


def from_address(name: str, allowed: Iterable[str]) -> str | None:
    """A parameter of the address, remembered over pages; a value that means nothing is dropped from the address.

    The address is asked when the visit begins and after Back or Forward. In between it only follows: a click sends the
    address that the browser shows at that moment, and where the answer to the click before is still under way, that
    address is an old one and would undo it. After Back or Forward a full address, one with a viewer, says everything:
    what it does not name is forgotten. An empty one says nothing, and is left alone: to fill it would be a step forward.
    """
    s, given, known, asked = st.session_state, st.query_params.get(name), f"mq_{name}", f"mq_asked_{name}"
    back = _back_or_forward()
    if asked not in s or back:
        s[asked] = True
        if given is not None and given.lower() in allowed:
            s[known] = given.lower()
        elif back and "viewer" in st.query_params:
            s.pop(known, None)
    kept: str | None = s.get(known)
    if not (back and "viewer" not in st.query_params):
        _write(name, kept)
    return kept


def _restore() -> None:
    """Another page begins with an empty address: what every page says in it is written at once, as one step of the history."""
    if not len(st.query_params) and "mq_viewer" in st.session_state and not _back_or_forward():
        st.query_params.update(remembered())


def remembered() -> dict[str, str]:
    """The part of the address that every page has."""
    said = {name: st.session_state.get(f"mq_{name}") for name in EVERYWHERE}
    return {name: value for name, value in said.items() if value is not None}


def _back_or_forward() -> bool:
    """Whether this run was caused by the buttons of the browser."""
    run = get_script_run_ctx()
    return run is not None and run.is_history_navigation


def put(name: str, value: str | None) -> None:
    """Remember a part of the address, or forget it; what every page says there is brought up to date with it, as the browser may send an old one."""
    s = st.session_state
    if value is None:
        s.pop(f"mq_{name}", None)
    else:
        s[f"mq_{name}"] = value
    for one in (name, *(known for known in EVERYWHERE if known != name and f"mq_asked_{known}" in s)):
        _write(one, s.get(f"mq_{one}"))


def _write(name: str, value: str | None) -> None:
    """Let the address say this of a part, or nothing; touched only where it says otherwise."""
    if st.query_params.get(name) == value:
        return
    if value is None:
        del st.query_params[name]
    else:
        st.query_params[name] = value


def part_of_day(hour: int) -> str:
    """morning 5-12, afternoon 12-17, evening 17-21, night 21-5."""
    return "morning" if 5 <= hour < 12 else "afternoon" if 12 <= hour < 17 else "evening" if 17 <= hour < 21 else "night"


def device_of(agent: str) -> str | None:
    """The kind of device a browser says it runs on; None where it says nothing."""
    if not agent:
        return None
    if re.search(r"smart-?tv|\btv\b|appletv|googletv|crkey|bravia|roku|web0s|hbbtv|aft[a-z]\b", agent, re.I):
        return "tv"
    if re.search(r"ipad|tablet|kindle|silk", agent, re.I) or ("Android" in agent and "Mobile" not in agent):
        return "tablet"
    return "mobile" if re.search(r"mobi|iphone|ipod|android", agent, re.I) else "desktop"


def browser_hour() -> int | None:
    """The hour on the viewer's clock, 0 to 23, by the time zone the browser names."""
    try:
        zone = st.context.timezone
        return datetime.now(ZoneInfo(zone)).hour if zone else None
    except (KeyError, ValueError, OSError):
        return None


def browser_time() -> str | None:
    """The part of day on the viewer's clock."""
    hour = browser_hour()
    return None if hour is None else part_of_day(hour)


def browser_device() -> str | None:
    headers = st.context.headers
    return device_of(headers.get("User-Agent", "") if headers else "")


def choice(name: str, allowed: tuple[str, ...], browser: str | None) -> Choice:
    picked = from_address(name, allowed)
    return Choice(picked or browser, browser, picked is not None and picked != browser)


def viewer(service: Service) -> Viewer | None:
    """The viewer the address or the picker names, as they are now: a demo viewer or an own one by id, a MovieLens person as ml-<number>."""
    _restore()
    given, kept = st.query_params.get("viewer", "").lower(), st.session_state.get("mq_viewer", "")
    name = from_address("viewer", [known for known in (given, kept) if known])
    if name is None:
        return None
    try:
        return service.person(name)
    except KeyError:
        put("viewer", None)
        return None


def frame(service: Service, viewer: Viewer) -> Frame:
    """The frame of this run: viewer, moment and limits as the address, the browser and the sidebar say."""
    time = choice("time", TIMES_OF_DAY, browser_time())
    device = choice("device", DEVICES, browser_device())
    anyway = frozenset(name for name in service.verdicts(viewer) if st.session_state.get(f"mq_anyway_{name}"))
    model = from_address("model", service.models)
    return Frame(service, asking(viewer, model), time, device, filters(viewer, service.catalog), anyway, model)


def asking(viewer: Viewer, model: str | None, variety: float | None = None) -> Viewer:
    """The viewer as one who wants this model for the first row, whatever they stored, and rows of this variety where one is given; the same object in
    every run, so that nothing is made anew."""
    own = viewer.preferences
    wanted = replace(own, model=model or own.model, variety=own.variety if variety is None else variety)
    if wanted == own:
        return viewer
    kept: tuple[Viewer, Viewer] | None = st.session_state.get("mq_asking")
    if kept is None or kept[0] is not viewer or kept[1].preferences != wanted:
        kept = st.session_state["mq_asking"] = (viewer, replace(viewer, preferences=wanted))
    return kept[1]


MINUTES = tuple(str(n) for n in range(30, 301, 5))
STARS = ("3", "3.5", "4")


def filters(viewer: Viewer, catalog: Catalog) -> Filters:
    """What the address or the sidebar asks of a film; a limit as wide as the viewer's own asks for nothing."""
    minutes, limit = from_address("minutes", MINUTES), from_address("limit", [c.lower() for c in CERTIFICATES])
    decade, stars = from_address("decade", [str(d) for d in catalog.decades]), from_address("stars", STARS)
    genres = _genres(catalog)
    return Filters(
        genre=genres.get(from_address("genre", genres) or ""),
        minutes=int(minutes) if minutes else None,
        certificate=next((c for c in milder(viewer) if c.lower() == limit), None),
        in_colour=from_address("colour", ("only",)) is not None,
        decade=int(decade) if decade else None,
        stars=float(stars) if stars else None,
        fame=from_address("fame", FAME),
    )


def _genres(catalog: Catalog) -> dict[str, str]:
    """The word of the address -> the genre."""
    return {name.lower(): name for name in catalog.genre_names}


def milder(viewer: Viewer) -> tuple[str, ...]:
    """Certificates that are narrower than the viewer's own limit."""
    return CERTIFICATES[: CERTIFICATES.index(viewer.certificate)] if viewer.certificate else CERTIFICATES
