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
    own = prefix.removeprefix("test_").replace("_", "-")
    try:
        import tinytorch

        imported = Path(tinytorch.__file__).resolve()
        if package not in imported.parents:
            print(f"{imported} was imported, not the copy in {package}: nothing was checked")
            return 2
        tests = _load(Path(test_file))
    except Exception:
        print(f"  your copy of the package does not import:\n{_explained(folder)}")
        return 1
    failed = 0
    for name, test in vars(tests).items():
        if name == prefix or name.startswith(f"{prefix}__"):
            try:
                test()
                print(f"  {name}: passed")
            except Exception as error:
                failed += 1
                print(f"  {name}: {_blank(error, own) or 'failed'}\n{_explained(folder)}")
    return 1 if failed else 0


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _blank(error: Exception, own: str) -> str:
    """What to say where nothing has been written yet; nothing for other errors."""
    name, _, words = str(error).removeprefix("exercise ").partition(": ")
    if not isinstance(error, NotImplementedError) or words != "this body is for you to write":
        return ""
    return words if name == own else f"it needs {name}, which is still blank"


def _explained(folder: str) -> str:
    """The error that is being handled: what it says, the test's line, and the last line in the learner's folder."""
    kind, error, trace = sys.exc_info()
    root = Path(folder).resolve()
    frames = [frame for frame in traceback.extract_tb(trace) if root in Path(frame.filename).parents]
    own = [frame for frame in frames if not frame.filename.endswith(("checking.py", "doctor.py"))]
    shown = [frame for frame in own[:-1] if "tests" in Path(frame.filename).parts][-1:] + own[-1:]
    lines = [f"{Path(folder) / Path(f.filename).relative_to(root)}:{f.lineno}: {f.line}" for f in shown]
    if isinstance(error, NotImplementedError) and str(error).startswith("exercise "):
        return f"    {lines[0]}"
    words = "".join(traceback.format_exception_only(kind, error)).strip().removeprefix("AssertionError: ").strip()
    in_backward = bool(own) and own[-1].name == "backward"
    advice = [advice for text, advice in _ADVICE.items() if in_backward and text in words]
    return "\n".join(f"    {line}" for line in [*lines, *words.splitlines(), *advice])


_ADVICE = {
    "NoneType": "(None stands for what was not saved, as no gradient needs it: see ctx.needs_input_grad)",
    "'numpy.ndarray' object has no attribute": "(this backward runs on bare arrays, too, so operators like + and * "
    "must do: see backward_on_arrays in autograd/primitive.py)",
}
"""What to add to errors in a learner's backward that look stranger than they are."""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
