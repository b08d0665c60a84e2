"""Where a run trains: the model that it trains on, and the folder that it writes to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptkit.backbones.device import device_for
from adaptkit.errors import AdapterFileError, CheckpointError, ConfigError
from adaptkit.format import spec
from adaptkit.format.folder import check_replaceable
from adaptkit.format.leftovers import recover
from adaptkit.format.litter import LOG, TRACKERS
from adaptkit.format.lock import only_writer
from adaptkit.model import AdaptedModel, load_model
from adaptkit.requests import LoadedModel, Output, Pretrained
from adaptkit.requests.output import checkpoint_folder
from adaptkit.storage import load_adapter
from adaptkit.terminal.asking import as_typed
from adaptkit.training.checkpoint import remove_checkpoint, saved_as
from adaptkit.training.processes import Processes
from adaptkit.training.training_log import require_log

_ADAPTER_FILES = spec.ADAPTER_FILES.keys() | spec.OPTIONAL_FILES.keys()


def log_file(output: Path) -> Path:
    """Where the log of a run with this output lies: beside it, and it stays there."""
    return output.with_name(f"{output.name}{LOG}")


def trackers_folder(output: Path | None) -> Path | None:
    """Where trackers that write files write them: beside the output."""
    return None if output is None else output.with_name(f"{output.name}{TRACKERS}")


def check_output(asked: Output) -> None:
    """See before any work that the output can be written, and that no interrupted run is lost.

    What a killed run left half-written beside output and checkpoint is put right first.

    Raises:
        ConfigError: Something is in the way; it says what to do.
        CheckpointError: There is no checkpoint to resume.
    """
    output = asked.path
    if output is None:
        return
    checkpoint = checkpoint_folder(output)
    for place in (output, checkpoint):
        recover(place)
    try:
        check_replaceable(output, _ADAPTER_FILES, overwrite=True)
    except ConfigError as error:
        raise ConfigError(f"{output} is there and is not an adapter's folder; nothing was trained. {error}") from error
    if is_finished(output) and (asked.resumes or asked.overwrite):
        return
    require_log(log_file(output))
    if output.exists() and not asked.overwrite:
        raise ConfigError(_taken(output, checkpoint))
    there = next(parent for parent in output.absolute().parents if parent.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise ConfigError(
            f"{output} cannot be written: {there} is not a folder that you may write to. Give another one."
        )
    if checkpoint.exists() and not asked.resumes:
        raise ConfigError(
            f"{checkpoint} holds the checkpoint of an interrupted run. Go on with {as_typed(resume=True)}, or "
            "delete that folder "
            "to start again."
        )
    if asked.resume and not checkpoint.exists():
        raise CheckpointError(
            f"there is no checkpoint to resume: {checkpoint} is not there. Leave {as_typed(resume=True)} out to "
            "start. A job that "
            f"may be started again takes {as_typed(resume_or_start=True)}, which does either."
        )


def _taken(output: Path, checkpoint: Path) -> str:
    if not checkpoint.exists():
        return f"{output} exists already; nothing was trained. Give another folder, or {as_typed(overwrite=True)}."
    return (
        f"{output} exists already, and {checkpoint} holds the checkpoint of an interrupted run; nothing was trained. "
        f"To go on with that run and then replace the adapter, give {as_typed(resume=True)} and "
        f"{as_typed(overwrite=True)}. To keep the "
        f"adapter, delete {checkpoint}, or give another folder."
    )


def is_finished(output: Path) -> bool:
    """Whether a run was killed when its adapter was saved and only its checkpoint was still to be deleted."""
    weights_sha256 = saved_as(checkpoint_folder(output))
    if weights_sha256 is None:
        return False
    try:
        return load_adapter(output).weights_sha256 == weights_sha256
    except AdapterFileError:
        return False


@contextmanager
def output_taken(asked: Output) -> Iterator[None]:
    """The output for this run alone, while open.

    Raises:
        ConfigError: As `check_output`, or another training writes there.
        CheckpointError: As `check_output`.
    """
    check_output(asked)
    output = asked.path
    if output is None:
        yield
        return
    with only_writer(output, what="training"):
        check_output(asked)  # the one before may just have ended
        if is_finished(output) and not asked.resumes:
            remove_checkpoint(checkpoint_folder(output))
        yield


def processes_of(backbone: Pretrained | LoadedModel) -> Processes:
    """The processes that a launcher started to train together; one, where there is no launcher.

    Raises:
        ConfigError: There is no such device, or one GPU is named for several of them; or this is no backbone.
    """
    if not isinstance(backbone, Pretrained):
        return Processes(_given(backbone).backbone.device)
    processes = Processes(device_for(backbone.device))
    if processes.count > 1 and ":" in backbone.device:
        raise ConfigError(
            f"{as_typed(device=backbone.device)} names one GPU, and {processes.count} processes train together. Say "
            f"{as_typed(device='cuda')}: each then takes its own."
        )
    return processes


def model_of(backbone: Pretrained | LoadedModel) -> AdaptedModel:
    """The model that was given, or the backbone that was named, loaded.

    Raises:
        ConfigError: A device that is not there, or what is no backbone.
        BackboneError: A backbone that cannot be loaded.
    """
    if not isinstance(backbone, Pretrained):
        return _given(backbone)
    return load_model(backbone.backbone, bits=backbone.bits, embeddings=backbone.embeddings, device=backbone.device)


def _given(backbone: LoadedModel) -> AdaptedModel:
    if not isinstance(backbone, AdaptedModel):
        raise ConfigError(
            f"backbone is a hub id, a folder, adaptkit.Pretrained(...) or a loaded model, found {backbone!r:.80}."
        )
    return backbone
