"""Cases: picking elements by integers, slices, masks, index tensors, and all of them mixed."""

from __future__ import annotations

from tests.ops.cases import Case, fixed, real, truth, whole

FEW = ("rows",)
I, J = [0, 2, 1, -1], [1, 0, 3, -2]  # noqa: E741
N = None

#: Written as they are typed between brackets; the tensor has shape (3, 4, 5), ``t`` makes an index tensor.
BASIC = (
    "0", "-1", "0, 1", "0, 1, 2", "...", ":", ":, 1", "..., 1", "1, ...", "1, ..., 2", ":, :, 2", "1:", ":-1", "::2", "1::2, ::3",
    "None", "None, 1", ":, None", "..., None", "0, None, :, 2", "None, None, 1:, None", "1:1", "5:", "-2:", "-9:9", "2:0",
    "slice(1, None)", "(0, 1)", "(slice(None), 1)", ":, -2:, ::2", "..., ::2, 1", "1, None, ..., 0", "t(1)", "t(1), 2", ":, t(-1)",
)  # fmt: skip
ADVANCED = (
    "[0, 2]", "[[0, 2], [1, 1]]", "t([0, 2])", "t([[0, 2], [1, 1]])", ":, t([0, 2])", ":, :, t([0, 2])", "..., t([0, 2])",
    "t([0, 2]), t([1, 3])", "t([0, 2]), 1", "1, t([0, 2])", "t([0, 2]), :, t([1, 3])", ":, t([0, 2]), t([1, 3])",
    "t([0, 2]), t([1, 3]), t([0, 4])", "t([[0], [2]]), t([1, 3])", "t([0, 2]), ..., t([1, 3])", "1, :, t([0, 2])",
    "t([0, 2]), :, 1", "0, ..., t([1, 3])", "t([0, 2]), None", "None, t([0, 2])", ":, None, t([0, 2])", "t([0, 2]), None, t([1, 3])",
    ":, t([0, 2]), None, t([1, 3])", "1:, t([0, 2])", "::2, t([0, 2]), 1:", "t([0, 2]), 1:, t([1, 3])", "[0, 2], [1, 3]",
    "(t([0, 2]), t([1, 3]))", "t([-1, -3])", "t([0, 0, 0])", "t([])", ":, []", "t([0, 2]), t(1)", "t(1), t([0, 2])",
    ":, 1, t([0, 2])", ":, t([0, 2]), 1", "t([0]), t([1, 3])", "range(2)", "t([True, False, True])", "[True, False, True]",
    ":, t([True, False, True, False])", "t([True, False, True]), 1", "t([True, False, True]), t([1, 3])",
    "1, t([True, False, True, False])", "t([False, False, False])", "True", "False", "None, t([True, False, True])",
    "t([True, False, True]), :, t([0, 4])", "[[0, 1]]", "[0], [1]", "t([0, 2]), slice(None), [1, 0]",
    "t([0, 2], kind='int32')", "t([0, 2], kind='uint8')", "[1]", "t([[True, False, True, False]] * 3)", "1, True", "..., True",
    "t(True)", "t([0, 2]), True", "[0.5, 2.9]", "t([0.0, 2.0]).numpy()", "[t([0, 2]).numpy(), [1, 3]]",
)  # fmt: skip


def index_of(text: str, T: object) -> object:
    """The index that ``x[text]`` has."""

    class Show:
        def __getitem__(self, index: object) -> object:
            return index

    def t(data: object, kind: str | None = None) -> object:
        if data == []:
            kind = "int64"
        return T.tensor(data, dtype=None if kind is None else getattr(T, kind))  # type: ignore[attr-defined]

    return eval(f"show[{text}]", {"show": Show(), "t": t, "slice": slice, "range": range})


