"""LoRAs of AdapterHub as ours. Theirs are added like ours; only in a stack of several do theirs compute otherwise."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from adaptkit.config import LINEAR_SITES, MAX_ALPHA, MAX_RANK, SiteName
from adaptkit.errors import LimitExceeded, MalformedConfig, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.shapes import BackboneShape
from adaptkit.interchange.adapterhub_fields import Reading, blocks_kept, read_fields
from adaptkit.weights.low_rank import LowRank, lora_of

_ATTENTION: Mapping[str, SiteName] = {"q": "attention.query", "k": "attention.key", "v": "attention.value"}
_DEFAULTS: Mapping[str, object] = {
    "selfattn_lora": True,
    "intermediate_lora": False,
    "output_lora": False,
    "leave_out": [],
    "attn_matrices": ["q", "v"],
    "composition_mode": "add",
}
_WITHOUT_EFFECT = {"architecture", "init_weights", "init_weights_seed", "dropout"}
_VERSION = re.compile(r"adapters\.(\d{1,4})\.(\d{1,4})\.\d{1,4}")
_SCALED_RIGHTLY_SINCE = (1, 1)


@dataclass(frozen=True, kw_only=True)
class _Fields:
    selfattn_lora: bool
    intermediate_lora: bool
    output_lora: bool
    leave_out: tuple[int, ...]
    attn_matrices: tuple[str, ...]
    composition_mode: str
    r: int
    alpha: float


def reading_of_lora(
    config: Mapping[str, object], name: str, shape: BackboneShape, path: Path, version: object
) -> Reading:
    """What the adapter `name` of this config is on a backbone of these sizes.

    Raises:
        NotConvertible: It computes what our layers do not.
        MalformedConfig, LimitExceeded: A value that cannot be right.
    """
    given = read_fields(_Fields, config, defaults=_DEFAULTS, without_effect=_WITHOUT_EFFECT, path=path)
    if given.composition_mode != "add":
        raise NotConvertible(
            f"{path} has the composition_mode {given.composition_mode!r:.40}, which multiplies what the backbone gives "
            "((IA)^3); only 'add' is read."
        )
    if given.r > MAX_RANK:
        raise LimitExceeded(path, f"r is {given.r:,}; the reader's bound is {MAX_RANK:,}.")
    if given.r < 1 or not 0 < given.alpha <= MAX_ALPHA:
        raise MalformedConfig(path, f"has r {given.r} and alpha {given.alpha:g}, expected numbers above 0.")
    sites, blocks = _sites(given, path), blocks_kept(given.leave_out, shape.n_blocks, path)
    places = {address: place for address, place in shape.sites().items() if address.site in LINEAR_SITES}
    acting = {
        address: f"{place.module}.loras.{name}"
        for address, place in places.items()
        if address.site in sites and address.block in blocks
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for address, theirs in acting.items():
        shapes[f"{theirs}.lora_A"] = (given.r, places[address].in_width)
        shapes[f"{theirs}.lora_B"] = (places[address].out_width, given.r)
    scale = _alpha(given, version, path) / given.r

    def converted(tensors: Mapping[str, Tensor]) -> tuple[AdapterConfig, dict[str, Tensor]]:
        changes = {
            address: LowRank(tensors[f"{theirs}.lora_A"], tensors[f"{theirs}.lora_B"], scale)
            for address, theirs in acting.items()
        }
        method, ours = lora_of(changes, places)
        return AdapterConfig(method=method), ours

    return Reading(shapes, converted)


def _sites(given: _Fields, path: Path) -> set[SiteName]:
    if unknown := [matrix for matrix in given.attn_matrices if matrix not in _ATTENTION]:
        raise NotConvertible(f"{path} has {unknown[0]!r:.40} among its attn_matrices; read are q, k and v.")
    sites = {_ATTENTION[matrix] for matrix in given.attn_matrices} if given.selfattn_lora else set()
    if given.intermediate_lora:
        sites.add("ffn.input")
    if given.output_lora:
        sites.add("ffn.output")
    if not sites:
        raise MalformedConfig(path, "is a LoRA at no matrix at all.")
    return sites


def _alpha(given: _Fields, version: object, path: Path) -> float:
    """Before 1.1, adapters computed with alpha = r whatever was asked, and so do later versions with what it wrote."""
    if not isinstance(version, str) or not version.startswith("adapters.") or math.isclose(given.alpha, given.r):
        return given.alpha
    found = _VERSION.fullmatch(version)
    if found is None:
        raise NotConvertible(
            f"{path} was written by {version!r:.40}, which does not say how alpha was meant: versions before 1.1 "
            "computed with alpha = r. Save it again with a released version of adapters."
        )
    return given.alpha if (int(found[1]), int(found[2])) >= _SCALED_RIGHTLY_SINCE else float(given.r)
