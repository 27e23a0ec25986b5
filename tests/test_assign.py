"""The same viewer always gets the same; arms are as large as planned; one experiment says nothing about another."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, chi2, chisquare, kstest

from recommender.experiment.assign import arm_of, arms_of, bucket
from recommender.experiment.log import UNASSIGNED
from recommender.experiment.plan import Arm, Plan

VIEWERS = [f"sim-{n}" for n in range(20_000)]


def planned(*shares: float, holdout: float = 0.0, name: str = "moment") -> Plan:
    return Plan(name, "x", tuple(Arm(f"arm-{n}", "ease", share=share) for n, share in enumerate(shares)), holdout=holdout)


def test_a_bucket_is_for_good() -> None:
    """Written down once: other numbers would deal everybody out anew."""
    given = {
        ("vera", "marquee/moment"): 0.1686873475758799,
        ("sim-0", "marquee/moment"): 0.7474945414813192,
        ("vera", "marquee/other"): 0.8899096530171957,
        ("Zoë", ""): 0.5649706296766513,
    }
    assert {pair: bucket(*pair) for pair in given} == given


def test_a_bucket_is_the_keyed_hash_that_it_says() -> None:
    key = hashlib.blake2b(b"salt").digest()
    first = hashlib.blake2b(b"vera", digest_size=8, key=key).hexdigest()[:13]  # 52 of the 53 bits
    assert bucket("vera", "salt") == pytest.approx(int(first, 16) / 16**13, abs=2**-52)


def test_buckets_are_uniform() -> None:
    places = np.array([bucket(viewer, "salt") for viewer in VIEWERS])
    assert places.min() >= 0
    assert places.max() < 1
    assert kstest(places, "uniform").pvalue > 0.001


def test_one_by_one_is_all_at_once() -> None:
    plan = planned(0.2, 0.3, 0.1, holdout=0.4)
    codes = arms_of(plan, VIEWERS[:200])
    assert [arm_of(plan, viewer) for viewer in VIEWERS[:200]] == [None if code == UNASSIGNED else plan.arms[code] for code in codes]
    assert arms_of(plan, []).tolist() == []
    assert set(codes.tolist()) == {UNASSIGNED, 0, 1, 2}


@pytest.mark.parametrize(
    "shares, holdout",
    [((0.5, 0.5), 0), ((0.9, 0.1), 0), ((0.25, 0.25), 0.5), ((0.4, 0.4), 0.2), ((1 / 3, 1 / 3, 1 / 3), 0), ((0.7, 0.1, 0.1, 0.05), 0.05)],
)
def test_arms_are_as_large_as_planned(shares: tuple[float, ...], holdout: float) -> None:
    """Over 100 experiments, p of chi-squared is below 5% in about 5%, and over all viewers together the shares are those planned."""
    ps, total = [], np.zeros(len(shares) + 1)
    for n in range(100):
        codes = arms_of(planned(*shares, holdout=holdout, name=f"e{n}"), VIEWERS[:2000])
        counts = np.bincount(np.where(codes == UNASSIGNED, len(shares), codes), minlength=len(shares) + 1)
        total += counts
        wanted = np.array([*shares, holdout])
        ps.append(chisquare(counts[wanted > 0], 2000 * wanted[wanted > 0]).pvalue)
        assert counts[wanted == 0].sum() == 0
    assert binomtest(int(np.sum(np.array(ps) < 0.05)), 100, 0.05).pvalue > 0.001
    assert chisquare(total[wanted > 0], 200_000 * wanted[wanted > 0]).pvalue > 0.001


def test_experiments_are_independent() -> None:
    """Of 300 pairs of experiments the tables arm by arm look dependent in 5%, and the statistics sum to what chi-squared says."""
    codes = [arms_of(planned(0.5, 0.5, name=f"e{n}"), VIEWERS[:2000]) for n in range(25)]
    statistics = []
    for a in range(25):
        for b in range(a):
            table = np.bincount(2 * codes[a] + codes[b], minlength=4).reshape(2, 2)
            expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
            statistics.append(((table - expected) ** 2 / expected).sum())
    assert len(statistics) == 300
    alarms = int((np.array(statistics) > chi2.ppf(0.95, 1)).sum())
    assert binomtest(alarms, 300, 0.05).pvalue > 0.001
    assert 0.001 < chi2.cdf(np.sum(statistics), 300) < 0.999


@pytest.mark.parametrize("proportions", [(0.5, 0.5), (0.8, 0.2), (0.2, 0.3, 0.5)])
def test_a_smaller_holdout_moves_nobody_out_of_an_arm(proportions: tuple[float, ...]) -> None:
    before = np.full(len(VIEWERS), UNASSIGNED)
    for holdout in (0.9, 0.6, 0.35, 0.1, 0.0):
        shares = [p * (1 - holdout) for p in proportions]
        now = arms_of(planned(*shares, holdout=holdout), VIEWERS)
        moved = (before != now) & (before != UNASSIGNED)
        assert not moved.any()
        assert (now != UNASSIGNED).sum() > (before != UNASSIGNED).sum()
        before = now
    assert (before != UNASSIGNED).all()


def test_other_fields_of_the_plan_deal_nobody_out_anew() -> None:
    plan = planned(0.5, 0.5)
    other = replace(plan, hypothesis="y", days=3, arms=tuple(replace(arm, name=f"{arm.name}-2", model="als") for arm in plan.arms))
    assert (arms_of(plan, VIEWERS[:500]) == arms_of(other, VIEWERS[:500])).all()
    assert (arms_of(plan, VIEWERS[:500]) != arms_of(replace(plan, name="other"), VIEWERS[:500])).any()
