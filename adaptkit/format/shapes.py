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
    def word_width(self) -> int:
        """Width of the table of word embeddings."""
        return self.hidden_width

    @property
    def embeddings(self) -> str:
        """Path of the module whose output enters the first block."""
        return architecture_of(self.model_type).embeddings

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
        shapes = {SiteAddress(-1, "embeddings"): SiteShape(self.embeddings, self.word_width, width)}
        if row.word_embeddings != row.embeddings and not row.copies_of_table:
            words = SiteShape(row.word_embeddings, self.vocabulary_size, self.word_width)
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
        if (output := self._network_output(shapes[SiteAddress(first - 1, "block.output")].module)) is not None:
            shapes[SiteAddress(-1, "network.output")] = SiteShape(output, width, width)
        return shapes

    def _network_output(self, last_block: str) -> str | None:
        """The module whose output an encoder gives; None where text is generated, or where layers share that module."""
        row = architecture_of(self.model_type)
        if row.generates or row.blocks_field != "num_hidden_layers":
            return None
        return last_block if row.post_norm else row.last_norm or None

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


@dataclass(frozen=True, kw_only=True)
class FactorisedShape(BackboneShape):
    """The sizes of an encoder whose word embeddings may be narrower than its blocks, and whose layers may share blocks.

    Lan et al. 2020, arXiv:1909.11942. A block is one set of weights: its sites are counted once, and an adapter layer
    there acts each time that one of the `n_layers` runs the block, as the block's own weights do.
    """

    embedding_width: int
    n_layers: int

    @property
    def word_width(self) -> int:
        """Width of the table of word embeddings."""
        return self.embedding_width

    @property
    def embeddings(self) -> str:
        """Path of the module whose output enters the first block: the one that widens it, where there is one."""
        row = architecture_of(self.model_type)
        narrow = self.embedding_width != self.hidden_width
        return row.widened_embeddings if narrow and row.widened_embeddings else row.embeddings


AnyShape: TypeAlias = BackboneShape | DecoderShape | EncoderDecoderShape | FactorisedShape


def shape_class(row: Architecture) -> type[BackboneShape]:
    """Of which class the sizes of a family are."""
    if row.decoder is not None:
        return EncoderDecoderShape
    if row.word_width_field:
        return FactorisedShape
    return DecoderShape if row.shared_keys else BackboneShape
