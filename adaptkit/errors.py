"""Every error that adaptkit raises on purpose, in one tree.

AdaptkitError
├── ConfigError                an argument or option that cannot be right
│   ├── UnknownLanguage        a language name that is no language
│   └── UnknownLabel           a label that the task's head does not have
├── OutOfMemory                the machine's or the GPU's memory is not enough; says which options to turn
├── BackboneError
│   ├── BackboneUnavailable    nothing at that name, and no hub answers
│   ├── UnsupportedArchitecture  no table row for this model type
│   └── CorruptBackbone        the embedded weights are not the ones expected
├── DataError
│   ├── SourceNotFound         no such file, folder or hub data set
│   ├── MalformedText          broken UTF-8, JSON, a missing column: file and line
│   ├── EmptyCorpus            nothing left to train on
│   └── UnsuitableText         triage found text that this tokenizer cannot represent
├── CannotWrite                a file or folder that cannot be written, as on a full disk
├── HubError                   a model hub that does not answer, refuses, or sends what it did not announce
├── AdapterFileError           the folder cannot be read safely (see docs/file-format.md)
│   ├── NotAnAdapter           a file is missing or is not what its name says
│   ├── UnsafePath             a symlink, or a path that leaves the folder
│   ├── UnknownVersion         written by a format that this reader does not know
│   ├── MalformedConfig        a JSON file with wrong, missing or unknown fields
│   ├── LimitExceeded          a size, rank or count above the reader's bounds
│   ├── MalformedTensorFile    truncated, or its header contradicts itself
│   ├── TensorSetMismatch      missing or extra tensors
│   ├── TensorShapeMismatch    a tensor of another shape
│   ├── TensorDtypeMismatch    a tensor of a type that adapters do not have
│   ├── NonFiniteTensor        NaN or Inf among the weights
│   ├── PiecesChanged          the pieces of text are not those the record was written for
│   ├── WeightsChanged         the weight file is not the one the record was written for
│   ├── MalformedArchive       a zip or tar file that is broken
│   ├── UnexpectedFile         a file that an adapter folder or a zoo does not have
│   ├── IndexMismatch          a zoo is not what its index says
│   └── SignatureMismatch      not signed, or not by that key, or changed since
├── NotConvertible             an adapter with something that the other library, or ours, does not compute
├── CompatibilityError         a sound adapter, and not for this model
│   ├── ArchitectureMismatch   other layers or widths
│   ├── BackboneMismatch       the same shape with other weights
│   ├── TokenizerMismatch      another vocabulary or normaliser
│   ├── OtherVectors           an index of sentences whose vectors this model does not make
│   ├── ProbeMismatch          everything fits, and the outputs are still not the recorded ones
│   └── MergeLoss              merged into the backbone, too little of what the adapters did is left
├── CompositionError
│   ├── UnknownAdapter         nothing attached under that name
│   ├── AmbiguousAdapter       a bare name that two adapters share, attached or in the zoo
│   ├── AdapterExists          the id is attached already
│   └── NoHead                 a prediction was asked of a stack that ends in no task adapter
├── ServerFailed               a server that could not start
└── TrainingError
    ├── DivergedTraining       the loss became NaN or infinite
    ├── TrainingInterrupted    stopped by the user or a scheduler; a checkpoint was written
    ├── CallbackFailed         the caller's own function raised something; a checkpoint was written
    ├── CheckpointError        the checkpoint does not belong to this run, or cannot be resumed
    └── ProcessFailed          something went wrong in another process of the same run

Each message says what was asked, what was found, what would be right and what to do. The objects
concerned are attributes, so that a caller (or a test) need not read the text.
"""

import signal
from collections.abc import Sequence
from pathlib import Path

from adaptkit.terminal.asking import for_reader
from adaptkit.terminal.plain_text import one_line, printable

_MOST_SIGNS = 4_000


class AdaptkitError(Exception):
    """Base of every error that adaptkit raises on purpose.

    A message may quote what a stranger wrote: signs that steer a terminal are shown as U+FFFD, and of a very long one
    the middle is left out.
    """

    def __str__(self) -> str:
        message = printable(super().__str__())
        left_out = len(message) - _MOST_SIGNS
        if left_out <= 0:
            return message
        end = _MOST_SIGNS // 4
        return f"{message[: _MOST_SIGNS - end]} [{left_out:,} characters omitted] {message[-end:]}"


class ConfigError(AdaptkitError):
    """An argument or option that cannot be right."""


class UnknownLanguage(ConfigError):
    """A name that is no language known to adaptkit; `suggestions` are near ones."""

    def __init__(self, asked: str, suggestions: Sequence[str] = ()) -> None:
        self.asked = asked
        self.suggestions = tuple(suggestions)
        hint = f" Did you mean {' or '.join(self.suggestions)}?" if self.suggestions else ""
        super().__init__(
            f"no language is known as {asked!r}.{hint} "
            "Give a BCP-47 tag (sw), an ISO 639-3 or FLORES code (swh, swh_Latn) or an English name (Swahili)."
        )


