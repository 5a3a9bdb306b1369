"""Long checks that are run by hand; see tests/README.md. Short versions of them are tests of the suite."""
