"""Marquee: films recommended, explained and evaluated for real."""

__version__ = "1.0.0"
