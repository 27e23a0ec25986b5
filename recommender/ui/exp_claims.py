"""The claims that context-aware recommendations would have to bear out, beside what our runs give at each dose of simulated context."""

from __future__ import annotations

from recommender.ui import exhibits
from recommender.ui.exp_shelf import Shown
from recommender.ui.reports import Shelf

COMMAND = "python -m recommender experiment doses"


def section(shown: Shown, reports: Shelf) -> None:
    """The report "doses", or the command that writes it."""
    if "doses" not in reports.found:
        exhibits.missing("What the claims would take", "doses.json", COMMAND)
