"""Checkpoints: adapter, objective, optimizer, random state and position, as safetensors and JSON. Never a pickle."""

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save as serialise

from adaptkit.errors import AdapterFileError, CheckpointError, ConfigError
from adaptkit.format.folder import (
    Folder,
    check_replaceable,
    parse_object,
    read_file,
    read_json,
    whole_file,
    write_folder,
)
from adaptkit.format.leftovers import discard
from adaptkit.format.spec import MAX_JSON_BYTES, MAX_WEIGHTS_BYTES
from adaptkit.format.typed_json import MistypedJson, decode, encode
from adaptkit.storage.tensors import parse_tensors
from adaptkit.training.progress import Progress
from adaptkit.training.randomness import RandomStreams
from adaptkit.training.state import TrainingState
from adaptkit.version import __version__

CHECKPOINT_VERSION = 3
_NOT_ASKED_FOR = ("False", "None")
_TENSORS = "checkpoint.safetensors"
_FACTS = "checkpoint.json"
_SAVED = "saved"
_FILES = (_TENSORS, _FACTS, _SAVED)


@dataclass(frozen=True, kw_only=True)
class _Checkpoint:
    version: int
    run: Mapping[str, str]
    tensors_sha256: str
    random_states: Mapping[str, str]
    progress: Progress


@dataclass(frozen=True)
class Stored:
    """The two files of a checkpoint."""

    facts: bytes
    tensors: bytes


@dataclass(frozen=True)
class CheckpointFolder:
    """A folder beside the output. `run` identifies settings, backbone and data: another run's checkpoint is refused."""

    path: Path
    run: Mapping[str, str]

    def save(self, progress: Progress, state: TrainingState, random_states: Mapping[str, bytes]) -> None:
        """Write the checkpoint whole or not at all, over the one before."""
        tensors = serialise({name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors().items()})
        facts = _Checkpoint(
            version=CHECKPOINT_VERSION,
            run=self.run,
            tensors_sha256=hashlib.sha256(tensors).hexdigest(),
            random_states={name: base64.b64encode(it).decode() for name, it in random_states.items()},
            progress=progress,
        )
        content = json.dumps(encode(facts)).encode()
        (self.path / _SAVED).unlink(missing_ok=True)
        write_folder(self.path, {_TENSORS: tensors, _FACTS: content}, overwrite=True)

    def will_be_saved(self, weights_sha256: str) -> None:
        """Note in the checkpoint which adapter comes out of its run: who finds both knows that the run was complete."""
        if self.exists():
            with whole_file(self.path / _SAVED) as partial:
                partial.write_text(weights_sha256, encoding="ascii")

    def exists(self) -> bool:
        """Whether there is something to resume."""
        return self.path.exists()

    def step(self) -> int | None:
        """The step that the checkpoint is of; None where there is none that can be read."""
        try:
            return decode(_Checkpoint, read_json(Folder(self.path), _FACTS)).progress.step
        except (AdapterFileError, MistypedJson, OSError):
            return None

    def read(self) -> "Stored":
        """What lies there, as it lies there.

        Raises:
            CheckpointError: It cannot be read.
        """
        try:
            return Stored(
                facts=read_file(self.path, _FACTS, max_bytes=MAX_JSON_BYTES),
                tensors=read_file(self.path, _TENSORS, max_bytes=MAX_WEIGHTS_BYTES),
            )
        except AdapterFileError as error:
            raise self._unreadable(error) from error

    def load(self, stored: "Stored", state: TrainingState, streams: RandomStreams) -> Progress:
        """Put a checkpoint's numbers into a state that was just built, and restore the random streams.

        Raises:
            CheckpointError: It belongs to another run, or is damaged.
        """
        try:
            found = self._decoded(parse_object(stored.facts, self.path / _FACTS))
            self._require_own(found)
            shapes = {name: tuple(tensor.shape) for name, tensor in state.tensors().items()}
            tensors = parse_tensors(stored.tensors, shapes, self.path / _TENSORS)
        except (AdapterFileError, MistypedJson) as error:
            raise self._unreadable(error) from error
        if hashlib.sha256(stored.tensors).hexdigest() != found.tensors_sha256:
            raise CheckpointError(
                f"{self.path} is damaged: its files do not belong together. Delete it to start again."
            )
        try:
            states = {name: base64.b64decode(it, validate=True) for name, it in found.random_states.items()}
            streams.restore(states)
        except ValueError as error:
            raise CheckpointError(f"{self.path} is damaged: {error}. Delete it to start again.") from error
        state.restore(tensors)
        return found.progress

    def require_own(self) -> None:
        """See that the checkpoint is this run's.

        Raises:
            CheckpointError: It is another run's, or cannot be read.
        """
        try:
            self._require_own(self._decoded(read_json(Folder(self.path), _FACTS)))
        except (AdapterFileError, MistypedJson) as error:
            raise self._unreadable(error) from error

    def _decoded(self, content: Mapping[str, object]) -> _Checkpoint:
        """What a checkpoint says of itself.

        Raises:
            CheckpointError: Another version has written it.
            MistypedJson: It is not a checkpoint.
        """
        version = content.get("version")
        if type(version) is int and version != CHECKPOINT_VERSION:
            raise CheckpointError(
                f"{self.path} is a checkpoint of version {version}, and this adaptkit ({__version__}) goes on with "
                f"version {CHECKPOINT_VERSION} alone: another would train differently from there. Delete {self.path} "
                "to start again, or finish the run with the adaptkit that began it."
            )
        return decode(_Checkpoint, content)

    def _require_own(self, found: _Checkpoint) -> None:
        # An option that one of the two does not know changes nothing where the other was not asked for it.
        theirs = {**_not_asked_for(self.run), **found.run}
        ours = {**_not_asked_for(found.run), **self.run}
        if theirs != ours:
            raise CheckpointError(
                f"{self.path} holds the checkpoint of another run: {_differences(theirs, ours)}. Resume with "
                f"the same arguments, or delete {self.path} to start again."
            )

    def _unreadable(self, error: Exception) -> CheckpointError:
        return CheckpointError(f"the checkpoint cannot be read: {error}. Delete {self.path} to start again.")

    def remove(self) -> None:
        """Delete the checkpoint; called when the run is complete."""
        if self.exists():
            remove_checkpoint(self.path)


def _differences(theirs: Mapping[str, str], ours: Mapping[str, str]) -> str:
    """What is not the same, by name."""
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    told = [f"{name} was {theirs.get(name, 'not known')}, now {ours.get(name, 'not known')}" for name in names]
    return "; ".join(told)


def _not_asked_for(run: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in run.items() if value in _NOT_ASKED_FOR}


def remove_checkpoint(checkpoint: Path) -> None:
    """Delete a checkpoint; what somebody else keeps in its folder stays, and so does the folder then."""
    try:
        check_replaceable(checkpoint, _FILES, overwrite=True)
    except (ConfigError, OSError):
        for name in _FILES:
            with suppress(OSError):
                (checkpoint / name).unlink()
    else:
        discard(checkpoint)


def saved_as(checkpoint: Path) -> str | None:
    """The SHA-256 of the weights that came out of the run of a checkpoint; None where none did yet."""
    try:
        return read_file(checkpoint, _SAVED, max_bytes=64).decode("ascii")
    except (AdapterFileError, UnicodeDecodeError):
        return None
