"""The sizes of a backbone, and the sites that they make."""

from dataclasses import dataclass

from adaptkit.config import RESIDUAL_SITES, SITES_OF_ONE_INPUT, SiteName, SiteShape
from adaptkit.format.architectures import architecture_of


@dataclass(frozen=True, order=True)
class SiteAddress:
    """A site in one transformer block, counted from 0; block -1 is outside the blocks (the embeddings)."""

    block: int
    site: SiteName


@dataclass(frozen=True, kw_only=True)
class BackboneShape:
    """The sizes of a backbone that decide which adapters fit it."""

    model_type: str
    n_blocks: int
    n_heads: int
    hidden_width: int
    ffn_width: int
    vocabulary_size: int
    n_positions: int

    @property
    def attention_widths(self) -> tuple[int, int]:
        """Width of all queries together, and of all keys or values together."""
        return self.hidden_width, self.hidden_width

    def sites(self) -> dict[SiteAddress, SiteShape]:
        """Every site, with the module it follows and that module's widths."""
        row = architecture_of(self.model_type)
        width, ffn = self.hidden_width, self.ffn_width
        queries, keys = self.attention_widths
        in_widths: dict[SiteName, int] = {"attention.output": queries, "ffn.activation": ffn, "ffn.output": ffn}
        out_widths: dict[SiteName, int] = {
            "attention.query": queries,
            "attention.key": keys,
            "attention.value": keys,
            "ffn.gate": ffn,
            "ffn.input": ffn,
            "ffn.activation": ffn,
        }
        shapes = {SiteAddress(-1, "embeddings"): SiteShape(row.embeddings, width, width)}
        if row.word_embeddings != row.embeddings:
            words = SiteShape(row.word_embeddings, self.vocabulary_size, width)
            shapes[SiteAddress(-1, "embeddings.words")] = words
        for block in range(self.n_blocks):
            for site, path in row.sites.items():
                module = f"{row.blocks}.{block}.{path}".removesuffix(".")
                shapes[SiteAddress(block, site)] = SiteShape(
                    module,
                    in_widths.get(site, width),
                    out_widths.get(site, width),
                    after_sum=row.post_norm and site in RESIDUAL_SITES,
                )
        return shapes

    def same_inputs(self) -> dict[str, tuple[int, int]]:
        """For modules that read what others of their block read too: a value that is the same for those."""
        groups = {site: number for number, sites in enumerate(SITES_OF_ONE_INPUT) for site in sites}
        return {
            place.module: (address.block, groups[address.site])
            for address, place in self.sites().items()
            if address.site in groups
        }


@dataclass(frozen=True, kw_only=True)
class DecoderShape(BackboneShape):
    """The sizes of a decoder, where several queries may share a key, and a head has any width."""

    n_key_heads: int
    head_width: int

    @property
    def attention_widths(self) -> tuple[int, int]:
        """Width of all queries together, and of all keys or values together."""
        return self.n_heads * self.head_width, self.n_key_heads * self.head_width
