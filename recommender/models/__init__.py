"""All models. MODELS is the only list of them: name -> a factory with the chosen hyper-parameters.

BESIDE: what is trained with them and ranks nothing.
"""

from collections.abc import Callable

from recommender.models.atlas import Atlas
from recommender.models.content import Content, Encoder
from recommender.models.factors import ALS, PureSVD
from recommender.models.hybrid import Hybrid
from recommender.models.neighbours import EASE, Communities, ItemKNN, UserKNN
from recommender.models.popularity import Popularity
from recommender.models.ratings import Ratings
from recommender.models.sequence import Sequence
from recommender.types import Recommender


def _sequence() -> Sequence:
    knows = ("time_of_day", "device", "stars")
    return Sequence(knows=knows, rate=2e-3, epochs=30, patience=30, average=0.995, cosine=True, thinned=0.5)


MODELS: dict[str, Callable[[], Recommender]] = {
    "popularity": Popularity,
    "item_knn": ItemKNN,
    "user_knn": UserKNN,
    "communities": Communities,
    "ease": EASE,
    "pure_svd": PureSVD,
    "als": ALS,
    "ratings": Ratings,
    "content": Content,
    "encoder": Encoder,
    "sequence": _sequence,
    "hybrid": lambda: Hybrid(picked=0.8),
}

BESIDE: dict[str, Callable[[], Atlas]] = {"atlas": Atlas}
