"""Bottleneck adapters of AdapterHub (`seq_bn`, `seq_bn_inv` and what computes the same) as ours.

Theirs may have another width in every block; such a one is held at the largest, filled up with zeros. A constant scale
is folded into the up-projection. Both are exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from adaptkit.config import MAX_RANK, RESIDUAL_SITES, Activation, SiteName
from adaptkit.errors import LimitExceeded, MalformedConfig, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.architectures import architecture_of
from adaptkit.format.shapes import BackboneShape, SiteAddress
from adaptkit.interchange.adapterhub_fields import Reading, blocks_kept, read_fields
from adaptkit.methods import BottleneckConfig, BottleneckMadxConfig, InvertibleConfig

ACTIVATIONS: Mapping[str, Activation] = {"relu": "relu", "gelu": "gelu", "swish": "silu", "silu": "silu"}
"""The activations that ours have, by their names for them."""
_SWITCHES: Mapping[SiteName, str] = {"attention.residual": "mh_adapter", "block.output": "output_adapter"}
_DEFAULTS: Mapping[str, object] = {
    "original_ln_before": False,
    "original_ln_after": True,
    "residual_before_ln": True,
    "scaling": 1.0,
    "inv_adapter": None,
    "inv_adapter_reduction_factor": None,
    "leave_out": [],
}
_WITHOUT_EFFECT = {
    "architecture",
    # How training began, and what acts in training only.
    *("init_weights", "init_weights_seed", "dropout", "stochastic_depth"),
    # What acts only with ln_after or phm_layer, which are refused.
    *("adapter_residual_before_ln", "phm_dim", "factorized_phm_W", "shared_W_phm", "shared_phm_rule"),
    *("factorized_phm_rule", "phm_c_init", "phm_init_range", "learn_phm", "hypercomplex_nonlinearity"),
    *("phm_rank", "phm_bias"),
}


@dataclass(frozen=True, kw_only=True)
class _Fields:
    mh_adapter: bool
    output_adapter: bool
    reduction_factor: float | Mapping[str, float]
    non_linearity: str
    original_ln_before: bool
    original_ln_after: bool
    residual_before_ln: bool | str
    scaling: float | str
    inv_adapter: str | None
    inv_adapter_reduction_factor: float | None
    leave_out: tuple[int, ...]


@dataclass(frozen=True)
class _Bottleneck:
    """One of theirs: the module of ours that it follows, what its tensors' names begin with, and its width."""

    module: str
    theirs: str
    width: int


@dataclass(frozen=True)
class _Moved:
    """A tensor of theirs, and what it is with us: filled up with zeros to a shape, and scaled."""

    theirs: str
    shape: tuple[int, ...]
    ours: str
    held: tuple[int, ...]
    scale: float = 1.0

    def of(self, tensor: Tensor) -> Tensor:
        """Ours. Shape: tensor `shape`, result `held`."""
        filled = torch.zeros(self.held)
        filled[tuple(slice(size) for size in self.shape)] = tensor
        return filled * self.scale


