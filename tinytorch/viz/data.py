"""Chapter 17. Pictures of the graph.

After: examples/train_cnn.py
Next: tinytorch/viz/walk.py

Goal: hold a recorded computation as plain data, from which every picture is drawn.

The idea. A :class:`Graph` holds *nodes* (ops, and the tensors that no op made), *edges* in the order of an op's
arguments, and nested *scopes* (one per module call). They hold text and numbers only: no tensor, no module, nothing
that a picture would keep alive. Identifiers are given in the order in which things happened (``n0``, ``n1``, ... and
``s0``, ``s1``, ...), so the same program gives the same graph, to the letter, in every process.

>>> import tinytorch
>>> from tinytorch import viz
>>> x = tinytorch.ones(2, 3, requires_grad=True)
>>> g = viz.graph((x.exp() * 2).sum())
>>> [(edge.source, edge.target) for edge in g.edges]
[('n0', 'n1'), ('n1', 'n2'), ('n2', 'n3')]

Whatever changes a picture - :meth:`Graph.collapse`, :meth:`Graph.focus`, :meth:`Graph.color_by`... - returns a new
graph and leaves the old one as it was. Writers (Graphviz, text, HTML, Mermaid) read it and nothing else.

What PyTorch does. It records the same graph for backward and has no picture of it; tools like torchviz walk it from
outside, without modules, or trace the program anew.

Pitfalls. :func:`viz.graph` sees what autograd recorded: ops on constants are not there. :func:`viz.trace` sees all.

Exercises. Which node has two edges going out in ``y = x * x``? And how many edges are there? Try it, then
``g.save("g.svg")``. Answers: ``python -m tinytorch.learn answers 17``;
more: ``python -m tinytorch.learn start --chapter 17``.
Check: ``python -m pytest tests/viz/test_graph.py``.

"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import graphviz

T = TypeVar("T")

__all__ = ["Edge", "Graph", "Node", "Output", "Parameter", "Saved", "Scope"]


@dataclass
class Output:
    """What a node gives: one tensor's shape, dtype and size in bytes."""

    shape: tuple[int, ...]
    dtype: str
    nbytes: int


