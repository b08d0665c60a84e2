"""The backbone as a run computes with it: as fast as it can be, in the types that were asked for."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from adaptkit.backbones.hardware import fast_attention
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.backbones.precision import bfloat16_blocks, types_as_said, uses_bfloat16
from adaptkit.model import AdaptedModel
from adaptkit.terminal.asking import as_typed
from adaptkit.training.backbone_passes import BackbonePasses, recording_errors_told
from adaptkit.training.settings import TrainingSettings


@contextmanager
def fast_backbone(model: AdaptedModel, passes: BackbonePasses, settings: TrainingSettings) -> Iterator[None]:
    """While open, the backbone of a model is so.

    Raises:
        OutOfMemory: The memory does not hold a batch; it says which options to turn.
        ConfigError: Steps must be recorded, and cannot be.
    """
    device, network = model.backbone.device, model.backbone.network
    with (
        types_as_said(device),
        fast_attention(network),
        bfloat16_blocks(network, on=uses_bfloat16(settings.precision, device)),
        memory_errors_told("this run", device, _ways_to_less_memory(settings)),
        _recorded(passes),
        _recomputing(model) if settings.gradient_checkpointing else nullcontext(),
    ):
        yield


@contextmanager
def _recorded(passes: BackbonePasses) -> Iterator[None]:
    """While open, what is recorded stays; it is of weights as they lie now."""
    try:
        with recording_errors_told() if passes.records else nullcontext():
            yield
    finally:
        passes.forget()


@contextmanager
def _recomputing(model: AdaptedModel) -> Iterator[None]:
    model.gradient_checkpointing(on=True)
    try:
        yield
    finally:
        model.gradient_checkpointing(on=False)


def _ways_to_less_memory(asked: TrainingSettings) -> str:
    checkpointing = "" if asked.gradient_checkpointing else f"{as_typed(gradient_checkpointing=True)}, "
    return (
        f"Ways to need less: a smaller batch_size (it is {asked.batch_size}), "
        f"{checkpointing}a smaller max_length, a backbone in fewer bits ({as_typed(bits=8)} or 4)."
    )
