"""`adaptkit.json`: whose an adapter is. Read strictly, every size within its bound."""

import re
from dataclasses import dataclass
from pathlib import Path

from adaptkit.composition import AdapterId
from adaptkit.config import MAX_BLOCKS, MAX_PIECES, MAX_VOCABULARY, MAX_WIDTH, Kind
from adaptkit.errors import (
    ConfigError,
    LimitExceeded,
    MalformedConfig,
    PiecesChanged,
    UnknownVersion,
    UnsupportedArchitecture,
)
from adaptkit.format import spec
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.architectures import architecture_of
from adaptkit.format.card import Card, languages_of
from adaptkit.format.config_file import format_version, from_json
from adaptkit.format.fingerprint import Fingerprint
from adaptkit.format.folder import Files, read_json
from adaptkit.format.origins import SharedField
from adaptkit.format.probe import COMPONENTS, Probe
from adaptkit.format.published import HUB_IDS
from adaptkit.format.shapes import (
    AnyShape,
    BackboneShape,
    DecoderShape,
    EncoderDecoderShape,
    FactorisedShape,
    shape_class,
)
from adaptkit.format.single_lines import check_single_lines
from adaptkit.format.typed_json import MistypedJson, decode, needed_version, since
from adaptkit.languages import canonical_tag