@dataclass
class Saved:
    """A tensor that an op keeps for its backward. Equal ``storage`` means the same memory, which counts once."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    nbytes: int
    storage: int


@dataclass
class Parameter:
    """A parameter written into the box of its only user instead of having a box of its own."""

    name: str
    argument: str
    position: int
    shape: tuple[int, ...]
    count: int
    trainable: bool
    value: str = ""
    gradient: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def short_name(self) -> str:
        """Its name within the module: ``"weight"``."""
        return self.name.rpartition(".")[2] or self.argument


@dataclass
class Node:
    """An op, or a tensor that no op made, or a closed module.

    Attributes:
        id: ``"n0"``, ``"n1"``, ... in order of creation; a closed module has its scope's id.
        kind: ``"op"``, ``"parameter"``, ``"buffer"``, ``"input"`` (a tensor that came from outside), ``"module"`` (a
            closed scope) or ``"outside"`` (what a focused part is connected to).
        name: an op's name (``"conv2d"``), a tensor's name, or a module's class.
        label: what the program calls the result, if that is known.
        scope: the innermost scope that holds the node; ``""`` for none.
        module, module_kind: for a closed module, and for an op that is all that its module does, the module's
            qualified name and class; the scope is then the one round it.
        attributes: the op's options, as text: ``{"stride": "2"}``.
        constants: inputs that are no nodes, by argument name, as text: ``{"b": "2"}``.
        outputs: what it gives.
        saved: what it keeps for backward.
        backward: the name of its derivative: ``"MulBackward0"``.
        value, gradient: small tensors in full, large ones summed up; ``""`` where unknown, ``"–"`` for a gradient that
            is None.
        stats: mean, std, min, max, zero (share of zeros), nan, inf (counts) of the value, if measured.
        metrics: ``time``, ``time_backward`` (seconds), ``flops``, ``grad_norm``, ``memory`` (bytes), ``params``.
        notes: what is wrong with it: ``["makes NaN: 3 of 640"]``.
        parameters: parameters that only this node uses, once they are folded into it.
        trainable: for a parameter, whether it requires grad.
        members: for a module, how many ops it holds.
        count: how many equal neighbours it stands for.
    """

    id: str
    kind: str
    name: str
    label: str = ""
    scope: str = ""
    module: str = ""
    module_kind: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    saved: list[Saved] = field(default_factory=list)
    backward: str = ""
    value: str = ""
    gradient: str = ""
    stats: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    trainable: bool = True
    members: int = 0
    count: int = 1


@dataclass
class Edge:
    """Output ``output`` of node ``source`` is input ``position`` of node ``target``.

    ``label`` is the argument's name. ``note`` says what is special about the edge (``"detach"``: no gradient passes).
    ``grad_norm`` is the norm of the gradient that came back along it, if measured; ``gradient`` its numbers, if few.
    """

    source: str
    target: str
    output: int = 0
    position: int = 0
    label: str = ""
    note: str = ""
    grad_norm: float | None = None
    gradient: list[float] = field(default_factory=list)


@dataclass
class Scope:
    """One call of a module: its qualified name, its class, the scope round it, and which call of the module it is.

    After :meth:`Graph.roll`, ``count`` says for how many equal neighbours it stands, and ``last`` what the last of them
    is called.
    """

    id: str
    name: str
    kind: str
    parent: str = ""
    call: int = 1
    calls: int = 1
    description: str = ""
    count: int = 1
    last: str = ""

    @property
    def label(self) -> str:
        """Its name, and which call of several this is."""
        name = f"[{self.name}]" if self.name.isdigit() else self.name or self.kind
        if self.last:
            return f"{name} … {self.last}"
        return f"{name} (call {self.call} of {self.calls})" if self.calls > 1 else name

    @property
    def title(self) -> str:
        """How pictures name it: ``"block1.0: Conv2d"``."""
        title = f"{self.label}: {self.kind}" if self.name and self.name != self.kind else self.label
        return f"{title} ×{self.count}" if self.count > 1 else title


@dataclass(repr=False)
class Graph:
    """Nodes, edges and scopes; see the module's text.

    Attributes:
        title: one line about the whole.
        nodes, scopes: by id, in order of creation. edges: in order of target and argument.
        results: ids of the nodes that give the results.
        style: how to draw it (``rankdir``, ``color_by``, ``view``, ``parameters``, ``saved``, ``values``).
        remarks: lines for the title: what was hidden, what failed.
    """

    title: str = ""
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    scopes: dict[str, Scope] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)
    style: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    whole: Graph | None = field(default=None, repr=False, compare=False)  # before scopes were closed
    closed: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    # ------------------------------------------------------------------------------------ reading

    def inputs_of(self, node: Node | str) -> list[Edge]:
        """Edges that lead to a node, in the order of its arguments."""
        target = node if isinstance(node, str) else node.id
        return sorted((edge for edge in self.edges if edge.target == target), key=lambda edge: edge.position)

    def ancestors(self, scope: str) -> list[str]:
        """The scope's id and those of all scopes round it, innermost first."""
        chain = []
        while scope:
            chain.append(scope)
            scope = self.scopes[scope].parent
        return chain

    def depth(self, scope: str) -> int:
        """0 for an outermost scope, 1 for one directly inside it, and so on."""
        return len(self.ancestors(scope)) - 1

    def find_scopes(self, what: str) -> list[str]:
        """Ids of the scopes with this id, qualified name, or class name. Raises KeyError if there is none."""
        found = [s.id for s in self.scopes.values() if what in (s.id, s.name)]
        found = found or [s.id for s in self.scopes.values() if what == s.kind]
        if not found:
            known = ", ".join(repr(s.name or s.kind) for s in list(self.scopes.values())[:12])
            raise KeyError(f"no scope {what!r} in this graph; there are: {known or 'none'}")
        return found

    def ops(self) -> Iterator[Node]:
        """Nodes that compute: ops and closed modules."""
        return (node for node in self.nodes.values() if node.kind in ("op", "module"))

    def total(self, metric: str) -> float:
        """The sum of a metric over all nodes."""
        return sum(node.metrics.get(metric, 0) for node in self.nodes.values())

    # ------------------------------------------------------------------------------------ new graphs from this one

    def collapse(self, depth: float | None = None, where: Callable[[Scope], bool] | None = None) -> Graph:
        """Close scopes: each becomes one box.

        ``depth=0`` closes the outermost modules, ``depth=1`` their children, and so on; ``where`` says by itself for
        each scope whether to close it. What is inside a closed scope opens closed: see :meth:`expand`.
        """
        from tinytorch.viz.collapse import collapse

        return collapse(self, depth, where)

    def expand(self, scope: str) -> Graph:
        """Open one closed scope (by qualified name, class name or id), and those round it."""
        from tinytorch.viz.collapse import expand

        return expand(self, scope)

    def focus(self, scope: str) -> Graph:
        """Only what is inside a scope, with stubs for what it is connected to."""
        from tinytorch.viz.select import focus

        return focus(self, scope)

    def hide(self, *what: str | Callable[[Node], bool]) -> Graph:
        """Leave nodes out: by kind (``"parameter"``), by op name (``"reshape"``) or by a function of the node. What
        flowed through a hidden op goes straight on.
        """
        from tinytorch.viz.select import hide

        return hide(self, *what)

    def roll(self) -> Graph:
        """Draw a module once, as "×12", where 12 equal ones follow one another."""
        from tinytorch.viz.roll import roll

        return roll(self)

    def limit(self, max_nodes: int) -> Graph:
        """Close the deepest scopes until at most ``max_nodes`` boxes are left; the title says what was closed."""
        from tinytorch.viz.collapse import limit

        return limit(self, max_nodes)

    def color_by(self, metric: str | None) -> Graph:
        """Colour boxes by ``"time"``, ``"flops"``, ``"memory"``, ``"params"`` or ``"grad_norm"``, with a legend."""
        from tinytorch.viz.colors import check_metric

        return self.styled(color_by=check_metric(self, metric))

    def diagnose(self, vanishing: float = 1e-6, exploding: float = 1e3) -> Graph:
        """Look for what is wrong, and write it where it is.

        Found are: the first NaN or inf and what it poisons; dead ReLUs; parameters whose gradient is below
        ``vanishing`` times the largest, or above ``exploding`` (per element); parameters that no gradient reached;
        where a gradient was cut off (``detach``, ``no_grad``, ``argmax``). Values are known to graphs of ``trace`` and
        of ``watch(values=True)``, gradients to those of ``watch``.
        """
        from tinytorch.viz.health import diagnose

        return diagnose(self, vanishing, exploding)

    def view(self, view: str) -> Graph:
        """``"forward"``: values flow down. ``"backward"``: gradients flow from the result to the leaves. ``"both"``:
        the first, with the gradients dashed, from every result back to what it was made of.
        """
        if view not in ("forward", "backward", "both"):
            raise ValueError(f"view must be 'forward', 'backward' or 'both', not {view!r}")
        return self.styled(view=view)

    def styled(self, **style: Any) -> Graph:
        """The same graph, to be drawn in another way.

        ``rankdir="LR"``: from left to right. ``parameters="boxes"`` or ``"none"`` instead of lines in the ops' boxes.
        ``saved=True``: what ops keep for backward. ``values=True``: what was measured of large values (``trace``
        and ``watch(values=True)`` look at them). ``metrics=["flops"]``: measurements to write down. ``frames=False``:
        no frames round modules. ``shapes=False``: no shapes. ``cells=True``: micrograd's boxes.
        """
        new = self.copy()
        new.style.update(style)
        if self.whole is not None:
            new.whole = self.whole.styled(**style)
        return new

    def copy(self) -> Graph:
        """A graph of its own; nodes may be changed."""
        new = _copied(self)
        new.nodes = {id: _copied(node) for id, node in self.nodes.items()}
        new.edges = [_copied(edge) for edge in self.edges]
        new.scopes = {id: _copied(scope) for id, scope in self.scopes.items()}
        new.results, new.style, new.remarks = list(self.results), dict(self.style), list(self.remarks)
        return new

    # ------------------------------------------------------------------------------------ writing

    def digraph(self, max_nodes: int | None = None) -> graphviz.Digraph:
        """The picture as a ``graphviz.Digraph``, to be styled further or rendered with graphviz's own methods."""
        from tinytorch.viz.dot import to_digraph

        return to_digraph(self, max_nodes)

    @property
    def visual_graph(self) -> graphviz.Digraph:
        """torchview's name for :meth:`digraph`."""
        return self.digraph()

    def text(self) -> str:
        """The graph for a terminal; ``print(graph)`` prints it."""
        from tinytorch.viz.text import to_text

        return to_text(self)

    def mermaid(self) -> str:
        """The graph as a Mermaid flow chart, which GitHub and many editors draw."""
        from tinytorch.viz.mermaid import to_mermaid

        return to_mermaid(self)

    def html(self) -> str:
        """The graph as an interactive page in one file: pan, zoom and search, open modules, step through backward.

        Numbers of the backward pass are in it if the graph was recorded with :class:`tinytorch.viz.watch`. No program
        is needed to draw it, but with Graphviz (see :meth:`save`) the pictures are better.
        """
        from tinytorch.viz.html import to_html

        return to_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists, text and numbers."""
        return {
            "title": self.title,
            "nodes": [_plain(node) for node in self.nodes.values()],
            "edges": [vars(edge) for edge in self.edges],
            "scopes": [vars(scope) for scope in self.scopes.values()],
            "results": self.results,
            "style": self.style,
            "remarks": self.remarks,
        }

    def json(self) -> str:
        """:meth:`to_dict` as JSON; :meth:`from_json` reads it."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Graph:
        """The graph that :meth:`json` wrote. Raises ValueError for anything else."""
        from tinytorch.viz.reading import from_json

        return from_json(text)

    def save(self, path: str | Path, max_nodes: int | None = None) -> Path:
        """Write ``.svg``, ``.png``, ``.pdf``, ``.html``, ``.gv`` (or ``.dot``), ``.json``, ``.txt`` or ``.mmd``, as the
        path ends. The HTML is one page that works without a network: see :meth:`html`.

        Raises ValueError for another ending; RuntimeError, with the cures, if pictures cannot be drawn here.
        """
        from tinytorch.viz.render import save

        return save(self, Path(path), max_nodes)

    def folded(self) -> Graph:
        """As writers draw it: parameters in the boxes of their only users, modules of one op as that op."""
        from tinytorch.viz.fold import fold

        return fold(self)

    def __repr__(self) -> str:
        return f"<Graph {self.title!r}: {len(self.nodes):,} nodes, {len(self.edges):,} edges>"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        """The interactive page, in a frame of its own, for a notebook."""
        from tinytorch.viz.html import for_notebook

        return for_notebook(self)

    def _repr_mimebundle_(self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None) -> Any:
        """What a notebook shows: the picture, or the text where none can be drawn."""
        from tinytorch.viz.render import for_notebook

        return for_notebook(self)


def _copied(item: T) -> T:
    """A shallow copy; ``copy.copy`` is several times slower, and graphs may be large."""
    new = object.__new__(type(item))
    new.__dict__.update(item.__dict__)
    return new


def _plain(node: Node) -> dict[str, Any]:
    """A node as dictionaries, lists, text and numbers."""
    parts = {name: [vars(part) for part in getattr(node, name)] for name in ("outputs", "saved", "parameters")}
    return {**vars(node), **parts}
