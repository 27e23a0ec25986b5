"""The parameters of the click world, in one place: chosen before any lift was looked at, and not changed after.

Taste, stars and exposure were set so that the histories are like those of MovieLens-1M: stars have mean 3.6 and spread 1.1, viewers' means a spread
of 0.4 to 0.5, the commonest genre of forty films holds about 0.55 of them, and half of what was watched has 650 raters or more. Clicks were set so
that a list of the most popular films gets about one click for sixteen films shown. All else is a guess, and says so by being here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

# Log-odds, at dose 1, that a genre is wanted at that time of day. Made up; no model was taught it. As large as DEVICE_RULE of recommender/world.py.
TIME_RULE: dict[str, dict[str, float]] = {
    "morning": {"Children's": 0.8, "Animation": 0.6, "Documentary": 0.4, "Thriller": -0.4, "Horror": -0.8},
    "afternoon": {"Adventure": 0.4, "Comedy": 0.4},
    "evening": {"Drama": 0.4, "Romance": 0.4},
    "night": {"Horror": 0.8, "Thriller": 0.6, "Sci-Fi": 0.4, "Children's": -0.8},
}
TIME_SHARE = (0.12, 0.22, 0.38, 0.28)  # of all visits: morning, afternoon, evening, night
DEVICE_SHARE = (  # of the visits at that time of day: mobile, tablet, desktop, tv
    (0.50, 0.15, 0.25, 0.10),
    (0.35, 0.15, 0.30, 0.20),
    (0.15, 0.12, 0.15, 0.58),
    (0.25, 0.15, 0.20, 0.40),
)
MINUTES_THERE = ((-30, 0, 15, -15), (60, 90, 110, 150))  # by time of day and by device, added: minutes that there usually are


def _is(value: Any, about: str) -> Any:
    return field(default=value, metadata={"about": about})


@dataclass(frozen=True)
class Truth:
    """What is true of all viewers. Stars are the unit of liking; log-odds that of chances."""

    # taste
    ideals: tuple[float, ...] = _is((0.4, 0.4, 0.2), "shares of viewers with one, two and three ideal points")
    near: float = _is(0.1, "spread of an ideal point about the real film it is near, in each coordinate of the film space")
    width: float = _is(0.8, "median width of a viewer's taste, in the film space (two films without a common genre are 1.4 apart)")
    width_spread: float = _is(0.25, "spread of the logarithm of that width over viewers")
    year_scale: float = _is(20.0, "years that count as 1 in the film space")
    minutes_scale: float = _is(40.0, "minutes of running time that count as 1 in the film space")
    fame_scale: float = _is(0.3, "length in the film space of one spread of log raters")
    stars_scale: float = _is(0.3, "length in the film space of one spread of mean stars")
    taste: float = _is(3.0, "stars between a film at an ideal point and one far from all")
    neutral: float = _is(0.3, "height of a taste's peak at which it neither adds nor takes stars")
    quality: float = _is(1.0, "stars of liking for a star of the film's mean above the mean of all")
    prior: float = _is(20.0, "raters by which a film's mean is shrunken")
    own: float = _is(0.7, "spread of what one viewer feels about one film and no model can know, stars")
    # stars
    average: float = _is(2.85, "stars an average viewer gives an average film on which their taste is neutral")
    leniency: float = _is(0.4, "spread over viewers of the stars they give on top")
    noise: float = _is(0.6, "spread of stars given twice by the same viewer to the same film (Amatriain, Pujol & Oliver, UMAP 2009)")
    rates_finished: float = _is(0.6, "chance to rate a film that was seen to its end")
    rates_left: float = _is(0.3, "chance to rate a film that was given up")
    # context
    unmoved: float = _is(0.3, "share of viewers whom context does not move at all")
    response_shape: float = _is(4.0, "shape of the Gamma distribution, with mean 1, of how far context moves the others")
    pressure: float = _is(0.8, "log-odds lost at dose 1, of a click and of seeing the end, for each hour that a film is longer than there is time")
    habit: float = _is(2.5, "how evenly a viewer's visits spread over times and devices (concentration of the Dirichlet distribution)")
    # visits and clicks
    rate: tuple[float, float] = _is((1.2, 3.0), "parameters of the Beta distribution of a viewer's chance of a visit on a working day")
    weekend: float = _is(1.3, "how many times as likely a visit is on Saturday and Sunday")
    patience: tuple[float, ...] = _is((0.82, 0.86, 0.88, 0.9), "chance to look at the next film too, on mobile, tablet, desktop, tv")
    click: float = _is(-2.3, "log-odds of a click on an average film that is looked at")
    click_liking: float = _is(1.0, "log-odds of a click for a star of liking; what is perceived of it wrongly is the logistic noise")
    click_fame: float = _is(0.3, "log-odds of a click for a spread of log raters")
    eagerness: float = _is(0.5, "spread over viewers of the log-odds of a click")
    satisfied: float = _is(0.0, "log-odds of seeing an average film to its end once clicked, and stopping the search")
    satisfied_liking: float = _is(1.0, "the same for a star of liking")
    gives_up: tuple[float, float] = _is((1.0, 4.0), "parameters of the Beta distribution of the share seen of a film that is given up")
    hide: float = _is(0.03, "chance that a film that is looked at and much disliked is hidden")
    disliked: float = _is(-0.5, "stars of liking at which half of that chance is left")
    hide_sharp: float = _is(2.0, "how fast it falls with liking, log-odds a star")
    # before
    history: float = _is(35.0, "median number of films a viewer had watched before")
    history_spread: float = _is(0.7, "spread of its logarithm over viewers")
    history_range: tuple[int, int] = _is((10, 150), "least and most films of a history")
    exposure: float = _is(0.85, "how far fame decided what was watched before: power of the number of raters")
    exposure_liking: float = _is(1.5, "how far liking decided it: log-odds a star")

    def described(self) -> list[tuple[str, Any, str]]:
        """(name, value, what it means) of each."""
        return [(f.name, getattr(self, f.name), f.metadata["about"]) for f in fields(self)]
