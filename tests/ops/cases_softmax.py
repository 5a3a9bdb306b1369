"""Cases: the losses on top of softmax."""

from __future__ import annotations

from typing import Any

from tests.ops.cases import Case, fixed, positive, real
from tests.ops.functional import functional

FEW = ("rows",)
CLASSES, SOME = fixed("int64", [2, 0, 3, 2, 1]), fixed("int64", [2, -100, 3, -100, 1])
IMAGE = fixed("int64", [[[0, 1], [2, 2]], [[3, 0], [-100, 1]]])
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"reduction": "sum"},
    {"reduction": "none"},
    {"ignore_index": 2},
    {"size_average": False},
)
SMOOTH: tuple[dict[str, Any], ...] = tuple({**o, "label_smoothing": 0.2} for o in OPTIONS)


def _both(options: dict[str, Any]) -> list[Case]:
    def cross(T: Any, x: Any, *rest: Any) -> Any:
        return functional(T).cross_entropy(x, *rest, **options)

    def nll(T: Any, x: Any, *rest: Any) -> Any:
        return functional(T).nll_loss(x, *rest, **options)

    cases = []
    for name, f in (("cross_entropy", cross), ("nll_loss", nll)):
        if name == "nll_loss" and "label_smoothing" in options:
            continue
        cases.append(Case(f"{name} {options}", f, real(5, 4), CLASSES))
        if "ignore_index" in options:  # then -100 is no class
            continue
        cases += [
            Case(f"{name} {options} ignoring", f, real(5, 4), SOME),
            Case(
                f"{name} {options} weighted",
                lambda T, x, t, w, f=f: f(T, x, t, w.detach()),
                real(5, 4),
                SOME,
                positive(4),
            ),
            Case(f"{name} {options} images", f, real(2, 4, 2, 2), IMAGE, layouts=("rows", "gaps")),
            Case(f"{name} {options} one sample", f, real(4), fixed("int64", 3), layouts=FEW),
        ]
    return cases


CASES = [
    *[case for options in (*OPTIONS, *SMOOTH) for case in _both(options)],
    *[Case(f"cross_entropy with probabilities {options}",
           lambda T, x, t, o=options: functional(T).cross_entropy(x, t.softmax(1), **o), real(5, 4), real(5, 4))
      for options in (*OPTIONS[:3], *SMOOTH[:3])],
    Case("cross_entropy with probabilities, weighted",
         lambda T, x, t, w: functional(T).cross_entropy(x, t.softmax(1), w.detach()), real(5, 4), real(5, 4), positive(4)),
    Case("linear_cross_entropy", lambda T, x, w, b: (
        T.nn.functional.linear_cross_entropy(x, w, T.tensor([0, 2, 1]), linear_bias=b), T.nn.functional.linear_cross_entropy(x[0], w, T.tensor(1)),
        T.nn.functional.linear_cross_entropy(x, T.stack([w, w * w], 1), T.tensor([[0, 1], [2, 2], [1, 0]]), reduction="none"),
    ), real(3, 4), real(5, 4), real(5)),
    Case("linear_cross_entropy in chunks", lambda T, x, w, c: T.nn.functional.linear_cross_entropy(
        x, w, T.tensor([0, -100, 1]), weight=c.detach(), options=T.nn.LinearCrossEntropyOptions(batch_chunk_size=2, allow_retain_graph=True),
    ), real(3, 4), real(5, 4), positive(5), second=False),
    Case("cross_entropy of nothing", lambda T, x, t: functional(T).cross_entropy(x, t, reduction="sum"), real(0, 4), fixed("int64", [])),
    Case("nll_loss ignoring everything", lambda T, x: functional(T).nll_loss(x, T.tensor([-100, -100])), real(2, 4), second=False),
]  # fmt: skip
