"""A fresh adapter on a model, on top of frozen ones, with the run that trains it: what all trainings share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from types import MappingProxyType
from typing import TypeAlias

from torch import Tensor

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones.precision import types_as_said, uses_bfloat16
from adaptkit.composition import AdapterId
from adaptkit.config import Kind
from adaptkit.data.survey import SharedLines
from adaptkit.errors import CannotWrite
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, HeldoutScore, LanguageLines
from adaptkit.format.card_sources import SourceFacts
from adaptkit.model import AdaptedModel
from adaptkit.objectives.projection import ProjectionConfig
from adaptkit.options import Recorded
from adaptkit.recipes.foundation import Foundation
from adaptkit.recipes.place import is_finished, log_file, trackers_folder
from adaptkit.recipes.training_facts import training_facts
from adaptkit.requests import Output, Run
from adaptkit.requests.output import checkpoint_folder
from adaptkit.storage import Adapter, load_adapter
from adaptkit.storage.identity import origin_of
from adaptkit.storage.probes import probes_of as record_probes
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.plain_text import one_line
from adaptkit.training import CheckpointFolder, Display, TrainingRun
from adaptkit.training.processes import Processes
from adaptkit.training.randomness import forked
from adaptkit.training.reports import Recorder, Reports
from adaptkit.training.trackers import TrackedRun
from adaptkit.training.training_log import TrainingLog
from adaptkit.version import __version__

_DIGITS = 16
MakeRun = Callable[[AdapterLayers, str, CheckpointFolder | None], TrainingRun]
"""Given the fresh layers, the id under which they are attached, and where checkpoints go."""
Kept: TypeAlias = Callable[[], tuple[ProjectionConfig, Mapping[str, Tensor]] | None]
"""After training, the projection to tokens that the adapter is to keep, and its weights."""


class Fitting:
    """Attaches the foundation and fresh layers, and takes both off again in `close`, or at once if anything fails.

    An adapter of the same name may be attached; it stays as it is. `content` identifies what is trained on, for the
    checkpoint, and `asked` are the options that decide the result, for checkpoint and card.
    """

    def __init__(
        self,
        run: Run,
        output: Output,
        model: AdaptedModel,
        foundation: Foundation,
        adapter_id: AdapterId,
        config: AdapterConfig,
        *,
        asked: Mapping[str, Recorded],
        content: str,
        make_run: MakeRun,
        kept: Kept = lambda: None,
    ) -> None:
        self._asked_run = run
        self._output = output
        self._asked = asked
        self._model = model
        self._foundation = foundation
        self._id = adapter_id
        self._config = config
        self._kept = kept
        self._processes = Processes(model.backbone.device)
        self._lent = foundation.attach_to(model)
        self._attached_as = _free_id(model, adapter_id)
        try:
            with forked(model.backbone.device, run.seed):
                self.layers = model.attach_layers(self._attached_as, config)
                self._lent.append(self._attached_as)
                self._checkpoint = self._checkpoint_of(content)
                self.run = make_run(self.layers, self._attached_as, self._checkpoint)
        except BaseException:
            self.close()
            raise

    def _checkpoint_of(self, content: str) -> CheckpointFolder | None:
        backbone = self._model.backbone
        identity = {
            **{name: str(value) for name, value in self._settings().items()},
            # What "auto" stands for here: another machine may take another type.
            "precision": "bf16" if uses_bfloat16(self._asked_run.precision, backbone.device) else "fp32",
            "adapter": str(self._id),
            "content": content[:_DIGITS],
            "backbone": f"{backbone.name} {backbone.fingerprint.id} ({backbone.held_as})",
            "below": " > ".join(
                f"{adapter.id} ({adapter.weights_sha256[:_DIGITS]})" for adapter in self._foundation.adapters
            ),
        }
        self._processes.require_same(identity)
        output = self._output.path
        return None if output is None else CheckpointFolder(checkpoint_folder(output), identity)

    def _settings(self) -> Mapping[str, Recorded]:
        """What was asked for, and how and where the backbone is held, which may have been given loaded."""
        backbone = self._model.backbone
        return {
            **self._asked,
            "bits": backbone.bits,
            "embeddings": backbone.embeddings,
            "device": backbone.device.type,
        }

    def train(
        self,
        display: Display,
        *,
        kind: Kind,
        languages: set[str | None],
        objective: str,
        source: str,
        text_kind: str,
        licence: str,
        n_lines: int,
        n_tokens: int,
        text_sha256: str,
        losses: Sequence[str] = (),
        n_lines_of: Mapping[str, int] = MappingProxyType({}),
        sources: Sequence[SourceFacts] = (),
        shared: Sequence[SharedLines] = (),
        once_trained: Callable[[], Sequence[HeldoutScore]] = tuple,
    ) -> Adapter:
        """Train, save where an output folder was given, and return the adapter.

        `n_lines_of` are the lines of each language, where an adapter is for several. `once_trained` is called between
        the training and what is saved, and gives the scores for the card.
        """
        output, model = self._output, self._model
        if (finished := self._finished()) is not None:
            display.note(f"that run was complete: its adapter is in {output.folder}")
            return finished
        with forked(model.backbone.device, self._asked_run.seed):
            result = self.run.run(display, resume=output.resumes, reports=self._reports())
        self.layers.eval()
        scores = once_trained()
        inputs = model.backbone.probe_inputs(self._config.n_pieces)
        projection, weights = self._kept() or (None, {})
        adapter = Adapter(
            kind=kind,
            name=self._id.name,
            language=next(iter(languages)) if len(languages) == 1 else None,
            config=replace(self._config, projection=projection),
            origin=origin_of(model.backbone),
            tensors={
                name: self.run.stored(tensor) for name, tensor in {**self.layers.named_tensors(), **weights}.items()
            },
            below=() if self._config.method.fuses else self._foundation.below(languages),
            probes=record_probes(inputs, self._vectors(inputs)),
            card=Card(
                source="" if output.private else one_line(source),
                text_kind=text_kind,
                n_lines=n_lines,
                n_tokens=n_tokens,
                text_sha256="" if output.private else text_sha256,
                licence=licence,
                adaptkit_version=__version__,
                private=output.private,
                losses=tuple(losses),
                languages=tuple(LanguageLines(language=tag, n_lines=n) for tag, n in n_lines_of.items()),
                sources=tuple(sources),
                shared=tuple(shared),
                training=training_facts(
                    result,
                    objective=objective,
                    settings=self._settings(),
                    device=model.backbone.device,
                    scores=scores,
                ),
            ),
        )
        with self._processes.together():
            if self._processes.is_main:
                self._save(adapter)
        self.run.forget_checkpoint()
        return adapter

    def _reports(self) -> Reports:
        output, asked = self._output.path, self._asked_run
        log = None if output is None else TrainingLog(log_file(output))
        settings = {"adapter": str(self._id), "backbone": self._model.backbone.name, **self._settings()}
        tracked = (TrackedRun(each, str(self._id), settings, trackers_folder(output), log) for each in asked.trackers)
        recorders: list[Recorder] = [*([] if log is None else [log]), *tracked]
        return Reports(recorders, asked.callback)

    def _finished(self) -> Adapter | None:
        """The adapter of this very run, where it was killed behind its end."""
        output, found = self._output.path, None
        with self._processes.together():
            if self._processes.is_main and self._output.resumes and output is not None and is_finished(output):
                assert self._checkpoint is not None  # noqa: S101 - there is an output
                self._checkpoint.require_own()
                found = load_adapter(output)
        found = self._processes.from_main(found)
        if found is not None:
            self.run.forget_checkpoint()
        return found

    def _save(self, adapter: Adapter) -> None:
        if self._output.path is None or self._checkpoint is None:
            return
        try:
            self._checkpoint.will_be_saved(adapter.weights_sha256)
            adapter.save(self._output.path, overwrite=self._output.overwrite)
        except CannotWrite as error:
            last = self.run.last_checkpoint()
            how = "" if self._checkpoint.step() is None else f" with {as_typed(resume=True)}"
            raise error.advised(
                f"The adapter is trained and not saved. {last} Make room, and run the same again{how}."
            ) from error

    def _vectors(self, inputs: list[list[int]]) -> Tensor:
        with types_as_said(self._model.backbone.device):
            return self._model.encode_ids(inputs, stack=self._attached_as, whole=True)

    def close(self) -> None:
        """Take off the model what was attached for this run."""
        self._model.detach(*self._lent)


def _free_id(model: AdaptedModel, asked: AdapterId) -> str:
    """The id itself, or where another adapter has it, one that is not taken."""
    others = (f"{asked.kind}/in-training-{number}" for number in count(1))
    return next(found for found in chain([str(asked)], others) if found not in model.attached)
