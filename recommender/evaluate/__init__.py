"""Offline evaluation: splits, metrics per user, and reports."""