CASES = [
    *[Case(f"x[{text}]", lambda T, x, s=text: x[index_of(s, T)], real(3, 4, 5)) for text in BASIC],
    *[Case(f"x[{text}]", lambda T, x, s=text: x[index_of(s, T)], real(3, 4, 5)) for text in ADVANCED if "uint8" not in text],
    Case("x[mask]", lambda T, x, m: x[m], real(3, 4), truth(3, 4)),
    Case("x[x > 0]", lambda T, x: x[x > 0] * 2, real(3, 4)),
    Case("x[mask of rows, 1]", lambda T, x, m: x[m, 1], real(3, 4), truth(3)),
    Case("x[..., mask]", lambda T, x, m: x[..., m], real(2, 3, 4), truth(3, 4)),
    Case("x[mask 2-d, index]", lambda T, x, m: x[m, :2], real(2, 3, 4), truth(2, 3)),
    Case("0-d", lambda T, x: (x[...], x[None], x[()], x[..., None], x[True], x[x > -9]), real()),
    Case("empty", lambda T, x: (x[:], x[:, 1], x[..., :2], x[T.tensor([], dtype=T.int64)]), real(0, 3)),
    Case("vector by matrix of indices", lambda T, x, i: x[i], real(6), fixed("int64", [[0, 5], [3, 3]])),
    Case("embedding", lambda T, x, i: x[i] * 2, real(6, 3), fixed("int64", [[0, 5, 0], [3, 3, 0]])),
    Case("repeated index of rows", lambda T, x, i: x[i], real(6, 3), fixed("int64", [1, 1, 1, 4, 1, 0])),
    Case("index of int tensors", lambda T, x: (x[1], x[:, ::2], x[T.tensor([1, 0])], x[x > 0]), whole(3, 4), layouts=FEW),
    Case("index of bools", lambda T, x: (x[1], x[x]), truth(3, 4), layouts=FEW),
    Case("chain of indexing", lambda T, x: x[1:][:, 2][0] + x[0][0][0], real(3, 4, 5)),
    Case("index with numpy", lambda T, x, i: x[i.numpy()], real(6, 3), fixed("int64", [1, 4])),
    Case("gather", lambda T, x, i: (T.gather(x, 1, i), x.gather(-1, i)), real(3, 4), fixed("int64", [[0, 1, 3], [2, 2, 2], [3, 0, 0]])),
    Case("gather dim 0", lambda T, x, i: T.gather(x, 0, i), real(3, 4), fixed("int64", [[0, 1, 2], [2, 2, 2]])),
    Case("gather smaller", lambda T, x, i: T.gather(x, 2, i), real(3, 4, 5), fixed("int64", [[[0, 1], [2, 4]]])),
    Case("gather 1-d", lambda T, x, i: T.gather(x, 0, i), real(3), fixed("int64", [0, 2, 2, 1, 0])),
    Case("gather 0-d", lambda T, x, i: T.gather(x, 0, i), real(), fixed("int64", 0)),
    Case("gather empty", lambda T, x, i: T.gather(x, 1, i), real(3, 4), fixed("int64", [[]])),
    Case("gather nothing", lambda T, x, i: T.gather(x, 0, i), real(5), fixed("uint8", [[], []])),
    Case("gather of ints", lambda T, x, i: T.gather(x, 0, i), whole(3), fixed("int64", [0, 2]), layouts=FEW),
    Case("index_select", lambda T, x, i: (T.index_select(x, 0, i), x.index_select(1, i), x.index_select(-1, i[:1])), real(3, 4, 5),
         fixed("int64", [2, 0, 2])),
    Case("index_select 0-d", lambda T, x, i: (x.index_select(0, i), x.unsqueeze(0).index_select(0, i[0])), real(), fixed("int64", [0])),
    Case("index_select none", lambda T, x, i: x.index_select(0, i), real(3, 4), fixed("int64", [])),
    Case("take_along_dim", lambda T, x, i: (T.take_along_dim(x, i, 1), x.take_along_dim(i, dim=1)), real(3, 4), fixed("int64", [[0, 1], [2, 3], [1, 1]])),
    Case("take_along_dim broadcast", lambda T, x, i: T.take_along_dim(x, i, 1), real(3, 4), fixed("int64", [[0, 3]])),
    Case("take_along_dim modulo", lambda T, x, i: T.take_along_dim(x, i, -1), real(3, 4), fixed("int64", [[-1, 4, -5, 9]])),
    Case("take_along_dim of nothing", lambda T, x, i: T.take_along_dim(x, i, 1), real(3, 0), whole(1, 0), layouts=FEW),
    Case("take_along_dim flat", lambda T, x, i: T.take_along_dim(x, i), real(3, 4), fixed("int64", [0, 11, 5]), layouts=FEW),
    Case("take_along_dim of argmax", lambda T, x: T.take_along_dim(x, x.argmax(1, keepdim=True), 1), real(3, 4)),
    Case("nonzero", lambda T, x: (T.nonzero(x > 0), (x > 0).nonzero(), T.nonzero(x > 9), T.nonzero(x)), real(3, 4)),
    Case("nonzero tuple", lambda T, x: (T.nonzero(x > 0, as_tuple=True), x.nonzero(as_tuple=True)), real(3, 4)),
    Case("nonzero 0-d", lambda T, x: (T.nonzero(x), (x > 99).nonzero(), T.nonzero(x, as_tuple=True), T.argwhere(x)), real()),
    Case("argwhere", lambda T, x: (T.argwhere(x > 0), (x > 0).argwhere()), real(3, 4)),
    Case("nonzero ints", lambda T, x: T.nonzero(x), whole(3, 4), layouts=FEW),
    Case("contains", lambda T, x: (3 in x, 99 in x, 1.5 in x), whole(3, 4), layouts=FEW),
]  # fmt: skip