def reading_of_bottleneck(config: Mapping[str, object], name: str, shape: BackboneShape, path: Path) -> Reading:
    """What the adapter `name` of this config is on a backbone of these sizes.

    Raises:
        NotConvertible: It computes what our layers do not.
        MalformedConfig, LimitExceeded: A value that cannot be right.
    """
    given = read_fields(_Fields, _of_today(config), defaults=_DEFAULTS, without_effect=_WITHOUT_EFFECT, path=path)
    scale, activation = _scale(given, path), _activation(given, path)
    found, hidden = _bottlenecks(given, name, shape, path), shape.hidden_width
    method = _method(given, activation, {at: each.width for at, each in found.items()}, shape, path)
    held = method.width if isinstance(method, BottleneckMadxConfig) else method.width(hidden)
    moved = [tensor for each in found.values() for tensor in _moved_bottleneck(each, hidden, held, scale)]
    invertible = _invertible(given, activation, shape, path)
    if invertible is not None:
        inner, embeddings = _inner_width(given, shape, path), shape.sites()[SiteAddress(-1, "embeddings")].module
        for part in ("F", "G"):
            theirs, ours = f"invertible_adapters.{name}.{part}", f"{embeddings}.{part.lower()}"
            moved += _moved_coupling(theirs, ours, hidden // 2, inner, invertible.width(hidden))

    def converted(tensors: Mapping[str, Tensor]) -> tuple[AdapterConfig, dict[str, Tensor]]:
        ours = {each.ours: each.of(tensors[each.theirs]) for each in moved}
        return AdapterConfig(method=method, invertible=invertible), ours

    return Reading({each.theirs: each.shape for each in moved}, converted)


def _moved_bottleneck(each: _Bottleneck, hidden: int, held: int, scale: float) -> list[_Moved]:
    theirs, ours, width = each.theirs, each.module, each.width
    return [
        _Moved(f"{theirs}.adapter_down.0.weight", (width, hidden), f"{ours}.down.weight", (held, hidden)),
        _Moved(f"{theirs}.adapter_down.0.bias", (width,), f"{ours}.down.bias", (held,)),
        _Moved(f"{theirs}.adapter_up.weight", (hidden, width), f"{ours}.up.weight", (hidden, held), scale),
        _Moved(f"{theirs}.adapter_up.bias", (hidden,), f"{ours}.up.bias", (hidden,), scale),
    ]


def _moved_coupling(theirs: str, ours: str, half: int, inner: int, held: int) -> list[_Moved]:
    return [
        _Moved(f"{theirs}.0.weight", (inner, half), f"{ours}.0.weight", (held, half)),
        _Moved(f"{theirs}.0.bias", (inner,), f"{ours}.0.bias", (held,)),
        _Moved(f"{theirs}.2.weight", (half, inner), f"{ours}.2.weight", (half, held)),
        _Moved(f"{theirs}.2.bias", (half,), f"{ours}.2.bias", (half,)),
    ]


def _of_today(config: Mapping[str, object]) -> dict[str, object]:
    """The first versions had the invertible layer as an object of its own."""
    today = dict(config)
    nested = today.pop("invertible_adapter", None)
    if isinstance(nested, dict) and nested:
        today |= {
            "inv_adapter": nested.get("block_type"),
            "inv_adapter_reduction_factor": nested.get("reduction_factor"),
        }
    return today


def _bottlenecks(given: _Fields, name: str, shape: BackboneShape, path: Path) -> dict[SiteAddress, _Bottleneck]:
    sites = [site for site in RESIDUAL_SITES if getattr(given, _SWITCHES[site])]
    if not sites:
        raise NotConvertible(f"{path} has neither mh_adapter nor output_adapter: no bottleneck in any block.")
    blocks, row = blocks_kept(given.leave_out, shape.n_blocks, path), architecture_of(shape.model_type)
    return {
        address: _Bottleneck(
            place.module,
            f"{row.blocks}.{address.block}.{row.adapterhub[address.site]}.adapters.{name}",
            _width(given.reduction_factor, address.block, shape.hidden_width, path),
        )
        for address, place in sorted(shape.sites().items())
        if address.site in sites and address.block in blocks
    }


def _width(factor: float | Mapping[str, float], block: int, hidden_width: int, path: Path) -> int:
    if isinstance(factor, Mapping):
        if str(block) not in factor and "default" not in factor:
            raise MalformedConfig(path, f"has no reduction_factor for block {block}, and no 'default'.")
        factor = factor.get(str(block), factor.get("default", 0.0))
    if factor <= 0:
        raise MalformedConfig(path, f"has the reduction_factor {factor:g}, expected a number above 0.")
    if hidden_width / factor > MAX_RANK:
        raise LimitExceeded(path, f"has the reduction_factor {factor:g}; the reader's bound is a width of {MAX_RANK}.")
    return max(1, int(hidden_width // factor))


def _method(
    given: _Fields, activation: Activation, widths: Mapping[SiteAddress, int], shape: BackboneShape, path: Path
) -> BottleneckMadxConfig | BottleneckConfig:
    sites = tuple(site for site in RESIDUAL_SITES if any(address.site == site for address in widths))
    blocks = tuple(sorted({address.block for address in widths}))
    limited, widest = None if len(blocks) == shape.n_blocks else blocks, max(widths.values())
    match given.original_ln_before, given.original_ln_after, given.residual_before_ln:
        case True, True, True:
            return BottleneckMadxConfig(width=widest, activation=activation, sites=sites, blocks=limited)
        case True, False, False:
            factor = _whole_factor(shape.hidden_width, widest, path)
            return BottleneckConfig(reduction_factor=factor, activation=activation, sites=sites, blocks=limited)
    raise NotConvertible(
        f"{path} has original_ln_before {given.original_ln_before}, original_ln_after {given.original_ln_after} and "
        f"residual_before_ln {given.residual_before_ln!r}. Read are True, True and True (seq_bn, seq_bn_inv), and "
        "True, False and False."
    )


def _invertible(given: _Fields, activation: Activation, shape: BackboneShape, path: Path) -> InvertibleConfig | None:
    if not given.inv_adapter:
        return None
    if given.inv_adapter != "nice":
        raise NotConvertible(f"{path} has inv_adapter {given.inv_adapter!r:.40}; only 'nice' is read.")
    if shape.hidden_width % 2:
        raise NotConvertible(
            f"{path} has an invertible layer over a hidden width of {shape.hidden_width}, which is odd."
        )
    factor = _whole_factor(shape.hidden_width // 2, _inner_width(given, shape, path), path)
    return InvertibleConfig(reduction_factor=factor, activation=activation)


def _inner_width(given: _Fields, shape: BackboneShape, path: Path) -> int:
    if not given.inv_adapter:
        return 0
    factor, half = given.inv_adapter_reduction_factor, shape.hidden_width // 2
    if factor is None or not 1 <= factor <= half:
        raise MalformedConfig(path, f"has the inv_adapter_reduction_factor {factor}, expected 1 to {half}.")
    return int(half // factor)


def _whole_factor(whole: int, width: int, path: Path) -> int:
    """The largest reduction factor whose width is enough for `width`."""
    if width > whole:
        raise NotConvertible(f"{path} has a reduction_factor below 1, which our bottleneck does not have.")
    return whole // width


def _activation(given: _Fields, path: Path) -> Activation:
    activation = ACTIVATIONS.get(given.non_linearity.lower())
    if activation is None:
        raise NotConvertible(
            f"{path} has the non_linearity {given.non_linearity!r:.40}; read are {', '.join(ACTIVATIONS)}."
        )
    return activation


def _scale(given: _Fields, path: Path) -> float:
    if isinstance(given.scaling, str):
        raise NotConvertible(f"{path} has the scaling {given.scaling!r:.40}; only a constant one is read.")
    return given.scaling
