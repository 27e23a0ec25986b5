"""Which lists stand side by side, for which moment and with what moved: kept in the address, changed in the columns and in a panel for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import streamlit as st

from recommender.compare import lists, variants
from recommender.compare.lists import HOME, Side
from recommender.compare.variants import Tuning
from recommender.serve.service import Service
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Recommender
from recommender.ui import words
from recommender.ui.exhibits import choose, slug
from recommender.ui.sidebar import ICONS
from recommender.ui.state import Frame, from_address, put

T = TypeVar("T")
SLOTS = ("first", "second", "third", "fourth")
USUAL = {"first": HOME, "second": "ease", "third": "sequence"}
NONE, NOW, ANY, AS_IT_IS = "none", "now", "any", "as-it-is"
SHOWN = tuple(range(5, 55, 5))  # films of a list
LETTERS = "ABCD"

# What can be moved on a list: word in the address -> value, in the order of the slider. AS_IT_IS stands for nothing moved.
ADVENTURE = {"familiar-1": -1.0, "familiar-0.5": -0.5, AS_IT_IS: None, "adventurous-0.5": 0.5, "adventurous-1": 1.0}
VARIETY = {AS_IT_IS: None, "0": 0.0, "0.2": 0.2, "0.4": 0.4, "0.6": 0.6, "0.8": 0.8, "1": 1.0}
OF_MODELS = {"neighbours": (2, 5, 10, 20, 50), "factors": (2, 5, 10, 20, 30), "penalty": (10, 50, 100, 250, 500, 2500, 10000)}
WORD = {"penalty": "lambda"}  # in the address and on the screen


@dataclass(frozen=True)
class Chosen:
    """One column: its place in the address, its letter and the list in it."""

    slot: str
    letter: str
    side: Side

    @property
    def name(self) -> str:
        return named(self.side.model)


def named(model: str) -> str:
    """A list as a label."""
    return "Your Home list" if model == HOME else words.model(model)


def code(model: str) -> str:
    """A list in one word, as the command line knows it."""
    return slug(model).replace("-", "_")


def coded(model: str) -> str:
    """A list as a label, the name that the command line knows first."""
    return named(model) if model == HOME else f"{model}: {words.model(model)}"


def chosen(frame: Frame) -> list[Chosen]:
    """The columns, two at least, as the address says; what is no list falls back to the usual one."""
    known = {slug(model): model for model in lists.loaded(frame.service)}
    models: dict[str, str] = {}
    for n, slot in enumerate(SLOTS):
        picked = from_address(slot, [*known, NONE] if n > 1 else known)
        usual = USUAL.get(slot, NONE)
        model = known.get(picked or slug(usual), NONE)
        if model != NONE or n < 2:
            models[slot] = model if model != NONE else HOME
    sides = [Side(model, _moment(frame, slot), _tuning(frame.service, slot, model)) for slot, model in models.items()]
    return [Chosen(slot, letter, side) for slot, letter, side in zip(models, LETTERS, sides)]


def _moment(frame: Frame, slot: str) -> Context:
    """The moment of one list: now, as everywhere in the app, unless another was chosen for it."""
    time, device = (from_address(f"{slot}-{name}", (*options, ANY)) for name, options in (("time", TIMES_OF_DAY), ("device", DEVICES)))
    here = frame.asked
    return Context(_part(time, here.time_of_day), _part(device, here.device))


def _part(picked: str | None, now: str | None) -> str | None:
    return now if picked is None else None if picked == ANY else picked


def _tuning(service: Service, slot: str, model: str) -> Tuning:
    """What the address moves on a list. Without the data set EASE stays as it was trained."""
    adventure, variety = from_address(f"{slot}-adventure", ADVENTURE), from_address(f"{slot}-variety", VARIETY)
    moved = Tuning(ADVENTURE.get(adventure or ""), VARIETY.get(variety or ""))
    knob = variants.TUNED.get(model)
    if knob is None:
        return moved
    value = from_address(f"{slot}-{WORD.get(knob, knob)}", [str(n) for n in OF_MODELS[knob]])
    able = knob != "penalty" or service.interactions is not None
    return Tuning(moved.adventure, moved.variety, **({knob: int(value)} if value and able else {}))


def pick(frame: Frame, slot: str, model: str) -> None:
    """Another list in a column; what was moved on the one before is forgotten, its moment stays."""
    known = {slug(m): m for m in lists.loaded(frame.service)}
    if slot not in SLOTS or (model not in known and model != NONE):
        return
    usual = slug(USUAL.get(slot, NONE))
    put(slot, None if model == usual else model)
    for name in ("adventure", "variety", *(WORD.get(knob, knob) for knob in OF_MODELS)):
        put(f"{slot}-{name}", None)


def add(frame: Frame, columns: list[Chosen]) -> None:
    """One more column: the first list that stands in none yet."""
    free = next((slot for slot in SLOTS if slot not in {c.slot for c in columns}), None)
    used = {c.side.model for c in columns}
    wanted = next((m for m in ("popularity", "content", *frame.service.models) if m in frame.service.models and m not in used), HOME)
    if free:
        pick(frame, free, slug(wanted))


def chips(column: Chosen, frame: Frame, seconds: float | None) -> list[dict[str, object]]:
    """What is moved on a list, in words: another moment, popularity, variety, what of its model. seconds: a fit that this took."""
    side = column.side
    said: list[dict[str, object]] = []
    if side.context != frame.asked:
        told = frame.service.query(frame.viewer, side.context, anyway=frame.anyway).context
        deaf = [name for name in ("time_of_day", "device") if getattr(side.context, name) and not getattr(told, name)]
        why = f"Its models are not told {' and '.join(n.replace('_', ' ') for n in deaf)}: it was not shown to help" if deaf else ""
        said.append({"say": words.moment(side.context) + (" (not told)" if len(deaf) == 2 else ""), "why": why, "lit": True})
    for name, value in side.tuning.moved.items():
        took = f", fitted in {seconds:.1f} s" if seconds is not None and name == "penalty" else ""
        said.append({"say": _moved(name, value) + took, "lit": True})
    if side.model == "ease" and frame.service.interactions is None and st.session_state.get(f"mq_{column.slot}-lambda"):
        said.append({"say": "as trained: another λ needs the data set", "lit": True})
    return said or [{"say": "for now, as served" if side.model == HOME else "as trained"}]


def _moved(name: str, value: float) -> str:
    if name == "adventure":
        return f"{'adventurous' if value > 0 else 'familiar'} {abs(value):g}"
    return f"{ {'variety': 'variety', 'neighbours': 'neighbours', 'factors': 'factors', 'penalty': 'λ'}[name] } {value:g}"


# -- the panel of a column ---------------------------------------------------------------------------------------------


def panel(frame: Frame, column: Chosen) -> None:
    """A button that opens what can be moved on one list; drawn only while it is open."""
    moved = len(column.side.tuning.moved) + (column.side.context != frame.asked)
    label = f"Tune {column.letter}{f' ({moved})' if moved else ''}"
    popover = st.popover(label, icon=":material/tune:", key=f"mq_cmp_set_{column.slot}", on_change="rerun")
    if popover.open:
        with popover:
            _settings(frame, column)


def _settings(frame: Frame, column: Chosen) -> None:
    slot, model = column.slot, column.side.model
    st.markdown(f"**{column.letter} · {words.md(column.name)}**")
    moment = {NOW: "As now", ANY: "Any"}
    says = lambda o: moment.get(o) or f"{ICONS[o]} {words.named(o)}"
    choose(f"{slot}-time", "Time of day", (NOW, *TIMES_OF_DAY, ANY), NOW, says, pills=True)
    choose(f"{slot}-device", "Device", (NOW, *DEVICES, ANY), NOW, says, pills=True)
    _slide(f"{slot}-adventure", "Familiar to adventurous", ADVENTURE, "as you set it")
    _slide(f"{slot}-variety", "Similar to varied", VARIETY, "as served")
    knob = variants.TUNED.get(model)
    if knob:
        _knob(frame.service, slot, model, knob)


def _knob(service: Service, slot: str, model: str, knob: str) -> None:
    """The one thing of a model that can be moved without training the others."""
    own = getattr(service.models[model], knob)
    labels = {"neighbours": "Neighbours of each film", "factors": "Factors, the strongest first", "penalty": "λ of EASE, fitted again in seconds"}
    if knob == "penalty" and service.interactions is None:
        st.caption(f"**λ of EASE** stays {own:g}: to fit it again needs the data set, which `python -m recommender fetch` gets.")
        return
    word = WORD.get(knob, knob)
    options = {AS_IT_IS if n == own else str(n): None if n == own else float(n) for n in sorted({*OF_MODELS[knob], own})}
    _slide(f"{slot}-{word}", labels[knob], options, f"{own:g}, as trained")


def _slide(name: str, label: str, options: Mapping[str, float | None], usual: str) -> None:
    """A slider over words, remembered in the address but for AS_IT_IS."""
    kept = from_address(name, options) or AS_IT_IS
    key = f"mq_cmp_slide_{name}"
    shown = lambda o: usual if o == AS_IT_IS else o.replace("-", " ")
    slider(label, list(options), kept, key, shown, partial(_slid, name, key))


def slider(label: str, options: Sequence[T], now: T, key: str, shown: Callable[[T], str], changed: Callable[[], None]) -> None:
    """A slider that stands at `now`. Its default says so, too: a browser that missed the run in which it was set then still shows it."""
    moved = st.session_state.get(key, now) != now
    if moved:
        st.session_state[key] = now
    st.select_slider(label, options, None if moved else now, key=key, format_func=shown, on_change=changed)


def _slid(name: str, key: str) -> None:
    value = st.session_state.get(key)
    put(name, None if value in (None, AS_IT_IS) else value)


# -- a fit in between --------------------------------------------------------------------------------------------------


def fit(service: Service, side: Side) -> tuple[Recommender | None, float | None]:
    """EASE with the penalty that a list asks for, and the seconds it took; nothing where it asks for none or there is no data set."""
    penalty = side.tuning.penalty
    if side.model != "ease" or penalty is None or service.interactions is None:
        return None, None
    with st.spinner(f"Fitting EASE with λ {penalty:g}; the other models stay as they are"):
        return _refitted(service, service.version, penalty)


@st.cache_resource(show_spinner=False, max_entries=4)
def _refitted(_service: Service, version: str, penalty: float) -> tuple[Recommender, float]:
    ease, interactions = _service.models["ease"], _service.interactions
    if not isinstance(ease, variants.EASE) or interactions is None:
        raise LookupError("EASE or the data set is not there")
    return variants.refitted(ease, interactions, penalty, _service.settings.min_raters)
