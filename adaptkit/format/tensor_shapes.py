"""Which tensors an adapter has on a backbone, known from its config alone."""

from collections.abc import Collection, Iterator, Mapping

from adaptkit.config import SITES, SiteName, SiteShape
from adaptkit.errors import ArchitectureMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.shapes import BackboneShape, SiteAddress
from adaptkit.methods import MethodConfig, method_of

HEAD = "head"
"""What the names of a head's tensors begin with."""
PROJECTION = "projection"
"""What those of a kept projection begin with."""


def tensor_shapes(config: AdapterConfig, shape: BackboneShape) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor under `<module path>.<weight name>`, `head.<weight name>` or `projection.<...>`.

    Raises:
        ArchitectureMismatch: The config names a block or a site that the backbone does not have.
    """
    found = {
        f"{place.module}.{name}": size
        for place, part in parts_at(config, shape.sites())
        for name, size in part.tensors(place).items()
    }
    head = {} if config.head is None else config.head.tensors(shape.hidden_width)
    n_ids = shape.vocabulary_size + config.n_pieces
    kept = {} if config.projection is None else config.projection.tensors(shape.hidden_width, n_ids)
    return (
        found
        | {f"{HEAD}.{name}": size for name, size in head.items()}
        | {f"{PROJECTION}.{name}": size for name, size in kept.items()}
    )


def parts_at(config: AdapterConfig, sites: Mapping[SiteAddress, SiteShape]) -> Iterator[tuple[SiteShape, MethodConfig]]:
    """Where an adapter has layers on a backbone with these sites, and of which part of it, from the first block up.

    Raises:
        ArchitectureMismatch: The config names a block or a site that the backbone does not have.
    """
    _check(config.method, sites)
    if config.pieces is not None:
        _check_pieces(sites)
    besides = (part for part in (config.invertible, config.pieces) if part is not None)
    parts: list[MethodConfig] = [config.method, *besides]
    for address in sorted(sites):
        for part in parts:
            if address.site in part.sites and (part.blocks is None or address.block in part.blocks):
                yield sites[address], part


def sites_in(blocks: Collection[int] | None, sites: Collection[SiteAddress]) -> set[SiteName]:
    """The names of the sites that these blocks have, of one side or of both, and of those outside of blocks."""
    return {at.site for at in sites if blocks is None or at.block in blocks or at.block < 0}


def _check_pieces(sites: Mapping[SiteAddress, SiteShape]) -> None:
    if SiteAddress(-1, "embeddings.words") not in sites:
        raise ArchitectureMismatch(
            "the adapter has pieces of text of its own, and in this backbone, which gives text, none can be put in: it "
            "predicts tokens of its own vocabulary. Load the encoder that the adapter was trained on."
        )


def _check(method: MethodConfig, sites: Mapping[SiteAddress, SiteShape]) -> None:
    deepest = max(address.block for address in sites)
    if method.blocks is not None and method.blocks[-1] > deepest:
        raise ArchitectureMismatch(
            f"the adapter acts in block {method.blocks[-1]}, but this backbone's blocks end at {deepest}. "
            "Load the backbone it was trained on, or name other blocks."
        )
    there = sites_in(method.blocks, sites)
    if missing := [site for site in method.sites if site not in there]:
        where = "" if method.blocks is None else f" in the blocks {', '.join(map(str, method.blocks))}"
        raise ArchitectureMismatch(
            f"the adapter acts at {', '.join(missing)}, where this backbone has no site{where}. It has "
            f"{', '.join(site for site in SITES if site in there)}."
        )
    row = method_of(method)
    if row.before_norm and not all(shape.after_sum for address, shape in sites.items() if address.site in method.sites):
        raise ArchitectureMismatch(
            f"{row.name} acts before a layer norm that follows a residual sum, and this backbone's blocks have none: "
            "they normalise what a sublayer reads. Load the encoder that the adapter was trained on."
        )
