"""Serving: one viewer and one moment in, explained rows out."""
