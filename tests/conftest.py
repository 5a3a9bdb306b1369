"""What pytest leaves alone, and how it shares the tests out among processes. PyTorch is made quicker for all of them."""

from __future__ import annotations

from typing import Any

import pytest

#: Programs that tests run themselves, and timings.
collect_ignore_glob = ["scripts/*", "benchmarks/*"]


def pytest_collectstart() -> None:
    import tests.quicker_pytorch  # not needed, and so not loaded, in the process that only shares the tests out


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """``pytest -n 2``: large pieces first, so that both processes end at the same time.

    A piece is a test function with all its parameters, and all of ``tests/ops``: its ``test_coverage.py`` asks what the others
    have compared. (``--dist loadgroup`` is meant for that, but pytest-xdist 3.8 cannot mark tests for pytest 9.2; what is
    overridden here is what xdist's own schedulers override.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class Pieces(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/ops" if nodeid.startswith("tests/ops/") else nodeid.partition("[")[0]

    return Pieces(config, log)
