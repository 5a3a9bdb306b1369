"""What an exercise is: plain data, and the source that it starts from."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

from tinytorch.learn import source

__all__ = ["Exercise", "Wrong"]


class Wrong(NamedTuple):
    """A mistake that learners make: part of the right source, what they write instead, and what the check says."""

    old: str
    new: str
    says: str


class Exercise(NamedTuple):
    """One exercise; the tables in :mod:`tinytorch.learn.exercises` are made of these.

    Attributes:
        name: ``"mul-backward"``; its checks are the functions ``test_mul_backward...`` of the chapter's test file.
        chapter: after which chapter it can be solved.
        kind: ``write`` the body; find the ``bug``; ``predict`` a result; ``new`` op from its tests; ``derive`` a fused
            backward; make it ``faster``.
        file: where the functions stand, relative to the package.
        functions: dotted names, separated by blanks.
        task: what to do, in a sentence or two.
        hints: three, each saying more.
        wrongs: mistakes that the check has to find; the first is the one planted if the kind is ``bug``.
        given: the body to start from, where it is neither blank nor a bug.
    """

    name: str
    chapter: int
    kind: str
    file: str
    functions: str
    task: str
    hints: tuple[str, str, str]
    wrongs: tuple[Wrong, ...]
    given: str = ""

    @property
    def tests(self) -> str:
        """How the names of its test functions begin."""
        return f"test_{self.name.replace('-', '_')}"

    def started(self, text: str) -> str:
        """The file's text as the learner gets it: blank, or with the bug, or with the slow body."""
        if self.kind == "bug":
            return self.mistaken(text, self.wrongs[0])
        return self.blank(text, self.given)

    def blank(self, text: str, body: str = "") -> str:
        """The file's text with blanks (or another body) for the exercise's functions."""
        task = textwrap.fill(f"Exercise {self.name}. {self.task}", 100, initial_indent="# ", subsequent_indent="# ")
        blank = f'{task}\nraise NotImplementedError("exercise {self.name}: this body is for you to write")'
        for name in self.functions.split():
            text = source.with_body(text, name, body or blank)
        return text

    def mistaken(self, text: str, wrong: Wrong) -> str:
        """The file's text with one of the mistakes made."""
        found = [name for name in self.functions.split() if wrong.old in source.body(text, name)]
        if not found:
            raise LookupError(f"{self.name}: {wrong.old!r} does not stand in {self.functions}")
        return source.with_body(text, found[0], source.body(text, found[0]).replace(wrong.old, wrong.new))

    def bodies(self, text: str) -> list[str]:
        """The bodies of its functions in a text."""
        return [source.body(text, name) for name in self.functions.split()]
