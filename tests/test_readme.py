"""What the README shows is what happens."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if ">>>" in block]


def test_the_examples_print_what_they_say():
    assert len(BLOCKS) >= 3
    test = doctest.DocTestParser().get_doctest("\n".join(BLOCKS), {}, "README.md", "README.md", 0)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test)
    assert runner.failures == 0 and runner.tries >= 10


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:examples|tests|tinytorch)/[\w/.]+\.(?:py|md)", README))))
def test_the_files_it_names_exist(path):
    assert (ROOT / path).exists()
