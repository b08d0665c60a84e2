"""The sizes of a backbone, and the sites that they make."""

from dataclasses import dataclass
from typing import TypeAlias

from adaptkit.config import RESIDUAL_SITES, SITES_OF_ONE_INPUT, SiteName, SiteShape
from adaptkit.format.architectures import Architecture, architecture_of


@dataclass(frozen=True, order=True)
class SiteAddress:
    """A site in one transformer block, counted from 0; block -1 is outside the blocks (the embeddings).

    In an encoder-decoder, the decoder's blocks are counted on behind the encoder's.
    """

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

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """How many blocks each list of blocks has, and how wide their feed-forwards are."""
        return ((self.n_blocks, self.ffn_width),)

    @property
    def n_all_blocks(self) -> int:
        """Blocks of all lists together."""
        return sum(count for count, _ in self.sides)

    @property
    def has_gates(self) -> bool:
        """Whether the feed-forwards have gates, in a family where some networks have and some have not."""
        return True

    def sites(self) -> dict[SiteAddress, SiteShape]:
        """Every site, with the module it follows and that module's widths. Lists of blocks are numbered on."""
        row, width = architecture_of(self.model_type), self.hidden_width
        shapes = {SiteAddress(-1, "embeddings"): SiteShape(row.embeddings, width, width)}
        if row.word_embeddings != row.embeddings and not row.copies_of_table:
            words = SiteShape(row.word_embeddings, self.vocabulary_size, width)
            shapes[SiteAddress(-1, "embeddings.words")] = words
        first = 0
        for (blocks, sites), (n_blocks, ffn) in zip(row.sides, self.sides, strict=True):
            paths = {site: row.path_of(site, path, gated=self.has_gates) for site, path in sites.items()}
            in_widths, out_widths = self._widths(ffn)
            for number in range(n_blocks):
                for site, path in paths.items():
                    if path is not None:
                        shapes[SiteAddress(first + number, site)] = SiteShape(
                            f"{blocks}.{number}.{path}".removesuffix("."),
                            in_widths.get(site, width),
                            out_widths.get(site, width),
                            after_sum=row.post_norm and site in RESIDUAL_SITES,
                            in_last_block=number == n_blocks - 1,
                        )
            first += n_blocks
        return shapes

    def _widths(self, ffn: int) -> tuple[dict[SiteName, int], dict[SiteName, int]]:
        """What modules at sites read and give, where that is not as wide as the hidden states."""
        queries, keys = self.attention_widths
        in_widths: dict[SiteName, int] = {
            "attention.output": queries,
            "cross_attention.output": queries,
            "ffn.activation": ffn,
            "ffn.output": ffn,
        }
        out_widths: dict[SiteName, int] = {
            "attention.query": queries,
            "attention.key": keys,
            "attention.value": keys,
            "attention.qkv": queries + 2 * keys,
            "cross_attention.query": queries,
            "cross_attention.key": keys,
            "cross_attention.value": keys,
            "ffn.gate": ffn,
            "ffn.input": ffn,
            "ffn.gate_input": 2 * ffn,
            "ffn.activation": ffn,
        }
        return in_widths, out_widths

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


@dataclass(frozen=True, kw_only=True)
class EncoderDecoderShape(BackboneShape):
    """The sizes of an encoder-decoder: `n_blocks` and `ffn_width` are its encoder's, and a head has any width.

    The decoder's blocks are numbered behind the encoder's. `gated` feed-forwards have a gate beside their input.
    """

    n_decoder_blocks: int
    decoder_ffn_width: int
    head_width: int
    gated: bool

    @property
    def attention_widths(self) -> tuple[int, int]:
        """Width of all queries together, and of all keys or values together."""
        return self.n_heads * self.head_width, self.n_heads * self.head_width

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """Encoder and decoder: how many blocks, and how wide their feed-forwards are."""
        return (self.n_blocks, self.ffn_width), (self.n_decoder_blocks, self.decoder_ffn_width)

    @property
    def has_gates(self) -> bool:
        """Whether the feed-forwards have gates."""
        return self.gated


AnyShape: TypeAlias = BackboneShape | DecoderShape | EncoderDecoderShape


def shape_class(row: Architecture) -> type[BackboneShape]:
    """Of which class the sizes of a family are."""
    if row.decoder is not None:
        return EncoderDecoderShape
    return DecoderShape if row.shared_keys else BackboneShape
