"""test_coverage.py looks at what all other tests here have compared, so it runs last and knows whether they ran.

(``tests/conftest.py`` gives all of them to the same process.)
"""

from __future__ import annotations

from pathlib import Path

import pytest

deselected: list[pytest.Item] = []


def pytest_deselected(items: list[pytest.Item]) -> None:
    deselected.extend(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == "test_coverage.py")


@pytest.fixture(scope="session")
def everything_ran(request: pytest.FixtureRequest) -> None:
    """Skips when only a part of tests/ops runs in this process: then what is missing says nothing."""
    collected = {item.path for item in request.session.items}
    missing = [path.name for path in Path(__file__).parent.glob("test_*.py") if path not in collected]
    if missing or deselected:
        pytest.skip(f"needs a run of all of tests/ops; not run: {missing or 'deselected tests'}")
