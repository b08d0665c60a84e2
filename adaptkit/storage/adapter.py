"""The adapter: config, tensors and card as one value, saved to a folder and read back with every claim checked."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path

import torch
from safetensors.torch import save as serialise
from torch import Tensor

from adaptkit.backbones import Backbone, BackboneShape, DecoderShape, Fingerprint
from adaptkit.backbones.architectures import architecture_of
from adaptkit.composition import AdapterId
from adaptkit.config import AdapterConfig, FusionConfig, Kind
from adaptkit.errors import (
    ArchitectureMismatch,
    ConfigError,
    LimitExceeded,
    MalformedConfig,
    UnknownVersion,
    UnsupportedArchitecture,
    WeightsChanged,
)
from adaptkit.languages import canonical_tag
from adaptkit.layers import AdapterLayers
from adaptkit.storage import format as spec
from adaptkit.storage.card import Card, render_card
from adaptkit.storage.folder import read_file, read_json, write_folder
from adaptkit.storage.method_config import format_version, from_json, tensor_prefix, to_json
from adaptkit.storage.probes import COMPONENTS, Probe
from adaptkit.storage.records import RecordError, decode, encode
from adaptkit.storage.single_lines import check_single_lines
from adaptkit.storage.tensors import parse_tensors


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The backbone that an adapter was trained on, as far as it must be known to refuse another."""

    name: str
    release: str
    text_prefix: str
    shape: BackboneShape | DecoderShape
    tokenizer_sha256: str
    fingerprint: Fingerprint

    @classmethod
    def of(cls, backbone: Backbone) -> "Origin":
        """Describe a loaded backbone."""
        return cls(
            name=backbone.name,
            release=backbone.release,
            text_prefix=backbone.text_prefix,
            shape=backbone.shape,
            tokenizer_sha256=backbone.tokenizer_hash,
            fingerprint=backbone.fingerprint,
        )


@dataclass(frozen=True, kw_only=True)
class _Record:
    """The content of adaptkit.json: what peft does not know."""

    format_version: int
    kind: Kind
    name: str
    language: str | None
    backbone: Origin
    below: tuple[str, ...]
    weights_sha256: str
    probes: tuple[Probe, ...]
    card: Card


@dataclass(frozen=True, kw_only=True, repr=False)
class Adapter:
    """A trained adapter, on no model yet. `tensors` are named `<module path>.<weight name>` and lie on the CPU.

    `below` is the stack of adapter ids that it was trained on top of.
    """

    kind: Kind
    name: str
    language: str | None
    config: AdapterConfig
    origin: Origin
    tensors: Mapping[str, Tensor]
    below: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    card: Card = field(default_factory=Card)

    def __repr__(self) -> str:
        size = f"{self.n_parameters:,} parameters"
        return f"<Adapter {self.id}: {self.config.method_name}, {size}, for {self.origin.name} ({self.origin.release})>"

    @cached_property
    def id(self) -> str:
        """`kind/name`, for example `language/sw`."""
        return str(AdapterId(self.kind, self.name))

    @property
    def training(self) -> object:
        """What the training run did: `adaptkit.TrainingFacts`, or None when it was not recorded."""
        return self.card.training

    @cached_property
    def n_parameters(self) -> int:
        """How many numbers the adapter adds."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    @cached_property
    def size_bytes(self) -> int:
        """Size of the weight file in bytes."""
        return len(self._weights)

    @cached_property
    def weights_sha256(self) -> str:
        """SHA-256 of the weight file."""
        return hashlib.sha256(self._weights).hexdigest()

    @cached_property
    def _weights(self) -> bytes:
        prefix = tensor_prefix(self.config)
        return serialise(
            {prefix + name: tensor.contiguous() for name, tensor in self.tensors.items()}, {"format": "pt"}
        )

    def save(self, folder: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the adapter as a folder, whole or not at all.

        Raises:
            ConfigError: Something is there already and `overwrite` is not set, or a text of the card holds a control
                character or an end of a line.
        """
        path = Path(folder)
        record = _Record(
            format_version=format_version(self.config, self.origin.shape),
            kind=self.kind,
            name=self.name,
            language=self.language,
            backbone=self.origin,
            below=self.below,
            weights_sha256=self.weights_sha256,
            probes=self.probes,
            card=self.card,
        )
        try:
            check_single_lines(encode(record))
        except RecordError as error:
            raise ConfigError(f"{self.id} cannot be saved: {error}.") from error
        write_folder(
            path,
            {
                spec.WEIGHTS_FILE: self._weights,
                spec.CONFIG_FILE: _json(to_json(self.config, self.origin.shape, self.origin.name)),
                spec.RECORD_FILE: _json(encode(record)),
                spec.CARD_FILE: self.render_card().encode(),
            },
            overwrite=overwrite,
        )
        return path

    def renamed(self, adapter_id: str) -> "Adapter":
        """The same adapter under another id, so that two of one name can be attached.

        Raises:
            ConfigError: No id, or one of another kind.
        """
        other = AdapterId.parse(adapter_id)
        if other.kind != self.kind:
            raise ConfigError(f"{self.id} is a {self.kind} adapter and cannot be named {adapter_id}.")
        return replace(self, name=other.name)

    def render_card(self) -> str:
        """The card as Markdown."""
        return render_card(
            adapter_id=self.id,
            language=self.language,
            method=self.config.method_name,
            head=self.config.head,
            below=self.below,
            backbone=self.origin.name,
            release=self.origin.release,
            n_parameters=self.n_parameters,
            card=self.card,
        )


