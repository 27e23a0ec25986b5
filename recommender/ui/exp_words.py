"""The verdicts on the screen: a word, a mark in a shape of its own, a colour."""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """A verdict on the screen: its word, a mark inside its shape, the class that gives shape and colour."""

    word: str
    mark: str
    style: str


LOOKS: dict[str, Look] = {
    "ship": Look("Ship", "", "mq-xp-ship"),
    "roll back": Look("Roll back", "", "mq-xp-back"),
    "keep running": Look("Keep running", "●●●", "mq-xp-on"),
    "invalid": Look("Invalid", "✕", "mq-xp-invalid"),
}
