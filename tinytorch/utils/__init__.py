"""Helpers around the tensors: loading data."""