def load_adapter(folder: str | PathLike[str]) -> Adapter:
    """Read an adapter folder. Nothing is executed, nothing is fetched, and nothing unchecked is kept.

    Whether it fits a backbone is checked when it is attached.

    Raises:
        AdapterFileError: One of its subclasses says what is wrong with the folder.
    """
    path = Path(folder)
    record = _read_record(path)
    shape = record.backbone.shape
    config = from_json(read_json(path, spec.CONFIG_FILE), shape, path / spec.CONFIG_FILE)
    own = str(AdapterId(record.kind, record.name))
    if isinstance(config.method, FusionConfig) and own in config.method.fuses:
        raise MalformedConfig(path / spec.CONFIG_FILE, f"the fusion {own} fuses itself.")
    if record.format_version != (right := format_version(config, shape)):
        raise MalformedConfig(
            path / spec.RECORD_FILE,
            f"says format version {record.format_version}, but the adapter is one of version {right}.",
        )
    weights = read_file(path, spec.WEIGHTS_FILE, max_bytes=spec.MAX_WEIGHTS_BYTES)
    prefix = tensor_prefix(config)
    expected = {prefix + name: shape for name, shape in _expected_shapes(config, shape, path).items()}
    tensors = parse_tensors(weights, expected, path / spec.WEIGHTS_FILE)
    if hashlib.sha256(weights).hexdigest() != record.weights_sha256:
        raise WeightsChanged(
            path / spec.WEIGHTS_FILE,
            f"is not the file that {spec.RECORD_FILE} was written for: the weights were changed, or the two come from "
            "different adapters. Fetch the folder again, whole.",
        )
    return Adapter(
        kind=record.kind,
        name=record.name,
        language=record.language,
        config=config,
        origin=record.backbone,
        tensors={name.removeprefix(prefix): tensor for name, tensor in tensors.items()},
        below=record.below,
        probes=record.probes,
        card=record.card,
    )


def listed(folder: str | PathLike[str]) -> tuple[str, tuple[str, ...]]:
    """The id of the adapter in a folder, and of a fusion what it fuses; the weights are not read.

    Raises:
        AdapterFileError: What is wrong with the record or the config.
    """
    path = Path(folder)
    record = _read_record(path)
    method = from_json(read_json(path, spec.CONFIG_FILE), record.backbone.shape, path / spec.CONFIG_FILE).method
    return str(AdapterId(record.kind, record.name)), method.fuses if isinstance(method, FusionConfig) else ()


