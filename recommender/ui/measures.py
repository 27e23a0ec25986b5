"""What the figures of a report mean, in words: metrics, protocols, segments, and what none of them can tell."""

from __future__ import annotations

import math
from typing import NamedTuple


class Measure(NamedTuple):
    """A metric on the screen. better: 1 where more is better, -1 where less is, 0 where it depends on what is wanted."""

    label: str
    says: str
    better: int = 1


MEASURES = {
    "NDCG": Measure("Ranking quality", "right films near the top of the list; 1 is the best order there can be"),
    "HR": Measure("Hit rate", "share of viewers who find a right film in the list"),
    "P": Measure("Precision", "share of the list that is right"),
    "R": Measure("Recall", "share of the right films that are in the list"),
    "MRR": Measure("First hit", "1 over the place of the first right film"),
    "MAP": Measure("Average precision", "precision at every right film, averaged"),
    "RMSE": Measure("Star error, squared", "root of the mean squared error, in stars", -1),
    "MAE": Measure("Star error", "how far off a predicted rating is on average, in stars", -1),
    "novelty": Measure("Novelty", "how rarely rated the films shown are, in bits", 0),
    "diversity": Measure("Diversity", "how little the genres of a list overlap; 1 is no overlap"),
    "coverage": Measure("Coverage", "share of the catalogue shown to anybody"),
    "popularity": Measure("Popularity", "mean number of raters of the films shown", 0),
    "gini": Measure("Concentration", "Gini coefficient of how often films are shown; 0 is all alike", -1),
    "calibration": Measure("Genre drift", "how far the genres of a list are from the viewer's own, in nats", -1),
    "serendipity": Measure("Serendipity", "share of the list that is right and that popularity would not have shown"),
    "IPS-R": Measure("Recall, exposure-corrected", "recall in which rarely rated films weigh more"),
    "IPS-NDCG": Measure("Ranking quality, exposure-corrected", "NDCG in which rarely rated films weigh more"),
    "own-hits NDCG": Measure("NDCG over own hits: a known mistake", "its ideal is made of the list's own hits; shown to explain a copied table"),
}


def measure(name: str) -> Measure:
    return MEASURES.get(name, Measure(name, "as its report defines it"))


def titled(metric: str, k: int | None) -> str:
    """'NDCG@10'."""
    return metric if k is None else f"{metric}@{k}"


class Test(NamedTuple):
    """A protocol for people: its short name, its question, how it asks, the figure that stands for it, and its own limits."""

    short: str
    question: str
    how: str
    metric: str
    k: int | None
    limits: tuple[str, ...]


TESTS = {
    "P1": Test(
        "Next film",
        "Which film comes next?",
        "Everything a viewer rated is known but the last film, which has to be found among all films.",
        "HR",
        10,
        (
            "It leaks the future: what others rated later than the film in question is in the training data. The cut in time (P4) has no such leak.",
            "Many ratings carry the same second. Which of them is “the last” is a convention: compare “stable order” with “ties shuffled”.",
        ),
    ),
    "P2": Test(
        "Hidden fifth",
        "Which films did they rate besides?",
        "A random fifth of each viewer’s ratings is hidden and has to be found among all films.",
        "P",
        10,
        (
            "The hidden fifth is drawn at random from all times, so models see what was rated afterwards. It asks for completion, not for foresight.",
            "Every rating counts as right, one star as well as five: it measures what gets rated, not what pleases.",
            "The blend of EASE and user neighbours, the Transformer that fills gaps and their mixture use the order and times of the known ratings, "
            "which EASE and SLIM do not.",
        ),
    ),
    "P3": Test(
        "Stars",
        "How many stars will they give?",
        "Ratings hidden at random have to be predicted to the star.",
        "RMSE",
        None,
        (
            "It is measured on films that people chose to rate. Films nobody chose are not in it, so a small error here does not make a good list.",
            "People do not repeat themselves exactly: part of the error belongs to the ratings and no model can remove it.",
            "The Bayesian models use the second of each rating, and what the viewer rated just before and after it. A random split allows that; "
            "a live service cannot know it.",
        ),
    ),
    "P4": Test(
        "After today",
        "What will they rate after today?",
        "No model is trained on anything later than one moment; what came after it has to be found.",
        "NDCG",
        10,
        (
            "Few viewers rated on both sides of the cut, so intervals are wide, and those who did are not like the rest.",
            "“last” and “successive” tell a model the viewer’s own later ratings, up to the film in question; “all” tells it none. "
            "“successive” asks 25 films of a viewer at most, drawn at random.",
            "One cut is one moment. Most ratings of MovieLens 1M fall into a few months of 2000.",
        ),
    ),
}