_OUTSIDE = "a probe has token ids outside the vocabulary."
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The backbone that an adapter was trained on, as far as it must be known to refuse another."""

    name: str
    release: str
    text_prefix: str
    shape: AnyShape
    tokenizer_sha256: str
    fingerprint: Fingerprint

    @property
    def hub_id(self) -> str:
        """Where a model hub has the backbone; empty where that is not known."""
        return HUB_IDS.get(self.name, self.name if _HUB_ID.fullmatch(self.name) else "")


@dataclass(frozen=True, kw_only=True)
class Record:
    """The content of adaptkit.json: what peft does not know.

    `pieces_sha256` is empty where there are no pieces, `tokens_sha256` where no projection is kept, and
    `glossary_sha256` where there is no glossary.
    """

    format_version: int
    kind: Kind
    name: str
    language: str | None
    backbone: Origin
    below: tuple[str, ...]
    weights_sha256: str
    probes: tuple[Probe, ...]
    card: Card
    pieces_sha256: str = since(8, "")
    tokens_sha256: str = since(9, "")
    glossary_sha256: str = since(11, "")

    @property
    def id(self) -> str:
        """`kind/name`."""
        return str(AdapterId(self.kind, self.name))

    @property
    def languages(self) -> tuple[str, ...]:
        """The canonical tags of the languages that it is for: one, or those of an adapter for several."""
        return languages_of(self.language, self.card)


def read_record(files: Files) -> Record:
    """The record of an adapter.

    Raises:
        AdapterFileError: What is wrong with it.
    """
    path = files.path / spec.RECORD_FILE
    shared = SharedField.read(files.read(spec.RECORD_FILE, max_bytes=spec.MAX_JSON_BYTES), path)
    content = shared.content
    version = content.get("format_version")
    if type(version) is not int or version not in spec.READABLE_VERSIONS:
        raise UnknownVersion(
            path,
            f"has format version {version!r}; this adaptkit reads {' and '.join(map(str, spec.READABLE_VERSIONS))}. "
            "Install a newer adaptkit, or ask for the adapter in this version.",
        )
    try:
        check_single_lines(content)
        record = decode(Record, content, version=version)
        _check_family(record.backbone.shape)
        _check_ids(record)
        _check_languages(record)
    except (MistypedJson, ConfigError, UnsupportedArchitecture) as error:
        raise MalformedConfig(path, f"{error}") from error
    _check_bounds(record, path)
    shared.keep(record.backbone, path)
    return record


def read_config(files: Files, record: Record) -> AdapterConfig:
    """How the adapter computes whose record this is.

    Raises:
        AdapterFileError: What is wrong with the config, or that the two do not belong together.
    """
    path, shape = files.path / spec.CONFIG_FILE, record.backbone.shape
    config = from_json(read_json(files, spec.CONFIG_FILE), shape, path, version=record.format_version)
    if record.id in config.method.fuses:
        raise MalformedConfig(path, f"the fusion {record.id} fuses itself.")
    if record.format_version != (right := version_of(config, shape, record.card)):
        raise MalformedConfig(
            files.path / spec.RECORD_FILE,
            f"says format version {record.format_version}, but the adapter is one of version {right}.",
        )
    _check_pieces(record, config, path)
    _check_glossary(record, config, path)
    _check_tokens(record, config, path)
    return config


def version_of(config: AdapterConfig, shape: BackboneShape, card: Card) -> int:
    """The oldest format version that can hold the adapter, so that older readers read all they can compute."""
    return max(format_version(config, shape), needed_version(card))


def _check_pieces(record: Record, config: AdapterConfig, path: Path) -> None:
    n_pieces, found = (0, "") if config.pieces is None else (len(config.pieces), config.pieces.sha256)
    if record.pieces_sha256 != found:
        raise PiecesChanged(
            path,
            f"does not have the pieces that {spec.RECORD_FILE} was written for: pieces or scores were changed, or the "
            "two come from different adapters. Fetch the folder again, whole.",
        )
    if any(max(probe.ids) >= record.backbone.shape.vocabulary_size + n_pieces for probe in record.probes):
        raise LimitExceeded(path.with_name(spec.RECORD_FILE), _OUTSIDE)


def _check_glossary(record: Record, config: AdapterConfig, path: Path) -> None:
    if record.glossary_sha256 != ("" if config.reading.glossary is None else config.reading.glossary.sha256):
        raise MalformedConfig(
            path,
            f"does not have the glossary that {spec.RECORD_FILE} was written for: it was changed, or the two come from "
            "different adapters. Fetch the folder again, whole.",
        )


def _check_tokens(record: Record, config: AdapterConfig, path: Path) -> None:
    """The tokens of a kept projection are those that it was trained to tell apart, and there are such ids."""
    projection = config.projection
    if record.tokens_sha256 != ("" if projection is None else projection.sha256):
        raise MalformedConfig(
            path,
            f"does not have the tokens that {spec.RECORD_FILE} was written for: they were changed, or the two come "
            "from different adapters. Fetch the folder again, whole.",
        )
    n_ids = record.backbone.shape.vocabulary_size + config.n_pieces
    if projection is not None and projection.tokens is not None and projection.tokens[-1] >= n_ids:
        raise LimitExceeded(path, f"projects to the token {projection.tokens[-1]:,}; there are {n_ids:,}.")


def _check_family(shape: BackboneShape) -> None:
    if type(shape) is not shape_class(architecture_of(shape.model_type)):
        raise MistypedJson(f"the sizes are not those that a {shape.model_type} backbone has")


def _check_ids(record: Record) -> None:
    below = [str(AdapterId.parse(text)) for text in record.below]
    if len({record.id, *below}) != 1 + len(below):
        raise MistypedJson(f"below is {record.below}, which names an adapter twice, or {record.id} itself")


def _check_languages(record: Record) -> None:
    for language in record.languages:
        if canonical_tag(language) != language:
            raise MistypedJson(f"language is {language!r}, expected {canonical_tag(language)!r}")
    several = record.card.languages
    if several and (record.language is not None or len(set(record.languages)) < max(2, len(several))):
        raise MistypedJson(f"card.languages of an adapter for several are {record.languages}")


def _check_bounds(record: Record, path: Path) -> None:
    shape = record.backbone.shape
    bounds = {
        "n_blocks": (shape.n_blocks, MAX_BLOCKS),
        "n_heads": (shape.n_heads, MAX_WIDTH),
        "hidden_width": (shape.hidden_width, MAX_WIDTH),
        "ffn_width": (shape.ffn_width, MAX_WIDTH),
        "vocabulary_size": (shape.vocabulary_size, MAX_VOCABULARY),
        "n_positions": (shape.n_positions, MAX_VOCABULARY),
    }
    if isinstance(shape, DecoderShape):
        bounds["n_key_heads"] = (shape.n_key_heads, shape.n_heads)
        bounds["head_width"] = (shape.head_width, MAX_WIDTH)
        bounds["n_heads * head_width"] = (shape.n_heads * shape.head_width, MAX_WIDTH)
    if isinstance(shape, EncoderDecoderShape):
        bounds["n_decoder_blocks"] = (shape.n_decoder_blocks, MAX_BLOCKS)
        bounds["decoder_ffn_width"] = (shape.decoder_ffn_width, MAX_WIDTH)
        bounds["head_width"] = (shape.head_width, MAX_WIDTH)
        bounds["n_heads * head_width"] = (shape.n_heads * shape.head_width, MAX_WIDTH)
    if isinstance(shape, FactorisedShape):
        bounds["embedding_width"] = (shape.embedding_width, MAX_WIDTH)
        bounds["n_layers"] = (shape.n_layers, MAX_BLOCKS)
    for name, (found, bound) in bounds.items():
        if not 1 <= found <= bound:
            raise LimitExceeded(path, f"{name} is {found:,}; the reader's bounds are 1 and {bound:,}.")
    if len(record.card.languages) > spec.MAX_LANGUAGES:
        raise LimitExceeded(
            path, f"has {len(record.card.languages):,} languages; the reader's bound is {spec.MAX_LANGUAGES}."
        )
    if len(record.below) > spec.MAX_BELOW:
        raise LimitExceeded(
            path, f"below names {len(record.below):,} adapters; the reader's bound is {spec.MAX_BELOW}."
        )
    # How many pieces an adapter has of its own is known only when its config is read.
    _check_probes(record.probes, shape, path, n_more=MAX_PIECES if record.pieces_sha256 else 0)


def _check_probes(probes: tuple[Probe, ...], shape: BackboneShape, path: Path, *, n_more: int) -> None:
    if not probes:
        raise MalformedConfig(path, "has no probes, so that its outputs could not be checked.")
    if len(probes) > spec.MAX_PROBES:
        raise LimitExceeded(path, f"has {len(probes):,} probes; the reader's bound is {spec.MAX_PROBES}.")
    # Where positions are counted from padding, that is token 1 in all published models.
    unused = architecture_of(shape.model_type).first_position(pad_token_id=1)
    longest = min(spec.MAX_PROBE_TOKENS, shape.n_positions - unused)
    for probe in probes:
        if not 1 <= len(probe.ids) <= longest:
            raise LimitExceeded(path, f"a probe has {len(probe.ids):,} tokens; the bounds are 1 and {longest}.")
        if not 0 <= min(probe.ids) <= max(probe.ids) < shape.vocabulary_size + n_more:
            raise LimitExceeded(path, _OUTSIDE)
        if len(probe.vector) != min(COMPONENTS, shape.hidden_width):
            raise MalformedConfig(path, f"a probe's vector has {len(probe.vector)} components, expected {COMPONENTS}.")
