"""Fitting on many machines: Apache Spark sums what the models learn from, and writes the artifacts that the app loads."""
