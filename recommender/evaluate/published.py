"""Figures others have published on MovieLens 1M: reference marks for charts, each with its source and its protocol."""

from __future__ import annotations

from typing import NamedTuple

PUBLISHED_ON = "ml-1m"  # the data set of every figure in this file


class Published(NamedTuple):
    """A figure out of a paper or a program's own tables."""

    protocol: str
    variant: str | None
    label: str
    metric: str
    k: int | None
    value: float
    uses_time: bool
    source: str


PUBLISHED = (
    Published("P1", None, "LRURec", "NDCG", 10, 0.1930, False, "Yue et al., WSDM 2024"),
    Published("P1", None, "LRURec", "HR", 10, 0.3264, False, "Yue et al., WSDM 2024"),
    Published("P1", None, "SASRec, full cross-entropy", "NDCG", 10, 0.1858, False, "Klenitskiy & Vasilev, RecSys 2023"),
    Published("P1", None, "SASRec, full cross-entropy", "HR", 10, 0.3207, False, "Klenitskiy & Vasilev, RecSys 2023"),
    Published("P1", None, "HSTU-large with request time", "NDCG", 10, 0.2164, True, "RecTools benchmark"),
    Published("P1", None, "HSTU-large with request time", "HR", 10, 0.3642, True, "RecTools benchmark"),
    Published("P2", None, "EASE", "P", 10, 0.386, False, "Ferrari Dacrema et al., TOIS 2021"),
    Published("P2", None, "EASE", "R", 10, 0.182, False, "Ferrari Dacrema et al., TOIS 2021"),
    Published("P2", None, "SLIM", "P", 10, 0.381, False, "Ferrari Dacrema et al., TOIS 2021"),
    Published("P2", None, "SLIM", "R", 10, 0.177, False, "Ferrari Dacrema et al., TOIS 2021"),
    Published("P2", None, "ItemKNN", "P", 10, 0.345, False, "Ferrari Dacrema et al., TOIS 2021"),
    Published("P2", None, "ItemKNN", "R", 10, 0.159, False, "Ferrari Dacrema et al., TOIS 2021"),
    Published("P3", "90/10", "myFM, ordered probit", "RMSE", None, 0.8140, True, "myFM documentation, one fold"),
    Published("P3", "90/10", "kernelNet", "RMSE", None, 0.823, False, "Muller et al., ICML 2018"),
    Published("P3", "90/10", "GLocal-K (epoch chosen on test)", "RMSE", None, 0.8227, False, "Han et al., CIKM 2021"),
    Published("P4", "last", "SASRec+", "NDCG", 10, 0.0948, False, "Gusak et al., RecSys 2025"),
    Published("P4", "successive", "SASRec+", "NDCG", 10, 0.114, False, "Gusak et al., RecSys 2025"),
    Published("P4", "all", "SASRec+", "NDCG", 10, 0.182, False, "Gusak et al., RecSys 2025"),
)

# A widely copied table without a protocol: what its rows claim for NDCG@10, P@10, R@10 and RMSE.
COPIED = (
    ("collaborative", 0.6245, 0.3102, 0.1523, 0.8932),
    ("content", 0.5783, 0.2798, 0.1341, 0.9245),
    ("sequential", 0.6103, 0.3045, 0.1487, 0.9067),
    ("hybrid", 0.6587, 0.3312, 0.1645, 0.8705),
    ("hybrid with context", 0.6891, 0.3498, 0.1732, 0.8512),
)
# With that precision and recall, and the test-set sizes of ML-1M cut 80/20, no ranking has a higher standard NDCG@10.
COPIED_CEILING = 0.531
