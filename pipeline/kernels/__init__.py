"""Kernels: where the cells of a template are executed."""