class UnknownLabel(ConfigError):
    """A label that the task's head does not have."""

    def __init__(self, asked: str, labels: Sequence[str]) -> None:
        self.asked = asked
        self.labels = tuple(labels)
        super().__init__(
            f"the data has the label {asked!r}, but the head knows {', '.join(map(repr, self.labels))}. Rename the "
            "labels in the data, or train a task adapter on these."
        )


class OutOfMemory(AdaptkitError):
    """The memory of the machine, or of its GPU, is not enough for what was asked."""


class BackboneError(AdaptkitError):
    """A backbone that cannot be used."""


class BackboneUnavailable(BackboneError):
    """Nothing at that name, and no hub answers."""


class UnsupportedArchitecture(BackboneError):
    """No table row for this model type."""

    def __init__(self, asked: str, supported: Sequence[str]) -> None:
        self.asked = asked
        self.supported = tuple(supported)
        super().__init__(
            f"model type {asked!r} has no row in the architecture table; supported: {', '.join(self.supported)}. "
            "Add a row to adaptkit/backbones/networks.py (docs/how-to/add-an-architecture.md)."
        )


class CorruptBackbone(BackboneError):
    """The embedded weights or tokenizer are not the ones expected."""


class DataError(AdaptkitError):
    """Text that cannot be read or used."""


class SourceNotFound(DataError):
    """No such file, folder or hub data set."""


class MalformedText(DataError):
    """Broken UTF-8, broken JSON, a missing column. `line` counts from 1."""

    def __init__(self, file: str | Path, line: int, found: str, expected: str) -> None:
        self.file = str(file)
        self.line = line
        super().__init__(f"{file}, line {line}: found {found}; expected {expected}.")


class EmptyCorpus(DataError):
    """Nothing left to train on."""


class UnsuitableText(DataError):
    """Triage found text that this tokenizer cannot represent."""


class CannotWrite(AdaptkitError, OSError):
    """A file or folder that cannot be written: a full disk, a limit on file sizes, no permission.

    `path` is the place, `needed` its size in bytes where that was known, and `errno` the system's number.
    """

    def __init__(self, path: Path, error: OSError, needed: int | None = None, advice: str = "") -> None:
        self.path = path
        self.needed = needed
        self._error = error
        size = "" if needed is None else f" ({needed:,} bytes)"
        said = f"{path}{size} cannot be written: {error.strerror or error}. What was there before is as it was."
        super().__init__(f"{said} {advice}".rstrip())
        self.errno = error.errno

    def advised(self, advice: str) -> "CannotWrite":
        """The same with what follows from it, or is to be done."""
        return CannotWrite(self.path, self._error, self.needed, advice)


class HubError(AdaptkitError):
    """A model hub that does not answer, refuses, or sends something else than it announced."""


class AdapterFileError(AdaptkitError):
    """An adapter folder that cannot be read safely."""

    def __init__(self, path: str | Path, message: str) -> None:
        self.path = Path(path)
        # One line, however many the file would make of it.
        super().__init__(one_line(f"{path}: {message}"))


class NotAnAdapter(AdapterFileError):
    """A file is missing or is not what its name says."""


class UnsafePath(AdapterFileError):
    """A symlink, or a path that leaves the folder."""


class UnknownVersion(AdapterFileError):
    """Written by a format version that this reader does not know."""


class MalformedConfig(AdapterFileError):
    """A JSON file with wrong, missing or unknown fields."""


class LimitExceeded(AdapterFileError):
    """A size, rank or count above the reader's bounds."""


class MalformedTensorFile(AdapterFileError):
    """A safetensors file that is truncated or contradicts itself."""


class TensorSetMismatch(AdapterFileError):
    """Missing or extra tensors."""

    def __init__(self, path: str | Path, missing: Sequence[str], extra: Sequence[str]) -> None:
        self.missing = tuple(missing)
        self.extra = tuple(extra)
        parts = [
            f"{len(names)} {word} (first: {names[0]})"
            for word, names in (("missing", missing), ("extra", extra))
            if names
        ]
        super().__init__(path, f"the tensor set differs from what the config promises: {', '.join(parts)}.")


class TensorShapeMismatch(AdapterFileError):
    """A tensor whose shape is not the one that config and backbone give."""


class TensorDtypeMismatch(AdapterFileError):
    """A tensor of a type that adapters do not have."""


class NonFiniteTensor(AdapterFileError):
    """NaN or Inf among the weights."""


class WeightsChanged(AdapterFileError):
    """The weight file is sound, and not the one that the record beside it was written for."""


class PiecesChanged(AdapterFileError):
    """The pieces of text in the config are sound, and not those that the record beside it was written for."""


class MalformedArchive(AdapterFileError):
    """A zip or tar file that is broken, or of a kind that is not read."""


