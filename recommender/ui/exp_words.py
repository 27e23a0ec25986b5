"""The verdicts on the screen: a word, a mark in a shape of its own, a colour."""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """A verdict on the screen: its word, what is to be done, a mark inside its shape, the class that gives the shape, its colour.

    Any two colours stay apart for every kind of eye, and each has at least 4.5:1 on both surfaces: tests/test_experiments_page.py.
    """

    word: str
    act: str  # what it asks of whoever decides; {arm} and {control} are names
    mark: str
    style: str
    tone: str


LOOKS: dict[str, Look] = {
    "ship": Look("Ship", "Give “{arm}” to everybody.", "", "mq-xp-ship", "#9df0a6"),
    "roll back": Look("Roll back", "“{control}” stays for everybody.", "", "mq-xp-back", "#e79cb4"),
    "keep running": Look("Keep running", "Decide nothing yet.", "●●●", "mq-xp-on", "#3d97ff"),
    "invalid": Look("Invalid", "Believe no effect of this run.", "✕", "mq-xp-invalid", "#f0642c"),
}
