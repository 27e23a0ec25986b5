"""Empty and broken states: what stands on the screen where something is not there, and that no error takes more than its part."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from apps import act, again, opened, text, views

from recommender.serve import desk as desk_room
from recommender.serve.feedback import Feedback, FeedbackError
from recommender.settings import ROOT, Settings, WrongSetting, settings
from recommender.ui import context, ctx_audit, ctx_pair, evaluation, experiments, home, sign, state, system, taste_page

NUMBER = re.compile(r"under the number <b>([0-9a-f]{8})</b>")


def failing(error: Exception):
    def fails(*_, **__):
        raise error

    return fails


def said(at) -> str:
    return " ".join([text(at), *(w.value for w in at.warning), *(c.value for c in at.code)])


def told(at, caplog: pytest.LogCaptureFixture) -> None:
    """A sentence with a number, which is in the log with the whole error; none of it is on the screen."""
    shown = said(at)
    assert "could not be drawn, by a fault of ours" in shown
    (number,) = NUMBER.findall(shown)
    assert "secret words" not in shown
    assert "Traceback" not in shown
    assert not at.exception
    (line,) = [r for r in caplog.records if number in r.getMessage()]
    assert line.levelno == logging.ERROR
    assert "secret words" in caplog.handler.format(line)


@pytest.mark.parametrize(
    ("page", "room", "part"),
    [
        (None, home, "_data"),
        ("taste", taste_page, "_apply"),
        ("context", context, "shelf"),
        ("evaluation", evaluation, "shelf"),
        ("experiments", experiments, "shelf"),
        ("system", system, "shelf"),
    ],
)
def test_an_error_nobody_thought_of_is_a_sentence_with_a_number(
    page: str | None, room, part: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(room, part, failing(RuntimeError("secret words")))
        at = opened(page, viewer="vera")
        told(at, caplog)
    (retry,) = [b for b in at.button if b.label == "Try again"]
    retry.click()
    assert "by a fault of ours" not in said(again(at))


def test_it_costs_its_section_and_not_the_page(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(ctx_pair, "two_contexts", failing(RuntimeError("secret words")))
    at = opened("context", viewer="vera")
    told(at, caplog)
    assert "Two contexts could not be drawn" in said(at)
    assert "What the data support" in [tab.label for tab in at.tabs]
    monkeypatch.setattr(ctx_audit, "audit", failing(ZeroDivisionError("secret words")))  # another section has another number
    other = opened("context", viewer="vera", part="what-the-data-support")
    assert "What the data support could not be drawn" in said(other)
    assert NUMBER.findall(said(other)) != NUMBER.findall(said(at))


def test_an_error_before_the_page_is_told_too(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(state, "frame", failing(RuntimeError("secret words")))
    told(opened(viewer="vera"), caplog)


def test_a_section_that_finds_the_store_gone_leaves_it_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctx_pair, "two_contexts", failing(FeedbackError("the store is away")))
    at = opened("context", viewer="vera")
    assert "The projector has stopped" in said(at)
    assert "the store is away" in said(at)
    assert "fault of ours" not in said(at)


@pytest.mark.parametrize("name", ["nobody", "<b>x</b>", "ml-7000000", "a" * 300])
def test_a_viewer_who_is_not_here_is_told_and_another_asked_for(name: str) -> None:
    at = opened(viewer=name)
    (note,) = [i.value for i in at.info]
    assert "is here, or not any more" in note
    assert "Who is watching instead?" in note
    assert "<b>" not in note.replace("\\<b\\>", "")
    assert len(note) < 300
    assert not again(at).info  # once


def test_a_data_set_that_cannot_be_read_is_a_part_that_did_not_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ml-1m").mkdir()
    monkeypatch.setattr(settings(), "raw", tmp_path)
    monkeypatch.setattr(desk_room, "_shared", [])
    at = opened()
    assert "ml-1m is there and cannot be read" in said(at)
    assert "With the MovieLens data set here" in said(at)


def test_without_any_model_the_house_is_dark_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "artifacts", tmp_path)
    monkeypatch.setattr(settings(), "raw", tmp_path / "raw")
    monkeypatch.setattr(desk_room, "_shared", [])
    at = opened(viewer="vera")
    assert "Dark tonight" in said(at)
    assert "python -m recommender train all" in said(at)
    assert str(tmp_path) not in said(at)
    (look,) = at.button
    assert look.label == "Look again"
    (tmp_path / "popularity").symlink_to(ROOT / "artifacts" / "popularity")  # trained meanwhile
    look.click()
    assert "home" in views(again(at))
    assert "Dark tonight" not in said(at)


def test_a_disk_that_passes_is_told_only_where_it_holds_what_is_said() -> None:
    passing = Settings(database_url="sqlite:///x.sqlite", disk_passes=True)
    assert sign.kept_until(passing).startswith("Kept until this app restarts")
    assert sign.kept_until(passing.model_copy(update={"disk_passes": False})) == ""
    assert sign.kept_until(passing.model_copy(update={"database_url": "postgresql://u@h/d"})) == ""


def test_a_deleted_viewer_asks_for_the_whole_page(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(sign, "st", SimpleNamespace(rerun=lambda: asked.append(True)))
    sign.stored(failing(sign.NoViewer("gone")))()
    assert asked == [True]


def test_a_search_that_finds_nothing_and_a_house_that_is_empty_offer_a_way_back(forgotten: None) -> None:
    at = act(opened(viewer="vera"), home.KEY, do="find", words="zzqqxxjj")
    empty = views(at)["home"]["empty"]
    assert (empty["sign"], empty["undo"]["do"]) == ("No such title", "clear")
    at = opened(viewer="vera", minutes="30", decade="1930", stars="4")
    empty = views(at)["home"]["empty"]
    assert empty["sign"] == "House empty"
    assert empty["line"].startswith("Nothing is left of ")


def test_without_reports_and_experiments_the_pages_name_the_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened("evaluation", viewer="vera")
    assert "Not measured yet" in said(at)
    assert "python -m recommender evaluate all" in said(at)
    (folder.parent / "experiments").unlink()
    at = opened("experiments", viewer="vera")
    assert "Nothing to read yet" in said(at)
    assert "plan context" in said(at)


@pytest.mark.parametrize("page", [None, "compare", "context", "taste", "system"])
def test_without_reports_every_other_page_stands(folder: Path, page: str | None) -> None:
    assert "fault of ours" not in said(opened(page, viewer="vera"))


def test_a_store_that_is_gone_is_told_and_found_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with monkeypatch.context() as patch:
        folder = settings().database_url.removeprefix("sqlite:///").rpartition("/")[0]
        patch.setattr(Feedback, "version", failing(FeedbackError(f"the store at {folder}/feedback.sqlite is away")))
        at = opened(viewer="vera")
        assert "The projector has stopped" in said(at)
        assert "the store at feedback.sqlite is away" in said(at), "no folder of this machine is on the screen"
        assert f"{folder}/feedback.sqlite" in caplog.text, "it is in the log"
    (retry,) = [b for b in at.button if b.label == "Try again"]
    retry.click()
    assert "The projector has stopped" not in said(again(at))


def test_a_store_that_takes_no_more_stops_nobody_from_watching(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk: rows and films are shown as ever, which is noted in the log alone; what a person says is told to be lost."""
    full = FeedbackError("the store is full")
    monkeypatch.setattr(Feedback, "add", failing(full))
    at = opened(viewer="vera")
    film = views(at)["home"]["hero"]["id"]
    act(at, "mq_home", do="open", film=film, row="top")
    assert views(at)["film"]["film"]["id"] == film
    assert "The projector has stopped" not in said(at)
    assert caplog.text.count("not noted what was shown or opened: the store is full") == 2
    act(at, "mq_film_view", do="mark", film=film, mark="love")
    assert "The projector has stopped" in said(at)
    assert "the store is full" in said(at)


@pytest.mark.parametrize(
    "name, value, told",
    [
        ("MARQUEE_MANY_RATINGS", "soon", "setting MARQUEE_MANY_RATINGS is 'soon': Input should be a valid integer"),
        ("MARQUEE_TMDB_RATE", "99", "setting MARQUEE_TMDB_RATE is '99': Input should be less than or equal to 30"),
        ("MARQUEE_TMDB_API", "ftp://me:sesame@host", "setting MARQUEE_TMDB_API is …: wanted https://"),
        ("MARQUEE_POSTERS", "elsewhere", "setting MARQUEE_POSTERS is 'elsewhere': wanted a folder in static/"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_wanted(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    try:
        at = opened(viewer="vera")
        with pytest.raises(WrongSetting, match=re.escape(told)):
            settings()
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert "Set up wrong" in said(at)
    assert told in said(at)
    assert "sesame" not in said(at)
    assert "fault of ours" not in said(at)
