"""Proof that adapters belong to a backbone: by what they say of it, and by what they give on it."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch

from adaptkit.attaching import AdapterLayers
from adaptkit.backbones import Backbone
from adaptkit.errors import ConfigError, ProbeMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.probe import Probe
from adaptkit.model.building import LayerBuilder
from adaptkit.model.encoding import Encoder
from adaptkit.model.notices import Notices
from adaptkit.model.registry import Attachment
from adaptkit.model.resolving import Resolver
from adaptkit.storage import Adapter
from adaptkit.storage.identity import check_identity, readable_probes
from adaptkit.storage.probes import largest_error

_Proof: TypeAlias = tuple[str, AdapterConfig, tuple[Probe, ...]]

PROBE_TOLERANCE: dict[str, float] = {
    "float64": 1e-3,
    "float32": 1e-3,
    "float16": 2e-2,
    "bfloat16": 1e-1,
    "int8": 1e-1,
    "nf4": 3e-1,
}
"""Largest probe error, as a share of the recorded vector's length, by the coarser of two precisions: the one that the
adapter was trained at, and the one that the backbone is loaded at."""


class Prover:
    """Builds the layers of adapters for one backbone, and lets nobody have them before they were tried there."""

    def __init__(self, backbone: Backbone, encoder: Encoder, resolver: Resolver, notices: Notices) -> None:
        self._backbone = backbone
        self._build = LayerBuilder(backbone)
        self._encoder = encoder
        self._resolver = resolver
        self._notices = notices
        self._proven: set[_Proof] = set()

    def proven(self, adapters: Sequence[Adapter]) -> dict[str, Attachment]:
        """The frozen layers of adapters that were found to be ones for this backbone, by id, fusions last.

        Raises:
            ArchitectureMismatch, TokenizerMismatch, BackboneMismatch: They were trained on another backbone.
            ProbeMismatch: They give other outputs than the recorded ones.
            UnknownAdapter: A fusion of adapters that are not attached.
        """
        for adapter in adapters:
            check_identity(adapter, self._backbone)
            # Read once, so that pieces that do not go with this tokenizer are refused here.
            self._backbone.reader(adapter.config.pieces)
        # A stack may be named for the first time inside inference mode, and its layers outlive that.
        with torch.inference_mode(mode=False):
            entries = [(adapter, self._build.holding(adapter)) for adapter in sorted(adapters, key=_is_fusion)]
        plain = [(adapter, layers) for adapter, layers in entries if not _is_fusion(adapter)]
        beside = {adapter.id: layers for adapter, layers in plain}
        self._replay_probes(plain, beside)
        # Fusions one by one, as one may fuse what came before it.
        for adapter, layers in entries[len(plain) :]:
            self._replay_probes([(adapter, layers)], beside)
            beside[adapter.id] = layers
        self._notices.of_effects(adapters)
        return {adapter.id: Attachment(layers, adapter) for adapter, layers in entries}

    def _replay_probes(
        self, entries: Sequence[tuple[Adapter, AdapterLayers]], beside: Mapping[str, AdapterLayers]
    ) -> None:
        """Replay what was recorded, each adapter alone, whatever it will be stacked on; all in the same batches."""
        unproven = [
            (adapter, readable_probes(adapter, self._backbone), self._resolver.plan_of_new(layers, beside))
            for adapter, layers in entries
            if not self._is_proven(adapter)
        ]
        ids = [probe.ids for _, probes, _ in unproven for probe in probes]
        plans = [alone for _, probes, alone in unproven for _ in probes]
        vectors = torch.split(self._encoder.pooled(ids, plans, whole=True), [len(probes) for _, probes, _ in unproven])
        for (adapter, probes, _), found in zip(unproven, vectors, strict=True):
            self._require_as_recorded(adapter, largest_error(probes, found))
            self._proven.add(_proof_of(adapter))

    def _require_as_recorded(self, adapter: Adapter, error: float) -> None:
        precisions = (adapter.origin.fingerprint.precision, self._backbone.fingerprint.precision)
        bound = max(PROBE_TOLERANCE[name] for name in precisions)
        if not error <= bound:
            raise ProbeMismatch(
                f"{adapter.id} fits this backbone in shape, tokenizer and sampled weights, but its outputs are "
                f"{error:.2g} off the recorded ones (bound {bound:g}). The adapter or the backbone was changed, or "
                f"pools in another way than where it was trained (here: {self._backbone.sentences}); fetch both again."
            )

    def _is_proven(self, adapter: Adapter) -> bool:
        # What a fusion gives depends on the adapters that it fuses too.
        return _proof_of(adapter) in self._proven and not _is_fusion(adapter)


def require_adapters(adapters: Sequence[object]) -> None:
    """Let there be nothing among these but adapters.

    Raises:
        ConfigError: Something else, such as a folder's name.
    """
    for adapter in adapters:
        if not isinstance(adapter, Adapter):
            raise ConfigError(
                f"attach takes adapters, found {adapter!r}; load the folder first: load_adapter({adapter!r})."
            )


def _is_fusion(adapter: Adapter) -> bool:
    return bool(adapter.config.method.fuses)


def _proof_of(adapter: Adapter) -> _Proof:
    return adapter.weights_sha256, adapter.config, adapter.probes
