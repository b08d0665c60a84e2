"""Which of its probes an adapter is tried on: the shortest alone, where it tells nearly as much as all of them.

Every weight of a LoRA acts on every token, so what one probe gives moves with each of them. The shortest is asked alone
and held to a tenth of the bound; whatever is further off than that is tried on all, by the bound itself. Of 160 changes
of weights, none showed there at less than 0.18 of where it showed most. What only longer probes show passes:
docs/decisions/0017-the-shortest-probe.md.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from adaptkit.attaching import AdapterLayers, RowPlan
from adaptkit.backbones import Backbone
from adaptkit.format.probe import Probe
from adaptkit.storage import Adapter

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
_SHARE = 0.1
_EXACT = PROBE_TOLERANCE["float32"]
"""Up to this bound, rounding is far below `_SHARE` of it."""


@dataclass(frozen=True, eq=False)
class Trial:
    """An adapter with what it is tried on: it is to give for `asked` what it recorded, within `bound`."""

    adapter: Adapter
    layers: AdapterLayers
    plan: RowPlan
    probes: tuple[Probe, ...]
    asked: tuple[Probe, ...]
    bound: float

    @property
    def is_whole(self) -> bool:
        """Whether it is tried on all of its probes."""
        return len(self.asked) == len(self.probes)

    def is_doubtful(self, error: float) -> bool:
        """Whether what a part of the probes shows does not decide."""
        return not (self.is_whole or error <= _SHARE * self.bound)

    def whole(self) -> "Trial":
        """The same on all probes."""
        return replace(self, asked=self.probes)


class Trials:
    """Of adapters for one backbone.

    All probes are asked of the first adapter of each origin, as they read more rows of the backbone's tables than one
    of them does; of other methods than LoRA, where a unit may be shut for all tokens of a probe, or a piece is read by
    one alone; where the outputs are rounded so far that a tenth of the bound is no distance; and where the inputs are
    not those that this backbone's adapters are recorded with.
    """

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._tried_whole: set[Hashable] = set()

    def shortened(self, trials: Sequence[Trial]) -> Iterator[Trial]:
        """The same, on fewer probes where those tell as much."""
        tried = set(self._tried_whole)
        for trial in trials:
            if _origin(trial.adapter) in tried and self._is_plain(trial) and not trial.plan.others:
                yield replace(trial, asked=(min(trial.probes, key=lambda probe: len(probe.ids)),))
            else:
                tried |= self._origins([trial])
                yield trial

    def passed(self, trials: Sequence[Trial]) -> None:
        """Note that these gave what they had recorded."""
        self._tried_whole |= self._origins(trials)

    def bound(self, adapter: Adapter) -> float:
        """How far an adapter may be off on this backbone, as a share of a vector's length."""
        precisions = (adapter.origin.fingerprint.precision, self._backbone.fingerprint.precision)
        return max(PROBE_TOLERANCE[name] for name in precisions)

    def _origins(self, trials: Sequence[Trial]) -> set[Hashable]:
        return {_origin(trial.adapter) for trial in trials if trial.is_whole and self._is_plain(trial)}

    @cached_property
    def _inputs(self) -> list[tuple[int, ...]]:
        return [tuple(ids) for ids in self._backbone.probe_inputs()]

    def _is_plain(self, trial: Trial) -> bool:
        return trial.bound <= _EXACT and [probe.ids for probe in trial.probes] == self._inputs


def _origin(adapter: Adapter) -> Hashable:
    origin = adapter.origin
    return origin.shape, origin.tokenizer_sha256, origin.text_prefix, origin.fingerprint.id
