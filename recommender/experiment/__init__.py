"""Experiments: who gets what, what happened, and what may be concluded."""
