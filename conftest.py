"""The package is imported as a whole before pytest collects doctests from its files, so that none is loaded twice."""

import tinytorch
