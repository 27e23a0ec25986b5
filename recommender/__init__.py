"""Marquee: films recommended, explained and evaluated for real."""

__version__ = "0.1.0"
