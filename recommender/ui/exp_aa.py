"""Many A/A runs: both arms got the same, so whatever is found is false. How often that happens, by method, from the report "aa"."""

from __future__ import annotations

from recommender.ui import exhibits
from recommender.ui.exp_shelf import Shown

COMMAND = "python -m recommender experiment aa"


def section(shown: Shown) -> None:
    """The report, or the command that writes it."""
    if shown.report is None:
        exhibits.missing("How often is nothing called something?", "aa.json", COMMAND)
