"""A stack as an ONNX model, which is run without torch."""

import copy
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor, nn

from adaptkit.attaching import BoundNetwork
from adaptkit.backbones import Backbone
from adaptkit.backbones.headed import labelled
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.format.folder import whole_folder
from adaptkit.layers.heads import VectorHead
from adaptkit.layers.sentence_vectors import SentenceVectors
from adaptkit.model import AdaptedModel, ResolvedStack, StackLike
from adaptkit.terminal.asking import as_typed
from adaptkit.version import install_command

MODEL_FILE = "model.onnx"
TOLERANCE = 1e-4
"""Largest difference from the model's own outputs, as a share of the largest of them, or of 1 where that is less."""

_INPUTS = ("input_ids", "attention_mask")


@dataclass(frozen=True)
class OnnxFolder:
    """Where an ONNX model was written, and how far its outputs are at most from the stack's, on the probe inputs."""

    path: Path
    output_error: float


def export_onnx(model: AdaptedModel, stack: StackLike, folder: str | PathLike[str]) -> OnnxFolder:
    """Write a stack as `model.onnx`, with tokenizer and config, for any number of texts of any length.

    Inputs are `input_ids` and `attention_mask`, int64 (batch, seq). Outputs are `logits` where the stack has a head
    with weights, else `last_hidden_state` (batch, seq, hidden_width) and `sentence_embedding` (batch, width), as
    `model.encode` gives it; float32. Any method can be written. The file's metadata says which prefix texts need, and
    the stack. It is run with onnxruntime before it is put in place, and compared. Above 1.5 GB, the weights are in
    a file beside it.

    Raises:
        NotConvertible: The backbone is not held in 32 bits as a whole, an adapter brings pieces of text of its own,
            the one on top writes text, or onnxruntime gives other outputs.
        ConfigError: The folder exists, or a package is not installed.
        UnknownAdapter: The stack names an adapter that is not attached.
    """
    _require_packages()
    pinned = model.pinned(stack)
    pinned.require_own_vocabulary("an ONNX model beside its tokenizer")
    pinned.require_outputs("an ONNX model")
    _require_whole(model.backbone)
    with whole_folder(Path(folder)) as place:
        module = _Outputs(model, pinned)
        _write(module, model.backbone, pinned, place / MODEL_FILE)
        labels = pinned.head[1].labels if pinned.head is not None else ()
        labelled(model.backbone.network.config, labels).save_pretrained(place)
        model.backbone.tokenizer.save_pretrained(place)
        error = _largest_error(model, pinned, place / MODEL_FILE, module.outputs)
        if not error <= TOLERANCE:
            raise NotConvertible(
                f"onnxruntime gives outputs that are off by {error:.2g} (bound {TOLERANCE:g}), so nothing was written. "
                "Try other versions of torch, onnx and onnxruntime."
            )
    return OnnxFolder(Path(folder), error)


class _Outputs(nn.Module):
    """The network with copies of the stack's layers in place, and what the file gives. Weights are shared."""

    def __init__(self, model: AdaptedModel, pinned: ResolvedStack) -> None:
        super().__init__()
        self.network = BoundNetwork(model.backbone, copy.deepcopy(dict(pinned.plan)))
        self.network.adapters.eval()
        answers = pinned.head is not None and not isinstance(pinned.head[0], VectorHead)
        self.head = copy.deepcopy(pinned.head[0]) if answers and pinned.head is not None else None
        self.sentences = copy.deepcopy(model.sentences)
        self.outputs = ("logits",) if answers else ("last_hidden_state", "sentence_embedding")
        self.eval()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """What `outputs` name."""
        hidden: Tensor = self.network(input_ids, attention_mask)
        if self.head is not None:
            return (self.head(hidden, attention_mask),)
        return hidden, self.sentences(hidden, attention_mask)


def _write(module: _Outputs, backbone: Backbone, pinned: ResolvedStack, path: Path) -> None:
    shape = {0: "batch", 1: "seq"}
    with torch.no_grad(), _quiet_exporter():
        try:
            program = torch.onnx.export(
                module,
                _padded(backbone)[-1],
                dynamo=True,
                input_names=_INPUTS,
                output_names=module.outputs,
                dynamic_shapes=(shape, shape),
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            raise NotConvertible(f"torch's exporter cannot write {pinned.stack or 'the backbone'}: {error}") from error
        assert program is not None  # noqa: S101 - the exporter asked for gives one
        program.model.metadata_props.update(_facts(backbone, pinned))
        program.save(path)


def _facts(backbone: Backbone, pinned: ResolvedStack) -> dict[str, str]:
    """What whoever serves the file must know and the graph cannot say."""
    head = {} if pinned.head is None else {"task_type": pinned.head[1].task_type}
    labels = {"labels": json.dumps(pinned.head[1].labels)} if pinned.head is not None and pinned.head[1].labels else {}
    return {
        "backbone": backbone.name,
        "stack": str(pinned.stack),
        "text_prefix": backbone.text_prefix,
        "max_length": str(backbone.longest_sentence if pinned.head is None else backbone.max_length),
        **head,
        **labels,
    }


def _largest_error(model: AdaptedModel, pinned: ResolvedStack, path: Path, names: Sequence[str]) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    errors = []
    for ids, mask in _padded(model.backbone):
        with torch.inference_mode():
            hidden = model(ids, mask, stacks=[pinned] * len(ids))
            wanted = _named(names, hidden, mask, pinned, model.sentences)
        found = session.run(list(names), {"input_ids": ids.cpu().numpy(), "attention_mask": mask.cpu().numpy()})
        real = mask.bool().cpu()
        for name, theirs in zip(names, found, strict=True):
            ours, other = wanted[name].cpu(), torch.from_numpy(theirs)
            if other.shape != ours.shape:
                return float("inf")
            # What stands at padding is read by nobody.
            if ours.shape[:2] == real.shape:
                ours, other = ours[real], other[real]
            errors.append(float((other - ours).abs().max() / ours.abs().max().clamp(min=1)))
    return max(errors)


def _named(
    names: Sequence[str], hidden: Tensor, mask: Tensor, pinned: ResolvedStack, sentences: SentenceVectors
) -> dict[str, Tensor]:
    if "logits" in names and pinned.head is not None:
        return {"logits": pinned.head[0](hidden, mask)}
    return {"last_hidden_state": hidden, "sentence_embedding": sentences(hidden, mask)}


def _padded(backbone: Backbone) -> list[tuple[Tensor, Tensor]]:
    """The probes, one alone and all together, with one of them cut short so that there is padding."""
    probes = backbone.probe_inputs()
    return [backbone.pad(probes[:1]), backbone.pad([*probes, probes[0][:-3]])]


def _require_whole(backbone: Backbone) -> None:
    if backbone.architecture.decoder is not None:
        raise NotConvertible(
            f"{backbone.name} is an encoder-decoder, and what is written as ONNX is one list of blocks. Merge the "
            "stack into a transformers folder (adaptkit.merge), and export that with optimum."
        )
    table = backbone.network.get_submodule(backbone.architecture.word_embeddings)
    if backbone.bits != 32 or backbone.network.dtype != torch.float32 or not isinstance(table, nn.Embedding):
        raise NotConvertible(
            f"a backbone held as {backbone.held_as} cannot be written as ONNX; load it with {as_typed(bits=32)} and "
            "resident "
            "embeddings, and quantise the file with onnxruntime if it is to be smaller."
        )


def _require_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"ONNX needs the packages onnx, onnxscript and onnxruntime: {error}. Run: {install_command('onnx')}"
        ) from error


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Without what the exporter says of packages and names that concern nobody here."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
