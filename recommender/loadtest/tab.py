"""A tab of a browser as the server sees it: Streamlit's own protocol over its websocket, without drawing anything.

It keeps what a browser keeps: the ids and values of the widgets on the page, fragments, pages, the address and which messages it has already.
Source of the protocol: streamlit/proto (BackMsg, ForwardMsg) of the installed version.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from recommender.loadtest import evening

LONGEST = 60.0  # seconds to wait for the end of a run
TRIGGER = "$$STREAMLIT_INTERNAL_KEY_{}__events"


@dataclass(frozen=True)
class Answer:
    """What one run took [ms] and sent [bytes], both ways, and what went wrong in it."""

    ms: float
    sent: int
    received: int
    problems: tuple[str, ...] = ()


@dataclass
class Widget:
    """An element that can be used: its id, the fragment it stands in, what it shows, and its value where it has one."""

    id: str
    fragment: str
    element: Any
    kind: str = ""
    value: Any = None


@dataclass
class Tab:
    """One tab. `query` is the address it was opened at, such as viewer=vera; use it as a context: `async with Tab(address) as tab`."""

    address: str  # http://127.0.0.1:PORT
    query: str = ""
    widgets: dict[str, Widget] = field(default_factory=dict)  # by the key that the app gave
    pages: dict[str, str] = field(default_factory=dict)  # address of a page, "" for the first one -> its hash
    page: str = ""
    blocks: set[str] = field(default_factory=set)  # kinds of blocks and elements in the last answer
    dialog: str = ""  # id of the dialog that is open
    _known: list[str] = field(default_factory=list)  # messages that need not be sent again

    async def __aenter__(self) -> Self:
        socket = self.address.replace("http://", "ws://") + "/_stcore/stream"
        self._line = await websockets.connect(socket, subprotocols=["streamlit"], max_size=None, open_timeout=LONGEST, compression=None)  # type: ignore[list-item]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._line.close()

    async def run(self, triggers: dict[str, Any] | None = None, fragment: str = "", page: str | None = None) -> Answer:
        """Ask for a run with all widgets as they are, and `triggers` (widget id -> value) set for this one; wait for its end."""
        asked = BackMsg()
        rerun = asked.rerun_script
        if page is not None:
            self.page, self.query, self.widgets = self.pages[page], "", {k: w for k, w in self.widgets.items() if k.startswith("mq_pick")}
        rerun.query_string, rerun.page_script_hash, rerun.fragment_id = self.query, self.page, fragment
        rerun.context_info.timezone, rerun.context_info.locale, rerun.context_info.url = evening.zone(), "en-US", f"{self.address}/"
        rerun.cached_message_hashes.extend(self._known)
        states = {w.id: (w.kind, w.value) for w in self.widgets.values() if w.kind} | (triggers or {})
        for id_, (kind, value) in states.items():
            state = rerun.widget_states.widgets.add(id=id_)
            if kind == "string_array_value":
                state.string_array_value.data.extend(value)
            else:
                setattr(state, kind, value)
        message = asked.SerializeToString()
        began = time.perf_counter()
        await self._line.send(message)
        received, problems = await asyncio.wait_for(self._answered(), LONGEST)
        return Answer(1000 * (time.perf_counter() - began), len(message), received, tuple(problems))

    async def _answered(self) -> tuple[int, list[str]]:
        received, problems = 0, []
        self.blocks = set()
        while True:
            raw = await self._line.recv()
            received += len(raw)
            message = ForwardMsg()
            message.ParseFromString(raw)  # type: ignore[arg-type]
            if message.metadata.cacheable and message.hash not in self._known:
                self._known.append(message.hash)
            what = message.WhichOneof("type")
            if what == "delta":
                problems += self._drawn(message)
            elif what == "navigation":
                self.pages = {"" if p.is_default else p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
                self.page = message.navigation.page_script_hash
            elif what == "page_info_changed":
                self.query = message.page_info_changed.query_string.strip()
            elif what == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return received, problems

    def _drawn(self, message: ForwardMsg) -> list[str]:
        """Note the widgets of a delta; the text of an exception or an error is a problem."""
        delta = message.delta
        if delta.WhichOneof("type") == "add_block":
            kind = delta.add_block.WhichOneof("type") or ""
            self.blocks.add(kind)
            if kind == "dialog":
                self.dialog = delta.add_block.dialog.id
            if kind in ("tab_container", "expandable", "popover") and (id_ := getattr(delta.add_block, kind).id):
                self._note(id_, delta.fragment_id, getattr(delta.add_block, kind))
            return []
        if delta.WhichOneof("type") != "new_element":
            return []
        what = delta.new_element.WhichOneof("type") or ""
        element = getattr(delta.new_element, what, None)
        self.blocks.add(what)
        if what in ("exception", "alert"):
            return [str(getattr(element, "message", "") or getattr(element, "body", ""))[:160]]
        if id_ := getattr(element, "id", ""):
            self._note(id_, delta.fragment_id, element)
        return []

    def _note(self, id_: str, fragment: str, element: Any) -> None:
        key = id_.rpartition("-")[2] if id_.startswith("$$ID-") else id_
        known = self.widgets.get(key)
        if known and known.id == id_:
            known.element, known.fragment = element, fragment
        else:
            self.widgets[key] = Widget(id_, fragment, element)

    # -- acts ------------------------------------------------------------------------------------------------------------

    async def act(self, key: str, **what: Any) -> Answer:
        """A click in the view `key`: the trigger {"do": …} of a component."""
        view = self.widgets[key]
        event = json.dumps([{"event": "acts", "value": [{**what, "nth": time.time_ns()}]}])
        return await self.run({TRIGGER.format(view.id): ("json_trigger_value", event)}, view.fragment)

    async def choose(self, key: str, option: str) -> Answer:
        """One of some pills, by a word of its label."""
        widget = self.widgets[key]
        label = next(" ".join(filter(None, (o.content_icon, o.content))) for o in widget.element.options if option.lower() in o.content.lower())
        widget.kind, widget.value = "string_array_value", [label]
        return await self.run(fragment=widget.fragment)

    async def turn(self, tab: str) -> Answer:
        """Another tab of a page, by its name; the key is that of its only row of tabs."""
        widget = next(w for k, w in self.widgets.items() if k.startswith("mq_ev_") and hasattr(w.element, "default_tab_index"))
        widget.kind, widget.value = "string_value", tab
        return await self.run(fragment=widget.fragment)

    async def close(self) -> Answer:
        """Close the dialog."""
        fragment = self.widgets["mq_home"].fragment if "mq_home" in self.widgets else ""
        asked, self.dialog = self.dialog, ""
        return await self.run({asked: ("trigger_value", True)}, fragment)

    @property
    def viewer(self) -> str:
        return parse_qs(self.query).get("viewer", [""])[0]

    def data(self, key: str) -> dict[str, Any]:
        """What a view was last given to draw."""
        return json.loads(self.widgets[key].element.json)
