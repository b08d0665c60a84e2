"""Where a run trains: the model that it trains on, and the folder that it writes to."""

import os
from pathlib import Path
from typing import cast

from adaptkit.backbones import Bits, embedding_form
from adaptkit.backbones.device import device_for
from adaptkit.errors import ConfigError
from adaptkit.model import AdaptedModel, load_model
from adaptkit.recipes.request import TrainingRequest
from adaptkit.storage import format as spec
from adaptkit.training.processes import Processes

_ADAPTER_FILES = spec.ADAPTER_FILES.keys() | spec.OPTIONAL_FILES.keys()


def checkpoint_folder(output: Path) -> Path:
    """Where the checkpoints of a run with this output lie: beside it."""
    return output.with_name(f"{output.name}.checkpoint")


def check_output(request: TrainingRequest) -> None:
    """See before any work that the output can be written, and that no interrupted run is lost.

    Raises:
        ConfigError: Something is in the way; it says what to do.
    """
    output = request.output_folder
    if output is None:
        return
    if output.exists() and not request.overwrite:
        raise ConfigError(f"{output} exists already; nothing was trained. Give another folder, or overwrite=True.")
    if output.exists() and not (output.is_dir() and {entry.name for entry in output.iterdir()} <= _ADAPTER_FILES):
        raise ConfigError(f"{output} is there and is no adapter's folder; nothing was trained. Give another folder.")
    there = next(parent for parent in output.absolute().parents if parent.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise ConfigError(f"{output} cannot be written: {there} is no folder that you may write to. Give another one.")
    if checkpoint_folder(output).exists() and not request.resume:
        raise ConfigError(
            f"{checkpoint_folder(output)} holds the checkpoint of an interrupted run. Go on with resume=True, or "
            "delete that folder to start again."
        )


def processes_of(request: TrainingRequest) -> Processes:
    """The processes that a launcher started to train together; one, where there is no launcher.

    Raises:
        ConfigError: There is no such device, or one GPU is named for several of them.
    """
    given = request.backbone
    if isinstance(given, AdaptedModel):
        return Processes(given.backbone.device)
    device = device_for(request.device)
    processes = Processes(device)
    if processes.count > 1 and ":" in request.device:
        raise ConfigError(
            f"device={request.device!r} names one GPU, and {processes.count} processes train together. Say "
            "device='cuda': each then takes its own."
        )
    return processes


def model_for(request: TrainingRequest) -> AdaptedModel:
    """The model that was given, or the backbone that was named, loaded.

    Raises:
        ConfigError: A device that is not there.
        BackboneError: A backbone that cannot be loaded.
    """
    if isinstance(request.backbone, AdaptedModel):
        return request.backbone
    return loaded(request.backbone, bits=request.bits, embeddings=request.embeddings, device=request.device)


def loaded(backbone: str | None, *, bits: int, embeddings: str | None, device: str) -> AdaptedModel:
    """`load_model` for values as a shell gives them.

    Raises:
        ConfigError: A device, bits or a form of embeddings that there is not.
        BackboneError: A backbone that cannot be loaded.
    """
    form = embedding_form(bits, embeddings)
    return load_model(backbone, bits=cast(Bits, bits), embeddings=form, device=device)
