"""The course's table of contents."""

from pathlib import Path

from tinytorch.learn.chapters import CHAPTERS

ROOT = Path(__file__).parents[2]


def test_numbers_count_up():
    assert [chapter.number for chapter in CHAPTERS] == list(range(len(CHAPTERS)))


def test_files_exist_and_belong_to_one_chapter():
    modules = [module for chapter in CHAPTERS for module in chapter.modules]
    assert len(modules) == len(set(modules))
    for path in modules + [test for chapter in CHAPTERS for test in chapter.tests]:
        assert (ROOT / path).is_file(), path
