"""Checks of chapter 17: pictures of the graph."""

from tinytorch.learn import quiz
from tinytorch.learn.checking import check_answers, leaf, numbers
from tinytorch.viz import graph


def test_quiz_graph() -> None:
    a, b = leaf(numbers(3)), leaf(numbers(3, seed=1))
    y = ((a * b).tanh() + a).sum()
    drawn = graph(y)
    leaves = [node for node in drawn.nodes.values() if node.kind != "op"]
    truth = {"ops": len(list(drawn.ops())), "leaves": len(leaves), "edges": len(drawn.edges)}
    check_answers(quiz.graph(), truth, y)


def test_inputs_of() -> None:
    a, b = leaf(numbers(3)), leaf(numbers(3, seed=1))
    drawn = graph(a - b, names={"a": a, "b": b})
    drawn.edges.reverse()  # whatever order they are kept in
    (node,) = drawn.ops()
    labels = [drawn.nodes[edge.source].name for edge in drawn.inputs_of(node)]
    assert labels == ["a", "b"], f"the inputs of a - b in the order of its arguments: {labels}?"
    assert drawn.inputs_of(node.id) == drawn.inputs_of(node), "a node may be named by its id"
    assert all(drawn.inputs_of(edge.source) == [] for edge in drawn.edges), "leaves have no inputs"
