"""What the house is made of, read from cards and reports: model cards, lineage, limits. Knows nothing of screens."""
