"""The section "Posters": whether there is a key of TMDB, what is kept and for how long, what went wrong last; a key for this visit."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

import streamlit as st
from pydantic import SecretStr

from recommender.serve.gallery import Gallery
from recommender.serve.posters import DAY
from recommender.serve.tmdb import Client, TmdbError
from recommender.settings import STATIC, settings
from recommender.ui import exhibits, posters, words
from recommender.ui.state import Frame

TERMS, KEYS, HOME = "https://www.themoviedb.org/api-terms-of-use", "https://www.themoviedb.org/settings/api", "https://www.themoviedb.org"
LOOK = 2.0  # seconds from one look to the next while something is coming


def section(frame: Frame) -> None:
    """What is set, what is kept, what may be done; looked at again and again only while something is coming."""
    gallery = posters.gallery()
    exhibits.title("Posters from TMDB", _head(gallery))
    _typing(gallery)
    coming = bool(gallery.coming) and posters.client() is not None
    st.fragment(_state, run_every=LOOK if coming else None)(frame, coming)
    _clearing(gallery)
    _thanks()


def _head(gallery: Gallery) -> str:
    typed = st.session_state.get(posters.TYPED)
    if typed is not None:
        return "Your own key is in use, for this visit alone. Drawn posters stay where TMDB has none."
    if gallery.own is not None:
        return "This app has a key of The Movie Database: its posters lie over the drawn ones, and a film tells more of itself."
    return "Posters here are drawn, film by film. With a free key of The Movie Database its posters lie over them, and a film tells more of itself."


def _typing(gallery: Gallery) -> None:
    """The field for a key, or the way to forget it. It is emptied when it is sent, and nothing of it is shown again."""
    typed: Client | None = st.session_state.get(posters.TYPED)
    if typed is not None:
        if st.button("Forget my key", icon=":material/key_off:", key="mq_tmdb_forget"):
            gallery.forget(typed)
            del st.session_state[posters.TYPED]
            st.rerun()
        return
    with st.form("mq_tmdb_form", clear_on_submit=True, border=False, width=560):
        given = st.text_input(
            "Your key of TMDB",
            type="password",
            max_chars=1000,
            autocomplete="off",
            key="mq_tmdb_field",
            help="An API key or an API read access token, from your account's settings at TMDB.",
        )
        sent = st.form_submit_button("Use it for this visit", icon=":material/key:", key="mq_tmdb_send")
    st.caption(
        "Your key stays in the memory of this visit: nobody else's pages use it, it is written nowhere, and reloading or closing the page forgets it."
    )
    if sent and given.strip():
        try:
            made = gallery.client(SecretStr(given))
        except TmdbError as error:
            st.error(words.md(str(error)), icon=":material/key_off:")
            return
        st.session_state[posters.TYPED] = made
        gallery.check(made)
        st.rerun()


def _state(frame: Frame, coming: bool) -> None:
    """The facts, one line each."""
    gallery = posters.gallery()
    st.html(f'<ul class="mq-ev mq-sys-list">{"".join(map(_line, _facts(frame, gallery)))}</ul>')
    if coming and not gallery.coming:
        st.rerun()  # the last look: nothing has to be looked at again


def _line(fact: tuple[str, str, bool]) -> str:
    head, said, ill = fact
    return f'<li class="{"mq-sys-ill" if ill else ""}"><b>{escape(head)}</b>{escape(said)}</li>'


def _facts(frame: Frame, gallery: Gallery) -> list[tuple[str, str, bool]]:
    """(head, sentence, whether something is wrong)."""
    figures, days = gallery.figures(), settings().poster_days
    films = int((frame.service.catalog.tmdb_ids > 0).sum())
    facts = [_key(gallery)]
    kept = f"{figures.pictures:,} of {films:,} films have their poster here, {figures.bytes / 1e6:.1f} MB."
    if figures.without:
        kept += f" Of {words.counted(figures.without, 'other film')} TMDB had none."
    if gallery.coming and posters.client() is not None:
        kept += f" {words.counted(gallery.coming, 'film')} to come."
    facts.append(("Kept on the disk", kept, False))
    if figures.oldest is not None and figures.newest is not None:
        last = _date(figures.oldest + days * DAY)
        first, newest = _date(figures.oldest), _date(figures.newest)
        span = f"on {first}" if first == newest else f"from {first} to {newest}"
        said = f"Fetched {span}; deleted {days} days after that, the oldest on {last}."
        facts.append(("How old", said, False))
    else:
        facts.append(("How long", f"What is fetched is deleted {days} days after; TMDB's terms allow six months.", False))
    if gallery.trouble is not None:
        facts.append((f"Last trouble, {_date(gallery.trouble.at)}", gallery.trouble.line[:1].upper() + gallery.trouble.line[1:] + ".", True))
    if gallery.line.resting:
        facts.append(("At rest", f"TMDB is asked again in {gallery.line.resting:.0f} seconds at the earliest.", True))
    return facts


def _key(gallery: Gallery) -> tuple[str, str, bool]:
    typed: Client | None = st.session_state.get(posters.TYPED)
    used = typed or gallery.own
    if used is None:
        return "No key", "Nothing is asked of TMDB, and nothing of it is shown.", False
    whose = "Your key, for this visit" if typed else "The key of this app, from its settings"
    if used.refused:
        return whose, "TMDB refuses it (401): it is not valid, or your address is not confirmed there. It is not used again.", True
    return whose, "In use. It is shown to nobody.", False


def _clearing(gallery: Gallery) -> None:
    """The cache is everybody's: where strangers share the app, only its command deletes it."""
    offered = settings().household and gallery.figures().oldest is not None
    if offered and st.button("Delete all posters", icon=":material/delete:", key="mq_tmdb_clear"):
        gone = gallery.clear()
        st.toast(f"{words.counted(gone, 'film')} deleted", icon=":material/delete:")
        st.rerun()
    st.caption("All at once: `python -m recommender posters` fetches them for the whole catalogue, `--clear` deletes them.")


def _thanks() -> None:
    logo = f'<img src="app/static/{posters.LOGO}" alt="TMDB" height="20">' if (STATIC / posters.LOGO).is_file() else ""
    links = " · ".join(
        f'<a href="{url}" target="_blank" rel="noopener noreferrer">{name}</a>'
        for name, url in (("TMDB", HOME), ("its terms", TERMS), ("get a key", KEYS))
    )
    st.html(f'<p class="mq-ev mq-sys-thanks">{logo} {escape(posters.ATTRIBUTION)} Posters belong to whoever made them. {links}</p>')


def _date(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