LIMITS = (
    "MovieLens logs when people rated on a website, not when they watched. Sittings of fifty films in half an hour are memory, not evenings.",
    "Ratings are missing not at random: people rate what they chose to watch. A film never shown has no chance to be right.",
    "A lift measured on a log is no causal effect. Whether people watch more or like it better takes an experiment with people.",
    "Intervals cover the luck of who was asked. They do not cover another data set, another year or another country.",
    "The device was never recorded. Whatever depends on it here is simulated and says so.",
    "Of many models the best looks a little better than it is; that is why p-values are corrected for all of them (Holm).",
)

_DIMENSIONS = {
    "history": "By ratings known",
    "popularity": "By popularity of the right film",
    "gender": "By gender",
    "age": "By age",
    "users": "Warm and cold",
}
_GROUPS = {
    "history=new": "New viewers", "history=moderate": "Moderate viewers", "history=power": "Power viewers",
    "popularity=head": "Popular films", "popularity=middle": "Middling films", "popularity=tail": "Rare films",
    "gender=F": "Women", "gender=M": "Men", "users=warm": "Warm viewers", "users=cold": "Cold viewers", "unit=event": "Every question alike",
}  # fmt: skip
_ORDER = {"new": 0, "moderate": 1, "power": 2, "head": 0, "middle": 1, "tail": 2, "warm": 0, "cold": 1}


def dimension(name: str) -> str:
    return _DIMENSIONS.get(name, f"By {name}")


def group(segment: str | None) -> str:
    """A segment for people: 'New viewers', 'Age 18-24'."""
    if segment is None:
        return "All viewers"
    name, _, value = segment.partition("=")
    return _GROUPS.get(segment, f"{name.capitalize()} {value}".replace("-", "–"))


def place(segment: str) -> tuple[int, float, str]:
    """Where a segment stands among those of its dimension: new before power, by number where there is one."""
    value = segment.partition("=")[2]
    digits = "".join(c if c.isdigit() else " " for c in value).split()
    return _ORDER.get(value, 9), -1.0 if value.lower().startswith("under") else float(digits[0]) if digits else math.inf, value


def number(x: float, digits: int = 3) -> str:
    """.401 for shares, 1.69 for stars, 1,543 for counts."""
    if not math.isfinite(x):
        return "–"
    if abs(x) >= 100:
        return f"{x:,.0f}"
    text = f"{x:.{digits if abs(x) < 10 else 1}f}"
    return text.replace("0.", ".", 1).replace("-", "−") if abs(x) < 1 and text.lstrip("-").startswith("0.") else text.replace("-", "−")


def ranged(lo: float, hi: float) -> str:
    """An interval: '.440 to .460', '–' where there is none."""
    return "–" if math.isnan(lo) else f"{number(lo)} to {number(hi)}"


def signed(x: float, digits: int = 3) -> str:
    """+.012, −.012, and .000 without a sign for what rounds to zero."""
    if round(x, digits) == 0:
        return number(0.0, digits)
    return ("+" if x > 0 else "") + number(x, digits)


def chance_of(p: float) -> str:
    """A p-value: 'p < .001', 'p = .04'."""
    return "p < .001" if p < 0.001 else f"p = {number(p, 3 if p < 0.1 else 2)}"
