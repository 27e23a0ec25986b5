"""Every chart of every page tells those who cannot see it what it shows and what comes out of it, with its figures."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest
from apps import opened
from walks import SECTIONS, VIEWER

PAGES = ("compare", "context", "evaluation", "experiments", "system")
FIGURE = re.compile(r"\d")


@pytest.mark.parametrize("page", PAGES)
def test_every_chart_says_its_finding_in_figures(page):
    """Title, finding and figures; none says what another one says."""
    said = []
    for section in SECTIONS[page][1]:
        at = opened(page, viewer=VIEWER, **dict(parse_qsl(f"{SECTIONS[page][0]}{section}")))
        for chart in at.get("vega_lite_chart"):
            assert FIGURE.search(chart.proto.alt), chart.proto.alt
            assert re.search(r"[.?] \S.{20,}", chart.proto.alt), chart.proto.alt  # a title and at least a sentence
            said.append(chart.proto.alt)
        assert not at.get("plotly_chart") + at.get("deck_gl_json_chart") + at.get("imgs"), section  # nothing that is drawn otherwise
    assert len(said) > 1
    assert len(set(said)) == len(said)
