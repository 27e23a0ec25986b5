"""Statistics that know nothing of films."""
