"""How the size of an experiment grows: what is read off its log is what its reading says."""

from __future__ import annotations

import numpy as np
import pytest
from logs import PLAN, log

from recommender.experiment.reading import read
from recommender.experiment.sizing import course


@pytest.mark.parametrize("metric", ["ctr", "engagement", "relevance"])
@pytest.mark.parametrize("day", [2, 13])
def test_the_course_is_what_a_reading_of_that_day_says(metric: str, day: int) -> None:
    logged = log(3000, 0.05, 1)
    found = read(PLAN, logged, day)
    measured = next(m for m in (*found.primary, *found.secondary) if m.metric == metric)
    run = course(PLAN, logged, metric, "with")
    assert run.exposed[day] == measured.plain.n_control + measured.plain.n_treatment == sum(found.counts.values())
    assert run.mean[day] == pytest.approx(measured.plain.control)
    assert run.saved[day] == pytest.approx(max(measured.saved, 0))
    arms = logged.keep(np.flatnonzero(logged.arms == 0)), logged.keep(np.flatnonzero(logged.arms == 1))
    alone = [course(PLAN, log_of, metric, "with") for log_of in arms]
    assert all(np.isnan(a.mean).all() for a in alone)  # one arm alone has nothing to compare


def test_the_spread_of_a_viewer_is_that_of_the_mean_times_the_root_of_viewers() -> None:
    logged = log(3000, 0.0, 1)
    run = course(PLAN, logged, "engagement", "with")
    minutes = logged.total("minutes")[(logged.arms == 0) & (logged.exposed <= 13)]
    assert run.sd[-1] == pytest.approx(minutes.std(ddof=1))
    assert (np.diff(run.exposed) >= 0).all()


@pytest.mark.parametrize("metric, grows", [("ctr", 2.0), ("relevance", 1.0)])
def test_the_spread_of_counts_follows_their_mean_and_that_of_stars_does_not(metric: str, grows: float) -> None:
    run = course(PLAN, log(1000, 0.0, 1), metric, "with")
    usual, fourfold = run.baseline(), run.baseline(times=4)
    assert usual
    assert fourfold
    assert fourfold.mean == pytest.approx(4 * usual.mean)
    assert fourfold.sd == pytest.approx(grows * usual.sd)


def test_a_metric_that_was_not_measured_has_no_baseline() -> None:
    logged = log(500, 0.0, 1, before=0)
    logged.sums["timed"][:] = 0
    assert course(PLAN, logged, "latency", "with").baseline() is None
    assert (course(PLAN, logged, "ctr", "with").saved[3:] == 0).all()  # nothing before, nothing saved
