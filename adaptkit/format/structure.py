"""An adapter folder that was read and found sound, every claim checked: what it says, and the bytes of its weights."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path

from adaptkit.errors import ArchitectureMismatch, MalformedConfig, WeightsChanged
from adaptkit.format import spec
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.architectures import architecture_of
from adaptkit.format.card import CardSubject
from adaptkit.format.card_page import render_card
from adaptkit.format.config_file import tensor_prefix
from adaptkit.format.folder import Files
from adaptkit.format.record import Origin, Record, read_config, read_record
from adaptkit.format.shapes import BackboneShape
from adaptkit.format.tensor_file import check_tensors
from adaptkit.format.tensor_shapes import tensor_shapes
from adaptkit.languages import autonym, family_in_words, language_name, script_name


@dataclass(frozen=True)
class Structure:
    """Record and config of an adapter, the shapes of its tensors by their names in the file, and that file."""

    record: Record
    config: AdapterConfig
    shapes: Mapping[str, tuple[int, ...]]
    weights: bytes

    @cached_property
    def n_parameters(self) -> int:
        """How many numbers the adapter adds."""
        return sum(map(prod, self.shapes.values()))

    def render_card(self) -> str:
        """The card as Markdown."""
        record = self.record
        subject = subject_of(
            adapter_id=record.id,
            config=self.config,
            origin=record.backbone,
            below=record.below,
            languages=record.languages,
            n_parameters=self.n_parameters,
            weights_sha256=record.weights_sha256,
        )
        return render_card(subject, record.card)


def read_structure(files: Files) -> Structure:
    """Read an adapter from wherever its files lie. Nothing is executed or fetched, and no tensor is made.

    Raises:
        AdapterFileError: What is wrong with it.
    """
    record = read_record(files)
    config = read_config(files, record)
    path, prefix = files.path / spec.WEIGHTS_FILE, tensor_prefix(config)
    weights = files.read(spec.WEIGHTS_FILE, max_bytes=spec.MAX_WEIGHTS_BYTES)
    expected = _expected_shapes(config, record.backbone.shape, files.path)
    shapes = {prefix + name: shape for name, shape in expected.items()}
    check_tensors(weights, shapes, path)
    if hashlib.sha256(weights).hexdigest() != record.weights_sha256:
        raise WeightsChanged(
            path,
            f"is not the file that {spec.RECORD_FILE} was written for: the weights were changed, or the two come from "
            "different adapters. Fetch the folder again, whole.",
        )
    return Structure(record, config, shapes, weights)


def subject_of(
    *,
    adapter_id: str,
    config: AdapterConfig,
    origin: Origin,
    below: tuple[str, ...],
    languages: tuple[str, ...],
    n_parameters: int,
    weights_sha256: str,
) -> CardSubject:
    """Whose card it is, in the card's words."""
    head = config.head
    return CardSubject(
        adapter_id=adapter_id,
        method=config.method_name,
        head="" if head is None else head.row.told(head),
        below=below,
        language_tags=languages,
        languages=tuple(map(_language_in_words, languages)),
        backbone=origin.name,
        release=origin.release,
        fingerprint=origin.fingerprint.id,
        hub_id=origin.hub_id,
        n_parameters=n_parameters,
        weights_sha256=weights_sha256,
        n_pieces=config.n_pieces,
        n_glosses=0 if config.reading.glossary is None else len(config.reading.glossary),
        n_predicted=0
        if config.projection is None
        else config.projection.n_tokens(origin.shape.vocabulary_size + config.n_pieces),
        hub_task=_hub_task(config, origin),
    )


def _hub_task(config: AdapterConfig, origin: Origin) -> str:
    if config.head is not None:
        return config.head.row.hub_task
    return "text-generation" if architecture_of(origin.shape.model_type).causal else "feature-extraction"


def _language_in_words(tag: str) -> str:
    name, own = language_name(tag), autonym(tag)
    called = name if own == name else f"{name} ({own})"
    return f"{called}, {tag}; script: {script_name(tag)}; family: {family_in_words(tag)}"


def _expected_shapes(config: AdapterConfig, shape: BackboneShape, path: Path) -> dict[str, tuple[int, ...]]:
    try:
        return tensor_shapes(config, shape)
    except ArchitectureMismatch as error:
        raise MalformedConfig(path / spec.CONFIG_FILE, str(error)) from error
