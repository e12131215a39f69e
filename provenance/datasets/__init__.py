"""Datasets and models: named data, its partitions, and batches that never change."""
