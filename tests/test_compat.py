"""The list of PyTorch's names, the compatibility page made of it, and what the error for a missing name says."""

import subprocess
import sys
from pathlib import Path

import pytest

import tinytorch
from tinytorch.compat import NAMESPACES, coverage, find, names_of, pytorch_names
from tinytorch.compat.__main__ import page as write_page


def test_the_list_is_that_of_the_installed_pytorch():
    assert pytorch_names() == {namespace: tuple(names_of(namespace)) for namespace in NAMESPACES}


def test_coverage_counts_what_is_there():
    for found in coverage():
        here = find(found.namespace.replace("torch", "tinytorch", 1))
        assert all(hasattr(here, name) for name in found.present)
        assert not any(hasattr(here, name) for name in found.missing)
        assert len(found.present) + len(found.missing) == len(pytorch_names()[found.namespace])


def test_the_page_needs_no_pytorch():
    program = (
        "import sys; sys.modules['torch'] = None\nfrom tinytorch.compat.__main__ import page\nprint(page(), end='')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert all(f"| `{namespace}` |" in done.stdout for namespace in NAMESPACES)


@pytest.mark.parametrize(
    ("module", "name", "text"),
    [
        (tinytorch, "matmull", "nearest name there is: 'matmul'"),
        (tinytorch, "sparse_csr_tensor", "PyTorch has it, tinytorch does not"),
        (tinytorch.nn, "Linaer", "nearest name there is: 'Linear'"),
        (tinytorch.optim, "Adan", "nearest name there is: 'Adam'"),
        (tinytorch.nn.utils, "clip_grad_normm", "nearest name there is: 'clip_grad_norm"),
        (tinytorch.nn.functional, "reluu", "nearest name there is: 'relu"),
        (tinytorch.linalg, "invv", "nearest name there is: 'inv"),
    ],
)
def test_a_missing_name_is_an_attribute_error_that_helps(module, name, text):
    assert getattr(module, name, None) is None
    with pytest.raises(AttributeError, match=text):
        getattr(module, name)


def test_a_missing_name_cannot_be_imported():
    with pytest.raises(ImportError):
        exec("from tinytorch.nn import NoSuchLayer")


def test_the_page_in_the_repository_is_the_one_that_would_be_written():
    page = Path(__file__).resolve().parents[1] / "COMPATIBILITY.md"
    assert page.read_text(encoding="utf-8") == write_page(), "python -m tinytorch.compat > COMPATIBILITY.md"
