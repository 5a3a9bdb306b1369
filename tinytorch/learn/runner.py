"""Runs the tests of one exercise on the learner's copy, in a process of its own.

``python runner.py FOLDER TEST_FILE PREFIX``: imports the package from ``FOLDER/src`` and nowhere else, then the test
file, and runs its functions whose names begin with ``PREFIX``. Exit status 0: all passed.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any


def main(folder: str, test_file: str, prefix: str) -> int:
    """Run the tests; returns the exit status."""
    package = Path(folder).resolve() / "src"
    sys.path[0] = str(package)  # instead of this file's own folder
    try:
        import tinytorch

        imported = Path(tinytorch.__file__).resolve()
        if package not in imported.parents:
            print(f"{imported} was imported, not the copy in {package}: nothing was checked")
            return 2
        tests = _load(Path(test_file))
    except Exception:
        print(f"your copy of the package does not import:\n{_explained(package)}")
        return 1
    failed = 0
    for name, test in vars(tests).items():
        if name == prefix or name.startswith(f"{prefix}__"):
            try:
                test()
                print(f"  {name}: passed")
            except Exception:
                failed += 1
                print(f"  {name}: failed\n{_explained(package)}")
    return 1 if failed else 0


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _explained(package: Path) -> str:
    """The error that is being handled: what it says, the test's line, and the last line in the learner's folder."""
    kind, error, trace = sys.exc_info()
    frames = [frame for frame in traceback.extract_tb(trace) if package.parent in Path(frame.filename).parents]
    own = [frame for frame in frames if not frame.filename.endswith(("checking.py", "doctor.py"))]
    shown = [frame for frame in own[:-1] if "tests" in Path(frame.filename).parts][-1:] + own[-1:]
    lines = [f"    {Path(f.filename).relative_to(package.parent)}:{f.lineno}: {f.line}" for f in shown]
    words = "".join(traceback.format_exception_only(kind, error)).strip()
    return "\n".join([*lines, *(f"    {line}" for line in words.removeprefix("AssertionError: ").strip().splitlines())])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
