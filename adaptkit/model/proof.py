"""Proof that adapters belong to a backbone: by what they say of it, and by what they give on it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import torch
import transformers

from adaptkit.attaching import BARE, AdapterLayers, RowPlan
from adaptkit.backbones import Backbone
from adaptkit.collector import collector_resting
from adaptkit.errors import ConfigError, ProbeMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.probe import Probe
from adaptkit.model.building import LayerBuilder
from adaptkit.model.encoding import Encoder
from adaptkit.model.kept_proofs import KeptProofs, code_stamp
from adaptkit.model.notices import Notices
from adaptkit.model.registry import Attachment
from adaptkit.model.resolving import Resolver
from adaptkit.model.trials import PROBE_TOLERANCE, Trial, Trials
from adaptkit.storage import Adapter
from adaptkit.storage.identity import check_identity, readable_probes
from adaptkit.storage.probes import components, largest_error
from adaptkit.version import __version__

_Proof: TypeAlias = tuple[str, AdapterConfig, tuple[Probe, ...]]

_ALONE = RowPlan(BARE, {})


class Prover:
    """Builds the layers of adapters for one backbone, and lets nobody have them before they were tried there."""

    def __init__(self, backbone: Backbone, encoder: Encoder, resolver: Resolver, notices: Notices) -> None:
        self._backbone = backbone
        self._build = LayerBuilder(backbone)
        self._encoder = encoder
        self._resolver = resolver
        self._notices = notices
        self._trials = Trials(backbone)
        self._proven: set[_Proof] = set()

    def proven(self, adapters: Sequence[Adapter], *, replay: bool = False) -> dict[str, Attachment]:
        """The frozen layers of adapters that were found to be ones for this backbone, by id, fusions last.

        With `replay`, what they recorded is replayed though it was proven before.

        Raises:
            ArchitectureMismatch, TokenizerMismatch, BackboneMismatch: They were trained on another backbone.
            ProbeMismatch: They give other outputs than the recorded ones.
            UnknownAdapter: A fusion of adapters that are not attached.
        """
        for adapter in adapters:
            check_identity(adapter, self._backbone)
            # Read once, so that pieces that do not go with this tokenizer are refused here.
            self._backbone.reader(adapter.config.reading)
        # A stack may be named for the first time inside inference mode, and its layers outlive that.
        with torch.inference_mode(mode=False), collector_resting():
            entries = [(adapter, self._build.holding(adapter)) for adapter in sorted(adapters, key=_is_fusion)]
        plain = [(adapter, layers) for adapter, layers in entries if not _is_fusion(adapter)]
        beside = {adapter.id: layers for adapter, layers in plain}
        self._replay_probes(plain, beside, replay=replay)
        # Fusions one by one, as one may fuse what came before it.
        for adapter, layers in entries[len(plain) :]:
            self._replay_probes([(adapter, layers)], beside, replay=replay)
            beside[adapter.id] = layers
        self._notices.of_effects(adapters)
        return {adapter.id: Attachment(layers, adapter) for adapter, layers in entries}

    def _replay_probes(
        self, entries: Sequence[tuple[Adapter, AdapterLayers]], beside: Mapping[str, AdapterLayers], *, replay: bool
    ) -> None:
        """Replay what was recorded, each adapter alone, whatever it will be stacked on; all in the same batches."""
        unproven = [entry for entry in entries if replay or not self._is_proven(*entry)]
        with collector_resting():
            whole = [self._trial(adapter, layers, beside) for adapter, layers in unproven]
            trials = whole if replay else [*self._trials.shortened(whole)]
        errors = dict(zip(trials, self._errors(trials), strict=True))
        doubtful = [trial for trial, error in errors.items() if trial.is_doubtful(error)]
        errors |= zip(doubtful, self._errors([trial.whole() for trial in doubtful]), strict=True)
        for trial, error in errors.items():
            self._require_as_recorded(trial.adapter, error)
        self._trials.passed(trials)
        self._proven.update(_proof_of(trial.adapter) for trial in trials)
        if self._kept.keeps and (plain := [trial for trial in trials if not _is_fusion(trial.adapter)]):
            self._kept.keep([self._statement(trial.adapter, trial.layers) for trial in plain], self._bare)

    def _trial(self, adapter: Adapter, layers: AdapterLayers, beside: Mapping[str, AdapterLayers]) -> Trial:
        probes, plan = readable_probes(adapter, self._backbone), self._resolver.plan_of_new(layers, beside)
        return Trial(adapter, layers, plan, probes, asked=probes, bound=self._trials.bound(adapter))

    def _errors(self, trials: Sequence[Trial]) -> list[float]:
        """How far each is off what it recorded, all found in the same batches."""
        ids = [probe.ids for trial in trials for probe in trial.asked]
        plans = [trial.plan for trial in trials for _ in trial.asked]
        vectors = torch.split(self._encoder.pooled(ids, plans, whole=True), [len(trial.asked) for trial in trials])
        return [largest_error(trial.asked, found) for trial, found in zip(trials, vectors, strict=True)]

    def _require_as_recorded(self, adapter: Adapter, error: float) -> None:
        bound = self._trials.bound(adapter)
        if not error <= bound:
            raise ProbeMismatch(
                f"{adapter.id} fits this backbone in shape, tokenizer and sampled weights, but its outputs are "
                f"{error:.2g} off the recorded ones (bound {bound:g}). The adapter or the backbone was changed, or "
                f"pools in another way than where it was trained (here: {self._backbone.sentences}); fetch both again."
            )

    def _is_proven(self, adapter: Adapter, layers: AdapterLayers) -> bool:
        # What a fusion gives depends on the adapters that it fuses too.
        if _is_fusion(adapter):
            return False
        if _proof_of(adapter) in self._proven:
            return True
        if not self._kept.keeps:
            return False
        statement = self._statement(adapter, layers)
        return self._kept.has(statement) and self._kept.holds(statement, self._bare)

    @cached_property
    def _kept(self) -> KeptProofs:
        return KeptProofs.of_the_user()

    @cached_property
    def _bare(self) -> list[list[float]]:
        """What the backbone gives alone: other weights than when a proof was kept give something else."""
        ids = self._backbone.probe_inputs()
        found: list[list[float]] = components(self._encoder.pooled(ids, [_ALONE] * len(ids), whole=True)).tolist()
        return found

    def _statement(self, adapter: Adapter, layers: AdapterLayers) -> str:
        """All that a proof is about, beside what the backbone gives: what was tried, where, and by which code."""
        code = code_stamp(frozenset(type(layer).__module__ for _, layer in layers.items()))
        return repr((self._place, code, adapter.tensors_sha256, adapter.config, adapter.probes))

    @cached_property
    def _place(self) -> tuple[str, ...]:
        backbone, versions = self._backbone, (__version__, torch.__version__, transformers.__version__)
        held = (backbone.name, backbone.fingerprint.id, backbone.tokenizer_hash, backbone.held_as, backbone.device.type)
        return *versions, *held, str(backbone.sentences), str(PROBE_TOLERANCE)


def require_adapters(adapters: Sequence[object], *, what: str = "attach") -> None:
    """Let there be nothing among these but adapters; `what` takes them.

    Raises:
        ConfigError: Something else, such as a folder's name.
    """
    for adapter in adapters:
        if not isinstance(adapter, Adapter):
            raise ConfigError(
                f"{what} takes adapters, found {adapter!r}; load the folder first: load_adapter({adapter!r})."
            )


def _is_fusion(adapter: Adapter) -> bool:
    return bool(adapter.config.method.fuses)


def _proof_of(adapter: Adapter) -> _Proof:
    return adapter.tensors_sha256, adapter.config, adapter.probes