class UnexpectedFile(AdapterFileError):
    """A file that an adapter folder or a zoo does not have."""


class IndexMismatch(AdapterFileError):
    """A zoo is not what its index says: a file was changed, added or taken away since."""


class SignatureMismatch(AdapterFileError):
    """There is no signature, it is another key's, or what it was made for has changed."""


class NotConvertible(AdaptkitError):
    """An adapter of another library with what ours does not compute, or one of ours with what that one does not."""


class CompatibilityError(AdaptkitError):
    """A sound adapter that is not for this model."""


class ArchitectureMismatch(CompatibilityError):
    """The backbone has other layers or widths than the adapter was trained on."""


class BackboneMismatch(CompatibilityError):
    """The backbone has the right shape and other weights."""


class TokenizerMismatch(CompatibilityError):
    """The tokenizer gives other ids."""


class OtherVectors(CompatibilityError):
    """An index of sentences that was made by another backbone, in another precision, or under other adapters."""


class ProbeMismatch(CompatibilityError):
    """Everything fits, and the outputs are still not the recorded ones."""


class MergeLoss(CompatibilityError):
    """A merged backbone that does too little of what the adapters did."""


class CompositionError(AdaptkitError):
    """A stack that cannot be activated."""


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


class UnknownAdapter(CompositionError):
    """Nothing is attached under that name, or in the model's zoo, if it has one."""

    def __init__(
        self, asked: str, attached: Sequence[str], suggestions: Sequence[str] = (), in_zoo: Sequence[str] = ()
    ) -> None:
        self.asked = asked
        self.attached = tuple(attached)
        self.suggestions = tuple(suggestions)
        hint = f" Did you mean {' or '.join(self.suggestions)}?" if self.suggestions else ""
        attached_now = f"Attached: {', '.join(self.attached) or 'none'}."
        if in_zoo:
            super().__init__(
                f"no adapter {asked} is attached or in the zoo.{hint} {attached_now} In the zoo: {_some(in_zoo)}."
            )
        else:
            how = for_reader(
                "Attach it first: model.attach(adaptkit.load_adapter(folder)).",
                in_shell="Name a folder of adapters that has it: --zoo FOLDER.",
            )
            super().__init__(f"no adapter {asked} is attached.{hint} {attached_now} {how}")


class AmbiguousAdapter(CompositionError):
    """A bare name that two adapters share, attached or in the model's zoo."""

    def __init__(self, asked: str, candidates: Sequence[str]) -> None:
        self.asked = asked
        self.candidates = tuple(candidates)
        super().__init__(f"{asked!r} may mean {' or '.join(self.candidates)}; write the whole id.")


class AdapterExists(CompositionError):
    """The id is attached already, with other tensors."""


class NoHead(CompositionError):
    """A prediction was asked of a stack that ends in no task adapter."""

    def __init__(self, asked: str, heads: Sequence[str]) -> None:
        self.asked = asked
        self.heads = tuple(heads)
        if not heads:
            how = for_reader(
                "attach one (model.attach, attach_zoo)", in_shell="name a folder that has one (--zoo FOLDER)"
            )
            at_hand = f"No adapter with a head is attached or in the model's zoo: {how}"
        else:
            at_hand = f"Adapters with a head, attached or in the model's zoo: {_some(heads)}. Put one on top"
        vectors = for_reader(", or use encode for sentence vectors", in_shell="")
        super().__init__(
            f"the stack {asked or '(empty)'} ends in no adapter with a head, so it predicts nothing. "
            f"{at_hand}{vectors}."
        )


class ServerFailed(AdaptkitError):
    """A server that could not start."""


class TrainingError(AdaptkitError):
    """A training run that cannot go on."""


class DivergedTraining(TrainingError):
    """The loss is NaN or infinite."""


class TrainingInterrupted(TrainingError):
    """Stopped by the user or a scheduler, by `signal_number`; the checkpoint to resume is in `checkpoint`."""

    def __init__(self, message: str, checkpoint: Path | None, signal_number: int = signal.SIGINT) -> None:
        self.checkpoint = checkpoint
        self.signal_number = signal_number
        super().__init__(message)


class CallbackFailed(TrainingError):
    """The caller's own function raised something, its `__cause__`; the checkpoint to resume is in `checkpoint`."""

    def __init__(self, message: str, checkpoint: Path | None) -> None:
        self.checkpoint = checkpoint
        super().__init__(message)


class CheckpointError(TrainingError):
    """The checkpoint does not belong to this run, or the source cannot be read again."""


class ProcessFailed(TrainingError):
    """Something went wrong in another process of the same run, so that this one cannot go on.

    `index` is its number, or None where it ended without telling.
    """

    def __init__(self, index: int | None, count: int, message: str) -> None:
        self.index = index
        who = "another process" if index is None else f"process {index}"
        said = f"ended during the run ({message}); see what it printed" if index is None else f"failed: {message}"
        super().__init__(f"{who} of the {count} that train together {said}")
