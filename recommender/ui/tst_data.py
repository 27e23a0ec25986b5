"""The viewer's data on the Taste page: bring films along from elsewhere, take everything away as a file, have it deleted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from recommender.load.exports import Entry, Export, ExportError, read_export, together
from recommender.load.matching import Matching, match
from recommender.serve import arrivals, history
from recommender.serve.arrivals import SERVICES, Brought
from recommender.serve.events import Event
from recommender.ui import cards, kit, taste, trial, tst_map, words
from recommender.ui.state import Frame, put

KEY = "mq_import"
STEP = 30  # unclear lines that are shown at a time
SOME = 24  # matched films that are shown
NAMED = 200  # lines of a kind that are named
SAID = {"watched": "watched", "list": "listed"}
HOW = (
    "**Letterboxd:** Settings, Data, Export your data; the zip as it comes. **IMDb:** Your ratings, Export; also your watch-list. "
    "**Trakt:** Settings, Data, Export; the zip, or its files."
)


@dataclass
class Upload:
    """The files that lie ready: whose, what was read and matched within the limit, and what was said of the unclear ones."""

    viewer: str
    files: tuple[str, ...]
    export: Export
    found: Matching
    over: int
    picks: dict[int, int | None] = field(default_factory=dict)  # place in found.unclear -> item number, or None for none of them
    shown: int = STEP

    @property
    def decided(self) -> Matching:
        return self.found.decided(self.picks)


def draw(frame: Frame) -> None:
    """Import, export, delete; each says what it does before it does it."""
    _head(
        "Bring your films along",
        "Ratings, watched films and the watch-list you keep elsewhere. Nothing is stored before you have seen what was found.",
    )
    _import(frame)
    frame = frame.now()
    _brought(frame)
    _head("Take your data with you", "Everything stored of this viewer: what was said, clicked and shown. The file is made when you press.")
    _export(frame)
    _head("Delete everything", _gone(frame))
    _delete(frame)
    st.caption(
        f"Stored in {words.md(frame.service.feedback.where.rsplit('/', 1)[-1])}, without a password and under this viewer’s name only: "
        "what you say of films, "
        "what you open, what was shown to you and where, with time and kind of device. No address, no account, nothing of your browser besides."
        + trial.said(frame.service.models)
    )


def _head(title: str, line: str) -> None:
    st.html(f'<div class="mq-tst-head"><h2>{escape(title)}</h2><p>{escape(line)}</p></div>')


# -- import ------------------------------------------------------------------------------------------------------------


def _import(frame: Frame) -> None:
    again, most = st.session_state.setdefault("mq_import_n", 0), frame.service.settings.import_bytes
    given = st.file_uploader(
        f"Files of Letterboxd, IMDb or Trakt: zip, CSV or JSON, up to {most // 1_000_000} MB each",
        type=["csv", "json", "zip"],
        accept_multiple_files=True,
        key=f"mq_files_{again}",
        max_upload_size=max(1, most // 1_000_000),
    )
    st.caption(HOW)
    done = st.session_state.get("mq_import_done")
    if done and done["viewer"] == frame.viewer.id:
        st.html(f'<p class="mq-outcome" role="status">{escape(done["line"])}</p>')
        st.page_link("pages/for_you.py", label="See the rows", icon=":material/local_movies:")
    if not given:
        st.session_state.pop("mq_upload", None)
        return
    upload = _upload(frame, given)
    if upload is not None:
        for act in kit.acts(KEY):
            _apply(frame, upload, act)
        _report(frame, upload)


def _upload(frame: Frame, given: Sequence[UploadedFile]) -> Upload | None:
    """What the files hold, read and matched once; None where they cannot be read, and one line that says why."""
    files = tuple(file.file_id for file in given)
    kept: Upload | None = st.session_state.get("mq_upload")
    if kept is not None and (kept.files, kept.viewer) == (files, frame.viewer.id):
        return kept
    st.session_state.pop("mq_import_done", None)
    try:
        with st.spinner("Reading the files and looking for the films"):
            export = together([read_export(file.getvalue(), file.name) for file in given])
            allowed = frame.service.catalog.allowed(frame.viewer.certificate)
            found, over = arrivals.within(match(export.entries, frame.service.catalog), allowed)
    except ExportError as error:
        st.session_state.pop("mq_upload", None)
        st.error(f"Not read. {words.md(str(error))}.", icon=":material/block:")
        return None
    kept = st.session_state["mq_upload"] = Upload(frame.viewer.id, files, export, found, over)
    return kept


def _apply(frame: Frame, upload: Upload, act: dict[str, Any]) -> None:
    """A word on an unclear line; the same word again takes it back."""
    place = act.get("place")
    if act.get("do") == "more":
        upload.shown += STEP
    elif act.get("do") == "pick" and isinstance(place, int) and 0 <= place < len(upload.found.unclear):
        ids = frame.service.catalog.ids
        offered = {int(ids[choice.item]): choice.item for choice in upload.found.unclear[place].choices}
        item = offered.get(act["film"]) if act.get("film") else None
        if act.get("film") and item is None:
            return
        if place in upload.picks and upload.picks[place] == item:
            del upload.picks[place]
        else:
            upload.picks[place] = item


def _report(frame: Frame, upload: Upload) -> None:
    """What was found, and the one button that stores it."""
    catalog, found = frame.service.catalog, upload.decided
    new = arrivals.arrival(frame.viewer.id, _events(frame), upload.export.service, found, catalog.ids)
    kit.view("arrivals", _told(frame, upload, found, new), key=KEY)
    with st.container(horizontal=True, vertical_alignment="center"):
        n = len(new.events)
        label = f"Add {words.counted(n, 'film')}" if n else "Nothing new to add"
        if st.button(label, type="primary", disabled=not n, key="mq_import_add", icon=":material/add:"):
            _add(frame, new)
        st.button("Put the files away", key="mq_import_off", type="tertiary", on_click=_put_away)


def _put_away() -> None:
    st.session_state["mq_import_n"] += 1
    st.session_state.pop("mq_upload", None)


def _add(frame: Frame, new: arrivals.Arrival) -> None:
    """Store it all at once, and say what that did to the first row."""
    before = set(tst_map.first(frame))
    with st.spinner(f"Adding {words.counted(len(new.events), 'film')}"):
        taste.store(frame, list(new.events))
        frame = frame.now()
        after = tst_map.first(frame)
    came = len(set(after) - before)
    row = f"{came} of the {len(after)} films of your first row are new" if came else "your first row has the same films as before"
    line = f"{words.counted(len(new.events), 'film')} from {SERVICES[new.service]} added; {row}."
    st.session_state["mq_import_done"] = {"viewer": frame.viewer.id, "line": line}
    _put_away()
    st.rerun()


def _told(frame: Frame, upload: Upload, found: Matching, new: arrivals.Arrival) -> dict[str, Any]:
    """The report as data for the drawing code."""
    catalog, export, limit = frame.service.catalog, upload.export, frame.viewer.certificate
    open_ = [place for place in range(len(upload.found.unclear)) if place not in upload.picks]
    sums = [
        (len(new.events), "film to add", "films to add"),
        (new.known, "stands already", "stand already"),
        (new.kept, "you judged here since; that stays", "you judged here since; that stays"),
        (len(open_), "unclear: say below which film is meant", "unclear: say below which films are meant"),
        (len(found.absent), "not in the catalogue", "not in the catalogue"),
        (upload.over, f"over the limit of {limit}, left out", f"over the limit of {limit}, left out"),
        (export.repeated + len(found.repeated), "line says again what another says", "lines say again what others say"),
        (export.unread, "line skipped", "lines skipped"),
    ]
    return {
        "from": f"{SERVICES[export.service]}: {export.what}, {export.rows:,} lines",
        "head": f"{words.counted(len(found.matched), 'film')} found",
        "sums": [[n, one if n == 1 else many] for n, one, many in sums if n],
        "matched": [{**cards.facts(catalog, m.item), "said": _said(m.entry)} for m in found.matched[:SOME]],
        "unclear": [_question(frame, upload, place) for place in range(min(upload.shown, len(upload.found.unclear)))],
        "open": max(0, len(upload.found.unclear) - upload.shown),
        "ends": f"not in the catalogue, which ends in {int(catalog.years.max())}",
        "absent": [f"{entry.title} ({entry.year})" if entry.year else entry.title for entry in found.absent[:NAMED]],
        "absentN": len(found.absent),
        "skipped": [f"{s.file}, line {s.line}: {s.reason}" for s in export.skipped],
        "skippedN": export.unread,
    }


def _said(entry: Entry) -> str:
    return f"★ {entry.stars:g}" if entry.stars else SAID[entry.kind]


def _question(frame: Frame, upload: Upload, place: int) -> dict[str, Any]:
    asked, picked = upload.found.unclear[place], upload.picks.get(place, -1)
    choices = [{**cards.facts(frame.service.catalog, c.item), "on": c.item == picked} for c in asked.choices]
    said = " · ".join(filter(None, (str(asked.entry.year or ""), _said(asked.entry))))
    return {"place": place, "title": asked.entry.title, "said": said, "choices": choices, "none": picked is None}


def _brought(frame: Frame) -> None:
    """The imports that stand, each with a way back."""
    for one in arrivals.imports(_events(frame)):
        if one.stands:
            with st.container(horizontal=True, vertical_alignment="center", key=f"mq_brought_{one.id}"):
                n, all_ = len(one.stands), len(one.events)
                left = f" ({n:,} of {all_:,} stand)" if n < all_ else ""
                when = datetime.fromtimestamp(one.at, _zone()).strftime("%-d %B %Y, %H:%M")
                st.markdown(f"**{words.counted(all_, 'film')}** from {SERVICES.get(one.service, one.service)}, {when}{left}", width="stretch")
                if st.button("Undo this import", icon=":material/undo:", key=f"mq_undo_{one.id}"):
                    _undo(frame, one)


def _events(frame: Frame) -> list[Event]:
    """All the viewer said and did, but not what was shown."""
    return frame.service.feedback.events(frame.viewer.id, history.TOLD)


def _zone() -> ZoneInfo:
    """The viewer's own clock, as far as the browser names it."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _undo(frame: Frame, one: Brought) -> None:
    taste.store(frame, arrivals.take_back(one, taste.stamp(frame)))
    line = f"{words.counted(len(one.stands), 'film')} from {SERVICES.get(one.service, one.service)} taken back: all is as it was before."
    st.session_state["mq_import_done"] = {"viewer": frame.viewer.id, "line": line}
    st.rerun()


