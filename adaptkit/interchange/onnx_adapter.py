"""A stack of LoRAs as a file that onnxruntime gives to the one graph of its backbone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from adaptkit.composition import AdapterId
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.format.folder import whole_file
from adaptkit.interchange.onnx_file import MODEL_FILE, opened, require_packages, require_whole
from adaptkit.interchange.onnx_inputs import DENSE, DOWN, OUT, TOKEN_LOGITS, TOKEN_OUT, UP, made_for
from adaptkit.interchange.onnx_outputs import LOGITS, STATES, VECTORS, answers, largest_error, require_close
from adaptkit.layers.heads import SentenceHead, TokenHead
from adaptkit.model import AdaptedModel, ResolvedStack, StackLike
from adaptkit.terminal.asking import as_typed
from adaptkit.weights.stack_sum import changes_of, loras_of

if TYPE_CHECKING:
    import onnxruntime

SUFFIX = ".onnx_adapter"
GRAPH_FILES = frozenset(
    {"config", "generation_config", "tokenizer", "tokenizer_config", "special_tokens_map", "added_tokens", "vocab"}
)
"""Names of files, `.json` behind them, that transformers writes beside the graph."""
_VERSION = 1


@dataclass(frozen=True)
class OnnxAdapter:
    """The file of an adapter, and how far the graph's outputs with it are at most from the stack's, on the probes."""

    path: Path
    output_error: float


def export_onnx_adapter(
    model: AdaptedModel, stack: StackLike, folder: str | PathLike[str], *, name: str | None = None
) -> OnnxAdapter:
    """Write a stack of LoRAs, or of averages of them, beside the graph that `export_onnx_backbone` has written.

    `NAME.onnx_adapter` holds the sum of the LoRAs, exactly, and the weights of the head on top, as onnxruntime's own
    `LoraAdapter` reads them. `NAME.json` says which output to read, and the labels. The name is that of the adapters
    (`sw-nli`) where none is given. The graph is run with it before it is put in place, and compared.

    Raises:
        NotConvertible: An adapter in the stack that is no LoRA alone, by its name; a head that is neither for sentences
            nor for tokens; or onnxruntime gives other outputs.
        ConfigError: The folder has no such graph, or that of another backbone; there is such a file already, or the
            stack is empty or in training; or a package is not installed.
        UnknownAdapter: The stack names an adapter that is not attached.
    """
    require_packages()
    require_whole(model.backbone)
    weights = StackWeights.of(model, stack)
    place = _place(Path(folder), weights.pinned, name)
    return weights.written(graph_in(Path(folder), model), place)


@dataclass(frozen=True)
class StackWeights:
    """A stack as the arrays that the graph of its backbone takes."""

    model: AdaptedModel
    pinned: ResolvedStack
    arrays: Mapping[str, Tensor]

    @classmethod
    def of(cls, model: AdaptedModel, stack: StackLike) -> Self:
        """Of one stack.

        Raises:
            NotConvertible: What of it the graph has no place for, by name.
            ConfigError: It is empty or in training.
            UnknownAdapter: It names an adapter that is not attached.
        """
        pinned = model.pinned(stack)
        pinned.require_own_vocabulary("a file of weights for onnxruntime")
        pinned.require_outputs("an ONNX model")
        return cls(model, pinned, _arrays(model, pinned))

    def written(self, graph: "onnxruntime.InferenceSession", place: Path) -> OnnxAdapter:
        """Write both files of it, after the graph has given with the first what the stack gives.

        Raises:
            NotConvertible: It gives something else; nothing was written.
        """
        with whole_file(place) as partial_place:
            _write(self.arrays, partial_place)
            error = _error(self.model, self.pinned, graph, partial_place)
            require_close(error)
            with whole_file(place.with_suffix(".json")) as facts:
                said = json.dumps(_facts(self.model, self.pinned), indent=1, ensure_ascii=False)
                facts.write_text(said + "\n", encoding="utf-8")
        return OnnxAdapter(place, error)


def _arrays(model: AdaptedModel, pinned: ResolvedStack) -> dict[str, Tensor]:
    if not pinned.acting:
        raise ConfigError("an empty stack has no weights to write: it is what the graph gives without an adapter.")
    places = model.backbone.shape.sites()
    found = {made_for(model.backbone): torch.zeros(1, 1, 1)}
    for address, change in changes_of(model, pinned).items():
        module = places[address].module
        found |= {f"{module}.{DOWN}": change.a.t()[None], f"{module}.{UP}": (change.scale * change.b).t()[None]}
    return found | _head_arrays(pinned)


def _head_arrays(pinned: ResolvedStack) -> dict[str, Tensor]:
    """A head's layers, each as (1, in_width, out_width), with biases as (1, 1, out_width)."""
    if pinned.head is None or not answers(pinned):
        return {}
    head = pinned.head[0]
    if type(head) is SentenceHead:
        layers = {DENSE: head.dense, OUT: head.out}
    elif type(head) is TokenHead:
        layers = {TOKEN_OUT: head.out}
    else:
        raise NotConvertible(
            f"the head on top of {pinned.stack} is a {type(head).__name__}, for which the graph of a backbone has no "
            "place. Write the stack as a model of its own: adaptkit.export_onnx(model, stack, folder)."
        )
    weights = {f"{name}.weight": layer.weight.detach().float().cpu().t()[None] for name, layer in layers.items()}
    return weights | {f"{name}.bias": layer.bias.detach().float().cpu()[None, None] for name, layer in layers.items()}


