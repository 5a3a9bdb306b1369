"""The package is imported as a whole before pytest collects doctests from its files, so that none is loaded twice.

What pytest collects stays until the end: Python's garbage collector does not look through it, neither meanwhile nor
later. So the tests that collect garbage, to count what is left, are quick.
"""

import gc

import tinytorch

gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()
