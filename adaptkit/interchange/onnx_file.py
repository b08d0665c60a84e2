"""An ONNX file: what it needs, torch's exporter that writes it, and the session that runs it."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from adaptkit.backbones import Backbone
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.terminal.asking import as_typed
from adaptkit.version import install_command

if TYPE_CHECKING:
    import onnxruntime

MODEL_FILE = "model.onnx"
TEXT_INPUTS = ("input_ids", "attention_mask")
_ONLY_ERRORS = 3


def exported(
    module: nn.Module,
    backbone: Backbone,
    what: str,
    *,
    outputs: Sequence[str],
    more_inputs: Sequence[str] = (),
    more_arguments: Sequence[object] = (),
    more_shapes: Sequence[object] = (),
    translations: Mapping[Callable[..., object], Callable[..., object]] | None = None,
) -> torch.onnx.ONNXProgram:
    """The program of a module that reads token ids and a mask of any shape, and then `more_arguments`.

    Raises:
        NotConvertible: torch's exporter cannot write it; `what` names it.
    """
    shape = {0: "batch", 1: "seq"}
    with torch.no_grad(), quiet_exporter():
        try:
            program = torch.onnx.export(
                module,
                (*padded(backbone)[-1], *more_arguments),
                dynamo=True,
                input_names=(*TEXT_INPUTS, *more_inputs),
                output_names=outputs,
                dynamic_shapes=(shape, shape, *more_shapes),
                custom_translation_table=None if translations is None else dict(translations),
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            raise NotConvertible(f"torch's exporter cannot write {what}: {error}") from error
    assert program is not None  # noqa: S101 - the exporter asked for gives one
    return program


def opened(path: Path) -> "onnxruntime.InferenceSession":
    """A session on the CPU, which says nothing but errors."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ONLY_ERRORS
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def fed(ids: Tensor, mask: Tensor) -> dict[str, Any]:
    """Token ids and mask as a session reads them. Shape: both (batch, seq)."""
    return dict(zip(TEXT_INPUTS, (ids.cpu().numpy(), mask.cpu().numpy()), strict=True))


def padded(backbone: Backbone) -> list[tuple[Tensor, Tensor]]:
    """The probes, one alone and all together, with one of them cut short so that there is padding."""
    probes = backbone.probe_inputs()
    return [backbone.pad(probes[:1]), backbone.pad([*probes, probes[0][:-3]])]


def require_whole(backbone: Backbone) -> None:
    """Let a backbone be one that is written as ONNX.

    Raises:
        NotConvertible: It has two sides, or is not held in 32 bits as a whole.
    """
    if backbone.architecture.decoder is not None:
        raise NotConvertible(
            f"{backbone.name} is an encoder-decoder, and what is written as ONNX is one list of blocks. Merge the "
            "stack into a transformers folder (adaptkit.merge), and export that with optimum."
        )
    table = backbone.network.get_submodule(backbone.architecture.word_embeddings)
    if backbone.bits != 32 or backbone.network.dtype != torch.float32 or not isinstance(table, nn.Embedding):
        raise NotConvertible(
            f"a backbone held as {backbone.held_as} cannot be written as ONNX; load it with {as_typed(bits=32)} and "
            "resident embeddings, and quantise the file with onnxruntime if it is to be smaller."
        )


def require_packages() -> None:
    """Let the packages of the extra be there.

    Raises:
        ConfigError: One is not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"ONNX needs the packages onnx, onnxscript and onnxruntime: {error}. Run: {install_command('onnx')}"
        ) from error


@contextmanager
def quiet_exporter() -> Iterator[None]:
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