def _place(folder: Path, pinned: ResolvedStack, name: str | None) -> Path:
    named = "-".join(AdapterId.parse(found).name for found in pinned.stack.ids) if name is None else name
    if named != Path(named).name or named.startswith("."):
        raise ConfigError(f"name must be the plain name of a file, found {named!r}; the folder is given by itself.")
    require_free(folder, named, f", or give another name ({as_typed(name='...')})")
    return folder / f"{named}{SUFFIX}"


def require_free(folder: Path, name: str, more: str = "") -> None:
    """Let there be no file of this name.

    Raises:
        ConfigError: There is one, or there may be one that belongs to the graph.
    """
    if name in GRAPH_FILES:
        raise ConfigError(
            f"{folder / name}.json belongs to the graph, and an adapter cannot have its name; nothing was written. "
            f"Give another name ({as_typed(name='...')})."
        )
    for suffix in (SUFFIX, ".json"):
        if (folder / f"{name}{suffix}").exists():
            raise ConfigError(f"{folder / name}{suffix} exists already; nothing was written. Remove it{more}.")


def graph_in(folder: Path, model: AdaptedModel) -> "onnxruntime.InferenceSession":
    """The graph in a folder, opened, which takes adapters for the backbone of a model.

    Raises:
        ConfigError: There is none, or that of another backbone.
    """
    if not (folder / MODEL_FILE).is_file():
        raise ConfigError(
            f"{folder} has no {MODEL_FILE} to write an adapter beside. Write the backbone first: "
            f"adaptkit.export_onnx_backbone(model, folder), or adaptkit export {as_typed(to='onnx-backbone')}."
        )
    session = opened(folder / MODEL_FILE)
    needed = made_for(model.backbone)
    marks = [given.name for given in session.get_overridable_initializers() if given.name.startswith("made_for.")]
    if needed not in marks:
        found = f"that of other weights ({marks[0]})" if marks else "one without inputs for adapters"
        raise ConfigError(
            f"{folder / MODEL_FILE} is {found}, and the stack is for {model.backbone.name} ({needed}). Give the folder "
            "that adaptkit.export_onnx_backbone has written of this backbone."
        )
    return session


def _write(arrays: Mapping[str, Tensor], path: Path) -> None:
    import onnxruntime

    written = onnxruntime.AdapterFormat()
    written.set_adapter_version(_VERSION)
    written.set_model_version(_VERSION)
    ours = {name: array.contiguous().numpy() for name, array in arrays.items()}
    written.set_parameters({name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in ours.items()})
    written.export_adapter(str(path))


def _error(model: AdaptedModel, pinned: ResolvedStack, session: Any, path: Path) -> float:  # noqa: ANN401
    import onnxruntime

    adapter, options = onnxruntime.LoraAdapter(), onnxruntime.RunOptions()
    adapter.Load(str(path))
    options.add_active_adapter(adapter)
    ours = LOGITS if answers(pinned) else VECTORS
    names = {STATES: STATES, ours: _output(pinned)}
    return largest_error(model, pinned, partial(session.run, run_options=options), names)


def _output(pinned: ResolvedStack) -> str:
    """The output of the graph that has the stack's answers."""
    if pinned.head is None or not answers(pinned):
        return VECTORS
    return TOKEN_LOGITS if isinstance(pinned.head[0], TokenHead) else LOGITS


def _facts(model: AdaptedModel, pinned: ResolvedStack) -> dict[str, object]:
    """What whoever serves the file must know and arrays cannot say."""
    head = None if pinned.head is None else pinned.head[1]
    return {
        "stack": str(pinned.stack),
        "backbone": model.backbone.name,
        "text_prefix": model.backbone.reader(pinned.reading).text_prefix,
        "output": _output(pinned),
        "max_length": model.backbone.longest_sentence if head is None else model.backbone.max_length,
        **({} if head is None else {"task_type": head.task_type, "labels": list(head.labels)}),
        "licences": list(dict.fromkeys(adapter.card.licence for adapter in loras_of(pinned))),
    }
