"""What is stored is there again, in order, for its viewer alone; what stands after undos; what is forgotten is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender.serve.feedback import Event, Feedback


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'feedback.sqlite'}"


@pytest.fixture
def feedback(address: str) -> Iterator[Feedback]:
    opened = Feedback.open(address)
    yield opened
    opened.close()


def test_what_was_done_is_there_after_opening_again(feedback: Feedback, address: str) -> None:
    said = [Event("vera", "like", film=1), Event("vera", "rating", film=2, stars=4.5, note={"from": "import"})]
    assert feedback.add(said) == 2
    assert Feedback.open(address).events("vera") == said


def test_the_same_event_again_changes_nothing(feedback: Feedback) -> None:
    first, second, third = (Event("vera", "like", film=film) for film in (1, 2, 3))
    assert feedback.add([first]) == 1
    assert feedback.add([first]) == 0
    assert feedback.add([second, first, second, third]) == 2
    assert feedback.events("vera") == [first, second, third]
