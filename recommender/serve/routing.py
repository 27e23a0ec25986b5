"""Which way a viewer is served, by how much is known of them."""

from __future__ import annotations

from recommender.models.hybrid import PARTS, Hybrid
from recommender.models.moment import LIKES
from recommender.serve.phrases import PART_NAMES
from recommender.settings import Settings
from recommender.types import Query, Recommender, Strategy, Way, simulated_in


def way(n: int, models: dict[str, Recommender], settings: Settings) -> Way:
    """The route of a viewer who has rated n films: popular below `few_ratings`, balanced below `many_ratings`, collaborative from there on;
    popular if the hybrid did not load."""
    if (n < settings.few_ratings and ("popularity" in models or not n)) or not isinstance(models.get("hybrid"), Hybrid):
        return "popular"
    return "balanced" if n < settings.many_ratings else "collaborative"


def silence(model: str, name: str) -> str:
    """Why a model makes no list for a viewer of this name."""
    return f"“{PART_NAMES[model]}” tells no film from another for {name}: too little is known. It makes no list."


def route(query: Query, n: int, models: dict[str, Recommender], settings: Settings) -> Strategy:
    """The way of a viewer who has rated n films, of which the query may use some or all, with its reason and the shares of the gate."""
    few, many = settings.few_ratings, settings.many_ratings
    rated = f"you have rated {n} film{'' if n == 1 else 's'}" if n else "you have rated nothing yet"
    hybrid, chosen_way = models.get("hybrid"), way(n, models, settings)
    simulated = simulated_in(query.context, hybrid)
    if chosen_way == "popular" or not isinstance(hybrid, Hybrid):
        chosen = f", those of the genres you asked for ({', '.join(query.profile.genres)})" if query.profile.genres else ""
        reason = f"{rated} (fewer than {few})" if n < few else "the hybrid model did not load"
        shares = {"popularity": 1.0}
        if "ease" in models and isinstance(hybrid, Hybrid) and query.profile.weights.any():
            chosen += ", moved a little by what you said of films"
            shares = {"popularity": 1 / (1 + LIKES), "ease": LIKES / (1 + LIKES)}
        return Strategy("popular", f"Popular films first{chosen}, hardly personal yet, because {reason}.", shares, simulated)
    weights = dict(zip(PARTS, (float(w) for w in hybrid.weights([query])[0])))
    if chosen_way == "balanced":
        why = f"All films, ranked by a blend of three models, because {rated} (fewer than {many})."
        return Strategy("balanced", why, weights, simulated)
    what = "Films that people with your history watched, ranked by a blend of three models and mixed a little by genre"
    why = f"{what}, because {rated} ({many} or more)."
    return Strategy("collaborative", why, weights, simulated)
