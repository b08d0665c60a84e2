"""The backbone as an ONNX graph in which the weights of adapters are inputs.

At each linear layer, `site_output + site_input @ lora_A[adapter_of_row] @ lora_B[adapter_of_row]`. Every array holds
many adapters side by side, and `adapter_of_row` says which one a row has: one number for all rows, or one for each.
What is not given is one adapter of rank 0, which is none. Above the last block, a head likewise.

What acts on rows is an operation of its own in torch, so that the exporter takes no part of a shape for another.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from adaptkit.attaching import BoundNetwork
from adaptkit.backbones import Backbone
from adaptkit.config import LINEAR_SITES
from adaptkit.interchange.onnx_file import exported
from adaptkit.interchange.onnx_outputs import LOGITS, STATES, VECTORS
from adaptkit.layers.pooling import mean_pool
from adaptkit.model import AdaptedModel

Size: TypeAlias = int | None
"""How long an array is in one direction; None where that is free, as a rank is."""

ROWS = "adapter_of_row"
TOKEN_LOGITS = "token_logits"  # noqa: S105 - the name of an output
OUTPUTS = (STATES, VECTORS, LOGITS, TOKEN_LOGITS)
DOWN, UP = "lora_A", "lora_B"
DENSE, OUT, TOKEN_OUT = "head.dense", "head.out", "token_head.out"
_N_EXAMPLES = 2


def array_sizes(backbone: Backbone) -> dict[str, tuple[Size, Size]]:
    """The arrays of an adapter by name, each (adapters, *size): A and B of a LoRA at each linear layer, and a head's.

    The last one is empty but for its name, by which the graph of another backbone refuses an adapter.
    """
    places = [place for at, place in backbone.shape.sites().items() if at.site in LINEAR_SITES]
    wide = backbone.shape.hidden_width
    loras: dict[str, tuple[Size, Size]] = {f"{place.module}.{DOWN}": (place.in_width, None) for place in places}
    loras |= {f"{place.module}.{UP}": (None, place.out_width) for place in places}
    heads: dict[str, tuple[Size, Size]] = {DENSE: (wide, None), OUT: (None, None), TOKEN_OUT: (wide, None)}
    weights = {f"{name}.weight": size for name, size in heads.items()}
    biases: dict[str, tuple[Size, Size]] = {f"{name}.bias": (1, None) for name in heads}
    return {**loras, **weights, **biases, made_for(backbone): (1, 1)}


def made_for(backbone: Backbone) -> str:
    """The name of the array that adapters for these weights have."""
    return f"made_for.{backbone.fingerprint.id}"


def graph_of(model: AdaptedModel) -> torch.onnx.ONNXProgram:
    """The graph of the bare backbone. Any linear layer, and a head, take the weights that a run is given.

    Raises:
        NotConvertible: torch's exporter cannot write it.
    """
    backbone = model.backbone
    sizes = array_sizes(backbone)
    free = torch.export.Dim.DYNAMIC
    # Where one query has two inputs, one of them of no row, all rows have one adapter.
    by_row = backbone.architecture.row_wise
    program = exported(
        _WithInputs(model, list(sizes)),
        backbone,
        backbone.name,
        outputs=OUTPUTS,
        more_inputs=(ROWS, *sizes),
        more_arguments=(
            torch.zeros(_N_EXAMPLES if by_row else 1, dtype=torch.long),
            [torch.zeros(_N_EXAMPLES, *(_N_EXAMPLES if n is None else n for n in size)) for size in sizes.values()],
        ),
        more_shapes=(
            {0: free} if by_row else {},
            [{0: free} | {at: free for at, n in enumerate(size, 1) if n is None} for size in sizes.values()],
        ),
        translations=_translations(),
    )
    _let_be_left_out(program, sizes)
    return program


class _WithInputs(nn.Module):
    """The network with terms at its linear layers, whose weights it is given, and what the graph gives."""

    def __init__(self, model: AdaptedModel, names: list[str]) -> None:
        super().__init__()
        self._names = names
        self._given: dict[str, Tensor] = {}
        modules = [name.removesuffix(f".{DOWN}") for name in names if name.endswith(f".{DOWN}")]
        self.network = BoundNetwork(model.backbone, {module: (partial(self._term, module),) for module in modules})
        self.sentences = model.sentences
        self.eval()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, adapter_of_row: Tensor, arrays: list[Tensor]
    ) -> tuple[Tensor, ...]:
        """What `OUTPUTS` name."""
        self._given = dict(zip(self._names, arrays, strict=True))
        # Nothing is added: the input is there for its name.
        self._given[ROWS] = adapter_of_row + arrays[-1][adapter_of_row].flatten().long()
        hidden: Tensor = self.network(input_ids, attention_mask)
        pooled = mean_pool(hidden, attention_mask).unsqueeze(1)
        logits = self._linear(OUT, torch.tanh(self._linear(DENSE, pooled))).squeeze(1)
        found = hidden, self.sentences(hidden, attention_mask), logits, self._linear(TOKEN_OUT, hidden)
        self._given = {}
        return found

    def _term(self, module: str, site_input: Tensor, site_output: Tensor, /) -> Tensor:
        a, b = self._given[f"{module}.{DOWN}"], self._given[f"{module}.{UP}"]
        added: Tensor = low_rank_of_rows(site_output, site_input, a, b, self._given[ROWS])
        return added

    def _linear(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._given[f"{name}.weight"], self._given[f"{name}.bias"]
        found: Tensor = linear_of_rows(x, weight, bias, self._given[ROWS])
        return found


@torch.library.custom_op("adaptkit::low_rank_of_rows", mutates_args=())
def low_rank_of_rows(y: Tensor, x: Tensor, a: Tensor, b: Tensor, rows: Tensor) -> Tensor:
    """`y + x @ a[rows] @ b[rows]`.

    Shape: x (batch, seq, in_width), y and result (batch, seq, out_width), a (adapters, in_width, rank), b (adapters,
    rank, out_width), rows (batch) or (1).
    """
    return y + x @ a[rows] @ b[rows]


@torch.library.custom_op("adaptkit::linear_of_rows", mutates_args=())
def linear_of_rows(x: Tensor, weight: Tensor, bias: Tensor, rows: Tensor) -> Tensor:
    """`x @ weight[rows] + bias[rows]`.

    Shape: x (batch, seq, in_width), weight (adapters, in_width, out_width), bias (adapters, 1, out_width), rows (batch)
    or (1), result (batch, seq, out_width).
    """
    return x @ weight[rows] + bias[rows]


@low_rank_of_rows.register_fake
def _(y: Tensor, x: Tensor, a: Tensor, b: Tensor, rows: Tensor) -> Tensor:  # noqa: ARG001
    return torch.empty_like(y)


@linear_of_rows.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor, rows: Tensor) -> Tensor:  # noqa: ARG001
    return x.new_empty(*x.shape[:-1], weight.shape[-1])


def _translations() -> Mapping[Callable[..., object], Callable[..., object]]:
    """What the operations on rows are in ONNX, whose product takes one adapter for all rows or one for each."""
    from onnxscript import opset18 as onnx

    def term(y: Any, x: Any, a: Any, b: Any, rows: Any) -> object:  # noqa: ANN401 - values of a graph
        narrow = onnx.MatMul(x, onnx.Gather(a, rows, axis=0))
        return onnx.Add(y, onnx.MatMul(narrow, onnx.Gather(b, rows, axis=0)))

    def linear(x: Any, weight: Any, bias: Any, rows: Any) -> object:  # noqa: ANN401
        return onnx.Add(onnx.MatMul(x, onnx.Gather(weight, rows, axis=0)), onnx.Gather(bias, rows, axis=0))

    operations = torch.ops.adaptkit
    return {operations.low_rank_of_rows.default: term, operations.linear_of_rows.default: linear}


def _let_be_left_out(program: torch.onnx.ONNXProgram, sizes: Mapping[str, tuple[Size, Size]]) -> None:
    """Give each input of adapters what it is when a run does not give it: no adapter."""
    import numpy as np
    import onnx_ir

    none = {ROWS: np.zeros(1, np.int64)}
    none |= {name: np.zeros((1, *(n or 0 for n in size)), np.float32) for name, size in sizes.items()}
    graph = program.model.graph
    for given in graph.inputs:
        if given.name in none:
            given.const_value = onnx_ir.tensor(none[given.name], name=given.name)
            graph.register_initializer(given)
