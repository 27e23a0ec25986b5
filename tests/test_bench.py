"""The benchmark measures what it says; how fast anything is, is no test."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from recommender import artifacts, bench
from recommender.settings import settings


def test_every_argument_is_asked_in_turn() -> None:
    asked: list[int] = []
    row = bench.timed("model", "test", asked.append, [1, 2, 3], calls=7)
    assert asked == [1, 2, 3, 1, 2, 3, 1, 2, 3, 1]  # one round to warm up, then seven calls
    assert (row.calls, row.unit) == (7, "ms")
    assert 0 <= row.value <= row.p99


def test_made_up_profiles() -> None:
    queries = bench.profiles(600, (0, 500), 2, seed=0)
    assert [len(q.profile) for q in queries] == [0, 0, 500, 500]
    assert len({q.context for q in queries}) == 4


def test_sizes_and_the_table() -> None:
    rows = [*bench.sizes(settings()), bench.Row("start", "streamlit run app.py", None, None, "s", 0, "app.py is not there")]
    assert rows[-2].what == "all"
    assert abs(sum(r.value for r in rows[:-2]) - rows[-2].value) < 1e-9
    console = Console(width=150, file=io.StringIO())
    console.print(bench.table(rows))
    text = console.file.getvalue()
    assert "median" in text
    assert "app.py is not there" in text
    assert bench.resident() is None or bench.resident() > 10


def test_rows_become_a_report_with_intervals_where_calls_were_many() -> None:
    many = bench.Row("model", "ease", 200.5, 397.0, "ms", 400, took=tuple(map(float, range(1, 401))))
    few = replace(many, what="few", calls=20, took=many.took[:20])
    once = [bench.Row("memory", "a process", 512.0, None, "MB", 1), bench.Row("start", "app.py", None, None, "s", 0, "app.py is not there")]
    made = bench.reported([many, few, *once], "mine")
    found = {(r.model, r.metric): r for r in made.rows}
    # of 400 the places of the 99th percentile are binomial: 392 and 400
    assert (found["ease", "ms p99"].lo, found["ease", "ms p99"].hi) == (392, 400)
    assert found["ease", "ms p50"].mean == 200.5
    assert found["few", "ms p99"].lo == found["few", "ms p99"].hi == found["few", "ms p99"].mean
    assert found["a process", "MB"].mean == 512
    assert "app.py" not in {r.model for r in made.rows}
    assert made.more["goals"]["model"] == {"at_most": 5.0, "unit": "ms"}
    assert made.more["release"].startswith("committed-")
    assert made.data_hash == artifacts.card("ease", settings().artifacts)["data"]["sha256"]
