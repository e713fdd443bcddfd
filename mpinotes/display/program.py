"""A torch module as a list of steps that a page can run by itself.

`torch.export` writes down what a module does to inputs of fixed shapes; here that is put into the few words that
``runner.js`` knows. So the network that a reader moves is the package's own: nobody wrote it a second time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from operator import getitem
from typing import Any

import torch
from torch import nn

Reference = str | float
"""What a step works on: an array by name, or a number."""


@dataclass(frozen=True)
class Program:
    """Steps over named arrays.

    :param inputs: names of the arrays that the caller gives, in order.
    :param steps: each with its "op", "from" (arrays by name, or numbers), "to", the "shape" of the result, and what
        else the operation needs.
    :param outputs: names of the results.
    :param weights: arrays by name that do not change.
    """

    inputs: list[str]
    steps: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[Reference] = field(default_factory=list)
    weights: dict[str, torch.Tensor] = field(default_factory=dict)


def export_program(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> Program:
    """What `module` does to `inputs`, whose shapes are kept and whose values do not matter.

    Raises ``ValueError`` for a module that does something the page cannot run.

    >>> from mpinotes.display.program import export_program
    >>> program = export_program(torch.nn.Linear(3, 2), (torch.zeros(1, 3),))
    >>> [step["op"] for step in program.steps], sorted(program.weights)
    (['linear'], ['bias', 'weight'])
    """
    with torch.no_grad():
        exported = torch.export.export(module.eval(), inputs)
    signature = exported.graph_signature
    tensors = {**exported.state_dict, **exported.constants}
    stored = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    stored |= getattr(signature, "inputs_to_lifted_tensor_constants", {})
    builder = _Builder(Program([node.name for node in exported.graph.nodes if node.name in signature.user_inputs]))
    for node in exported.graph.nodes:
        if node.op == "placeholder":
            name = stored.get(node.name)
            builder.values[node] = node.name if name is None else tensors[name].detach()
            builder.names |= {id(builder.values[node]): name} if name is not None else {}
        elif node.op == "output":
            builder.program.outputs.extend(builder.refer(builder.values[value]) for value in node.args[0])
        else:
            builder.add(node)
    return builder.program


class _Builder:
    """Goes through a graph. A value is the name of an array the page computes, a number, or, as long as nothing
    depends on the inputs, a tensor: that is computed here, once."""

    def __init__(self, program: Program):
        self.program = program
        self.values: dict[torch.fx.Node, Any] = {}
        self.names: dict[int, str] = {}

    def refer(self, value: Any) -> Reference:
        """The value as a step names it; a tensor becomes one of the weights."""
        if isinstance(value, str):
            return value
        if not isinstance(value, torch.Tensor):
            return float(value)
        name = self.names.setdefault(id(value), f"constant_{len(self.names)}")
        self.program.weights[name] = value.detach()
        return name

    def step(self, op: str, to: str, sources: list[Any], shape: tuple[int, ...], **settings: Any) -> str:
        sources = [self.refer(source) for source in sources]
        self.program.steps.append({"op": op, "from": sources, "to": to, "shape": list(shape), **settings})
        return to

    def add(self, node: torch.fx.Node) -> None:
        args = torch.fx.node.map_arg(node.args, self.values.__getitem__)
        kwargs = torch.fx.node.map_arg(node.kwargs, self.values.__getitem__)
        target = node.target
        if not any(isinstance(value, str) for value in _flat([*args, *kwargs.values()])):
            self.values[node] = target(*args, **kwargs)  # type: ignore[operator]  # a call_function node has one
            return
        if target in _IGNORED:
            return
        if target is getitem:
            pieces, index = args
            self.values[node] = pieces[index]  # type: ignore[index]  # what chunk and unbind return
            return
        lower = _OPERATIONS.get(target)
        if lower is None:
            known = ", ".join(sorted({str(name).split(".")[1] for name in _OPERATIONS}))
            raise ValueError(f"module: got a step {target}, accepted are in a page {known}")
        self.values[node] = lower(self, node, *args, **kwargs)


def _flat(values: Any) -> Any:
    for value in values:
        yield from _flat(value) if isinstance(value, list | tuple) else (value,)


def _shape(node: torch.fx.Node) -> tuple[int, ...]:
    return tuple(node.meta["val"].shape)


def _source_shape(node: torch.fx.Node, index: int = 0) -> tuple[int, ...]:
    source = node.args[index]
    return _shape(source)  # type: ignore[arg-type]  # the operations that ask have an array there


def _elementwise(op: str) -> Callable[..., str]:
    def lower(builder: _Builder, node: torch.fx.Node, *sources: Any) -> str:
        return builder.step(op, node.name, list(sources), _shape(node))

    return lower


def _reshape(builder: _Builder, node: torch.fx.Node, source: str, *_: Any) -> str:
    return builder.step("reshape", node.name, [source], _shape(node))


def _same(builder: _Builder, node: torch.fx.Node, source: str, *_: Any, **__: Any) -> str:
    if not node.meta["val"].dtype.is_floating_point:
        raise ValueError(f"module: got a step {node.target} to {node.meta['val'].dtype}, accepted are real numbers")
    return source


def _expand(builder: _Builder, node: torch.fx.Node, source: str, *_: Any) -> str:
    return builder.step("add", node.name, [source, 0.0], _shape(node))


def _permute(builder: _Builder, node: torch.fx.Node, source: str, moved: int, to: int) -> str:
    order = [axis for axis in range(len(_shape(node))) if axis != moved]
    order.insert(to, moved)
    return builder.step("permute", node.name, [source], _shape(node), order=order)


def _cut(builder: _Builder, node: torch.fx.Node, source: str, axis: int, start: int, stop: int, name: str) -> str:
    shape = list(_source_shape(node))
    axis %= len(shape)
    stop = min(stop, shape[axis])
    shape[axis] = stop - start
    return builder.step("slice", name, [source], tuple(shape), axis=axis, start=start, stop=stop)


def _slice(builder: _Builder, node: torch.fx.Node, source: str, axis: int, start: int, stop: int) -> str:
    return _cut(builder, node, source, axis, start, stop, node.name)


def _select(builder: _Builder, node: torch.fx.Node, source: str, axis: int, index: int) -> str:
    index %= _source_shape(node)[axis]
    cut = _cut(builder, node, source, axis, index, index + 1, f"{node.name}_cut")
    return builder.step("reshape", node.name, [cut], _shape(node))


def _pieces(builder: _Builder, node: torch.fx.Node, source: str, axis: int, *, keep: bool) -> list[str]:
    """What chunk (pieces that keep the axis) and unbind (single ones that lose it) return."""
    names, start = [], 0
    for index, value in enumerate(node.meta["val"]):
        size = value.shape[axis] if keep else 1
        name = _cut(builder, node, source, axis, start, start + size, f"{node.name}_{index}_cut")
        names.append(builder.step("reshape", f"{node.name}_{index}", [name], tuple(value.shape)))
        start += size
    return names


def _chunk(builder: _Builder, node: torch.fx.Node, source: str, count: int, axis: int = 0) -> list[str]:
    return _pieces(builder, node, source, axis, keep=True)


def _unbind(builder: _Builder, node: torch.fx.Node, source: str, axis: int = 0) -> list[str]:
    return _pieces(builder, node, source, axis, keep=False)


def _concatenate(builder: _Builder, node: torch.fx.Node, sources: list[Any], axis: int = 0) -> str:
    return builder.step("concatenate", node.name, sources, _shape(node), axis=axis % len(_shape(node)))


def _stack(builder: _Builder, node: torch.fx.Node, sources: list[Any], axis: int = 0) -> str:
    axis %= len(_shape(node))
    single = tuple(1 if place == axis else side for place, side in enumerate(_shape(node)))
    parts = [builder.step("reshape", f"{node.name}_{index}", [source], single) for index, source in enumerate(sources)]
    return builder.step("concatenate", node.name, parts, _shape(node), axis=axis)


def _clamp(builder: _Builder, node: torch.fx.Node, source: str, low: Any = None, high: Any = None) -> str:
    limits = [-torch.inf if low is None else low, torch.inf if high is None else high]
    limits = [max(-3e38, min(3e38, limit)) for limit in limits]  # JSON has no infinity
    return builder.step("clamp", node.name, [source, *limits], _shape(node))


def _mean(builder: _Builder, node: torch.fx.Node, source: str, axes: list[int], keep: bool = False) -> str:
    """Of the last axes."""
    sides = _source_shape(node)
    if sorted(axis % len(sides) for axis in axes) != list(range(len(sides) - len(axes), len(sides))):
        raise ValueError(f"module: got a mean over the axes {axes}, accepted are in a page the last ones")
    return builder.step("mean", node.name, [source], _shape(node), size=prod(sides[len(sides) - len(axes) :]))


def _convolution(
    builder: _Builder, node: torch.fx.Node, source: str, weight: torch.Tensor, bias: torch.Tensor,
    stride: Any = (1, 1), padding: Any = (0, 0), *others: Any,
) -> str:  # fmt: skip
    if others or len(set(stride)) > 1 or len(set(padding)) > 1:
        raise ValueError(
            f"module: got a convolution with stride {stride}, padding {padding} and {others}, accepted are in a page "
            "those with one stride and one padding for both axes"
        )
    settings = {"stride": stride[0], "padding": padding[0]}
    return builder.step("convolve", node.name, [source, weight, bias], _shape(node), **settings)


def _group_norm(
    builder: _Builder, node: torch.fx.Node, source: str, groups: int, weight: torch.Tensor, bias: torch.Tensor,
    epsilon: float = 1e-5, *_: Any,
) -> str:  # fmt: skip
    settings = {"groups": groups, "epsilon": epsilon}
    return builder.step("normalise", node.name, [source, weight, bias], _shape(node), **settings)


def _upsample(builder: _Builder, node: torch.fx.Node, source: str, *_: Any) -> str:
    (height, width), (rows, columns) = _source_shape(node)[2:], _shape(node)[2:]
    if (rows, columns) != (2 * height, 2 * width):
        raise ValueError(f"module: got an upsampling to {(rows, columns)}, accepted is twice {(height, width)}")
    return builder.step("upsample", node.name, [source], _shape(node))


_ATEN = torch.ops.aten

_IGNORED = {_ATEN._assert_tensor_metadata.default}

_OPERATIONS: dict[Any, Callable[..., Any]] = {
    _ATEN.conv2d.default: _convolution,
    _ATEN.group_norm.default: _group_norm,
    _ATEN.linear.default: _elementwise("linear"),
    _ATEN.silu.default: _elementwise("silu"),
    _ATEN.upsample_nearest2d.vec: _upsample,
    _ATEN.add.Tensor: _elementwise("add"),
    _ATEN.sub.Tensor: _elementwise("subtract"),
    _ATEN.mul.Tensor: _elementwise("multiply"),
    _ATEN.div.Tensor: _elementwise("divide"),
    _ATEN.sin.default: _elementwise("sin"),
    _ATEN.cos.default: _elementwise("cos"),
    _ATEN.sqrt.default: _elementwise("sqrt"),
    _ATEN.log10.default: _elementwise("log10"),
    _ATEN.clamp.default: _clamp,
    _ATEN.mean.dim: _mean,
    _ATEN.cat.default: _concatenate,
    _ATEN.stack.default: _stack,
    _ATEN.chunk.default: _chunk,
    _ATEN.unbind.int: _unbind,
    _ATEN.slice.Tensor: _slice,
    _ATEN.select.int: _select,
    _ATEN.movedim.int: _permute,
    _ATEN.expand.default: _expand,
    _ATEN.to.dtype: _same,
    _ATEN.to.device: _same,
    _ATEN.view.default: _reshape,
    _ATEN.reshape.default: _reshape,
    _ATEN.flatten.using_ints: _reshape,
    _ATEN.unflatten.int: _reshape,
    _ATEN.unsqueeze.default: _reshape,
}
