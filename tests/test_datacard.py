"""The data card, on a set small enough to count by hand."""

import numpy as np
import pytest

from recommender.catalog import Catalog
from recommender.datacard import data_card
from recommender.interactions import Interactions

HOUR = 3600


def films(n: int) -> Catalog:
    none, zero, titles = ((),) * n, np.zeros(n, int), tuple(f"Film {i}" for i in range(n))
    return Catalog(np.arange(n) + 1, titles, zero, np.zeros((n, 0), bool), (), none, none, ("",) * n, zero * np.nan, zero, zero)


def test_by_hand() -> None:
    # user 0 pauses 7 hours, user 1 exactly 6, user 2 rates once, user 3 never
    users = np.array([0, 0, 0, 1, 1, 2])
    times = np.array([0, 1, 7 * HOUR + 1, 50, 50 + 6 * HOUR, 20 * HOUR])
    items = np.array([0, 1, 2, 0, 3, 0])
    stars = np.array([1, 2, 3, 4, 5, 0.5])
    parts = np.array([0, 0, 3, -1, 1, -1])
    x = Interactions(users, items, stars, times, n_users=4, n_items=6, times_of_day=parts)
    card = data_card(films(6), x)
    assert (card.films, card.rated_films, card.users, card.ratings) == (6, 4, 3, 6)
    assert card.density == pytest.approx(6 / 12)
    assert card.mean_stars == pytest.approx(15.5 / 6)
    assert card.ratings_per_user == (1, 2, 3)
    assert card.top_share == pytest.approx(3 / 6)  # a fifth of 4 films is at least one: film 0 with 3 raters
    assert card.few_raters == 4
    assert (card.first, card.last) == (0, 20 * HOUR)
    assert card.one_sitting == pytest.approx(2 / 3)
    assert card.local_time_known == pytest.approx(4 / 6)
    assert card.times_of_day == {"morning": 0.5, "afternoon": 0.25, "evening": 0, "night": 0.25}
    text = card.as_text()
    assert "50.00% of the cells" in text
    assert "66.7% of the users never paused for more than 6 hours" in text
    assert "1970-01-01 to 1970-01-01" in text


def test_nothing_known_of_time_is_said_so() -> None:
    x = Interactions(np.array([0]), np.array([0]), np.array([3.0]), np.array([9]), 1, 1)
    text = data_card(films(1), x).as_text()
    assert "known for 0.0% of the ratings" in text
    assert "morning" not in text


def test_no_ratings() -> None:
    none = np.empty(0, int)
    with pytest.raises(ValueError, match="ratings has 0 rows, wanted at least 1"):
        data_card(films(1), Interactions(none, none, none, none, 0, 1))
