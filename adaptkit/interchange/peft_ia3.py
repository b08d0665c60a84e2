"""IA3 of peft as ours, and ours as peft's.

peft scales what a linear layer gives, or (`feedforward_modules`) what it reads. We scale outputs only, so the second is
done where that comes from: before the feed-forward's second layer the same components leave the activation function,
and before the attention's output the values, as attention mixes tokens and no components.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from adaptkit.config import SITES, SiteName, SiteShape
from adaptkit.errors import NotConvertible
from adaptkit.format.shapes import BackboneShape, SiteAddress
from adaptkit.interchange.peft_folder import PeftFolder
from adaptkit.methods import Ia3Config
from adaptkit.model import AdaptedModel

UNDERSTOOD = {"init_ia3_weights", "feedforward_modules"}
"""How training began; and which layers are scaled where they read, which the shapes of the tensors say."""
_READ_FROM: Mapping[SiteName, SiteName] = {"ffn.output": "ffn.activation", "attention.output": "attention.value"}


def read_ia3(folder: PeftFolder, model: AdaptedModel) -> tuple[Ia3Config, dict[str, Tensor]]:
    """The adapter in a folder of peft type IA3, with its tensors by name.

    Raises:
        AdapterFileError: The folder is not a sound IA3, or not one for this backbone.
        NotConvertible: What a layer reads is scaled, and is nowhere given as it is read.
    """
    folder.require({"ia3_l"}, of="IA3")
    sites = model.backbone.shape.sites()
    expected: dict[str, tuple[int, ...]] = {}
    acts_at: dict[str, SiteAddress] = {}
    for address, place in folder.sites.items():
        for name in folder.named.layers.get(place.module, {}).values():
            reads = folder.claimed_shape(name) == (1, place.in_width)
            expected[name] = (1, place.in_width) if reads else (place.out_width, 1)
            acts_at[name] = _source(address, sites, folder) if reads else address
    scales: dict[SiteAddress, Tensor] = {}
    for name, tensor in folder.tensors(expected).items():
        if name in acts_at:
            here = scales.setdefault(acts_at[name], torch.ones(tensor.numel()))
            scales[acts_at[name]] = here * tensor.float().flatten()
    return _ia3_of(scales, sites)


def _source(address: SiteAddress, sites: Mapping[SiteAddress, SiteShape], folder: PeftFolder) -> SiteAddress:
    """Where the components are given that the linear layer at an address reads."""
    site = _READ_FROM.get(address.site)
    source = None if site is None else SiteAddress(address.block, site)
    if source is None or source not in sites or sites[source].out_width != sites[address].in_width:
        why = "what it reads is read by others too" if source is None else "several queries share a value there"
        if source is not None and source not in sites:
            why = "what gives it gives queries and keys too"
        raise NotConvertible(
            f"{folder.weights_file} scales what {sites[address].module} reads, and {why}: adaptkit has no such layer."
        )
    return source


def _ia3_of(
    scales: Mapping[SiteAddress, Tensor], places: Mapping[SiteAddress, SiteShape]
) -> tuple[Ia3Config, dict[str, Tensor]]:
    """The one IA3 that these scales are: every site in every block that has any, with ones where nothing is scaled."""
    blocks = sorted({address.block for address in scales})
    every = {address.block for address in places if address.block >= 0}
    config = Ia3Config(
        sites=tuple(site for site in SITES if any(address.site == site for address in scales)),
        blocks=None if set(blocks) == every else tuple(blocks),
    )
    tensors = {
        f"{place.module}.scales": scales.get(address, torch.ones(place.out_width))
        for address, place in places.items()
        if address.site in config.sites and address.block in blocks
    }
    return config, tensors


def ia3_for_peft(
    config: Ia3Config, tensors: Mapping[str, Tensor], shape: BackboneShape
) -> tuple[dict[str, list[str]], dict[str, Tensor]]:
    """The fields of peft's config that name modules, and the tensors, by module paths of the bare backbone.

    Raises:
        NotConvertible: What a layer reads and what it gives are both scaled.
    """
    if {"ffn.activation", "ffn.output"} <= set(config.sites):
        raise NotConvertible(
            "the adapter scales at ffn.activation and at ffn.output, and peft has one scale for that layer: of what it "
            "reads, or of what it gives."
        )
    sites = shape.sites()
    reading: dict[str, Tensor] = {}
    giving: dict[str, Tensor] = {}
    for address, place in sites.items():
        scales = tensors.get(f"{place.module}.scales")
        if scales is not None and address.site == "ffn.activation":
            reading[sites[SiteAddress(address.block, "ffn.output")].module] = scales.unsqueeze(0)
        elif scales is not None:
            giving[place.module] = scales.unsqueeze(1)
    named = {"target_modules": [*giving, *reading], "feedforward_modules": [*reading]}
    return named, {f"{module}.ia3_l": scales for module, scales in {**giving, **reading}.items()}
