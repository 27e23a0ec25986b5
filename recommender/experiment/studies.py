"""Studies of how experiments work: name -> what makes its report, told lines of progress through say."""

from __future__ import annotations

from collections.abc import Callable

from recommender.evaluate.report import Report
from recommender.experiment import study_aa, study_bandit, study_calibration, study_doses, study_interleaving, study_offpolicy

STUDIES: dict[str, Callable[[Callable[[str], object]], Report]] = {
    "aa": study_aa.aa,
    "calibration": study_calibration.calibration,
    "doses": study_doses.doses,
    "interleaving": study_interleaving.interleaving,
    "off-policy": study_offpolicy.off_policy,
    "bandit": study_bandit.bandit,
}