# -- export and delete -------------------------------------------------------------------------------------------------


def _export(frame: Frame) -> None:
    feedback, viewer = frame.service.feedback, frame.viewer.id
    with st.container(horizontal=True):
        st.download_button(
            "Everything, as JSON",
            lambda: json.dumps(feedback.export(viewer), ensure_ascii=False, indent=1),
            f"marquee-{viewer}.json",
            "application/json",
            key="mq_export_json",
            on_click="ignore",
            icon=":material/data_object:",
        )
        st.download_button(
            "What happened, as a table (CSV)",
            lambda: feedback.export_csv(viewer),
            f"marquee-{viewer}.csv",
            "text/csv",
            key="mq_export_csv",
            on_click="ignore",
            icon=":material/table:",
        )


def _gone(frame: Frame) -> str:
    if frame.viewer.id.startswith("me-"):
        return "This viewer and everything stored of them, for good. Nobody can bring it back."
    return "Everything stored of this viewer, for good. The viewer stays, as if they had never said anything here."


def _delete(frame: Frame) -> None:
    name = frame.viewer.name
    typed = st.text_input(f"Type {words.md(name)} to confirm", key="mq_forget_name", width=360, autocomplete="off")
    if not st.button("Delete everything", icon=":material/delete_forever:", key="mq_forget"):
        return
    if " ".join(typed.split()) == name:
        _forget(frame)
    else:
        st.warning(f"Nothing was deleted: wanted the name as it is written, {words.md(name)}.", icon=":material/block:")


def _forget(frame: Frame) -> None:
    """Everything stored goes, and with it what this visit remembers; an own viewer is no more."""
    viewer = frame.viewer
    rows = frame.service.feedback.forget(viewer.id)
    for key in [key for key in st.session_state if str(key).startswith("mq_") and key != "mq_viewer"]:
        del st.session_state[key]
    if viewer.id.startswith("me-"):
        put("viewer", None)
    st.toast(f"{words.counted(rows, 'stored row')} of {words.md(viewer.name)} deleted", icon=":material/delete_forever:")
    st.rerun()