def _read_record(path: Path) -> _Record:
    content = read_json(path, spec.RECORD_FILE)
    version = content.get("format_version")
    if type(version) is not int or version not in spec.READABLE_VERSIONS:
        raise UnknownVersion(
            path / spec.RECORD_FILE,
            f"has format version {version!r}; this adaptkit reads {' and '.join(map(str, spec.READABLE_VERSIONS))}. "
            "Install a newer adaptkit, or ask for the adapter in this version.",
        )
    try:
        check_single_lines(content)
        record = decode(_Record, content)
        _check_family(record.backbone.shape)
        _check_ids(record)
        if record.language is not None and canonical_tag(record.language) != record.language:
            raise RecordError(f"language is {record.language!r}, expected {canonical_tag(record.language)!r}")
    except (RecordError, ConfigError, UnsupportedArchitecture) as error:
        raise MalformedConfig(path / spec.RECORD_FILE, f"{error}") from error
    _check_bounds(record, path / spec.RECORD_FILE)
    return record


def _check_family(shape: BackboneShape) -> None:
    if architecture_of(shape.model_type).causal != isinstance(shape, DecoderShape):
        raise RecordError(f"the sizes are not those that a {shape.model_type} backbone has")


def _check_ids(record: _Record) -> None:
    own = AdapterId(record.kind, record.name)
    below = [AdapterId.parse(text) for text in record.below]
    if len({own, *below}) != 1 + len(below):
        raise RecordError(f"below is {record.below}, which names an adapter twice, or {own} itself")


def _check_bounds(record: _Record, path: Path) -> None:
    shape = record.backbone.shape
    bounds = {
        "n_blocks": (shape.n_blocks, spec.MAX_BLOCKS),
        "n_heads": (shape.n_heads, spec.MAX_WIDTH),
        "hidden_width": (shape.hidden_width, spec.MAX_WIDTH),
        "ffn_width": (shape.ffn_width, spec.MAX_WIDTH),
        "vocabulary_size": (shape.vocabulary_size, spec.MAX_VOCABULARY),
        "n_positions": (shape.n_positions, spec.MAX_VOCABULARY),
    }
    if isinstance(shape, DecoderShape):
        bounds["n_key_heads"] = (shape.n_key_heads, shape.n_heads)
        bounds["head_width"] = (shape.head_width, spec.MAX_WIDTH)
        bounds["n_heads * head_width"] = (shape.n_heads * shape.head_width, spec.MAX_WIDTH)
    for name, (found, bound) in bounds.items():
        if not 1 <= found <= bound:
            raise LimitExceeded(path, f"{name} is {found:,}; the reader's bounds are 1 and {bound:,}.")
    if len(record.below) > spec.MAX_BELOW:
        raise LimitExceeded(
            path, f"below names {len(record.below):,} adapters; the reader's bound is {spec.MAX_BELOW}."
        )
    _check_probes(record.probes, shape, path)


def _check_probes(probes: tuple[Probe, ...], shape: BackboneShape, path: Path) -> None:
    if not probes:
        raise MalformedConfig(path, "has no probes, so that its outputs could not be checked.")
    if len(probes) > spec.MAX_PROBES:
        raise LimitExceeded(path, f"has {len(probes):,} probes; the reader's bound is {spec.MAX_PROBES}.")
    # RoBERTa leaves the first two rows of its position table unused.
    longest = min(spec.MAX_PROBE_TOKENS, shape.n_positions - 2)
    for probe in probes:
        if not 1 <= len(probe.ids) <= longest:
            raise LimitExceeded(path, f"a probe has {len(probe.ids):,} tokens; the bounds are 1 and {longest}.")
        if not 0 <= min(probe.ids) <= max(probe.ids) < shape.vocabulary_size:
            raise LimitExceeded(path, "a probe has token ids outside the vocabulary.")
        if len(probe.vector) != min(COMPONENTS, shape.hidden_width):
            raise MalformedConfig(path, f"a probe's vector has {len(probe.vector)} components, expected {COMPONENTS}.")


def _expected_shapes(config: AdapterConfig, shape: BackboneShape, path: Path) -> dict[str, tuple[int, ...]]:
    try:
        # On the meta device nothing is allocated, so a lying config costs nothing.
        with torch.device("meta"):
            layers = AdapterLayers(config, shape.sites())
    except ArchitectureMismatch as error:
        raise MalformedConfig(path / spec.CONFIG_FILE, str(error)) from error
    return {name: tuple(tensor.shape) for name, tensor in layers.named_tensors().items()}


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
