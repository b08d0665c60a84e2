"""The adapter: config, tensors and card as one value, saved to a folder and read back with every claim checked."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors.torch import load as load_tensors
from safetensors.torch import save as serialise
from torch import Tensor

from adaptkit.composition import AdapterId
from adaptkit.config import Kind
from adaptkit.data.letters import NormalForm
from adaptkit.errors import ConfigError
from adaptkit.format import spec
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, TrainingFacts, languages_of, normal_form
from adaptkit.format.card_html import card_html
from adaptkit.format.card_page import render_card
from adaptkit.format.config_file import tensor_prefix, to_json
from adaptkit.format.folder import Files, Folder, write_folder
from adaptkit.format.probe import Probe
from adaptkit.format.record import Origin, Record, version_of
from adaptkit.format.single_lines import check_single_lines
from adaptkit.format.structure import read_structure, subject_of
from adaptkit.format.typed_json import MistypedJson, encode
from adaptkit.later import later
from adaptkit.storage.tensors import sha256_of

# Hubs lie above: an adapter reaches them when it is asked to.
_push = later("adaptkit.interchange", "push_adapter")
_pull = later("adaptkit.interchange", "pull_adapter")


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
    def languages(self) -> tuple[str, ...]:
        """The canonical tags of the languages that it is for: one, or those of an adapter for several."""
        return languages_of(self.language, self.card)

    @property
    def training(self) -> TrainingFacts | None:
        """What the training run did, or None when it was not recorded."""
        return self.card.training

    @cached_property
    def n_parameters(self) -> int:
        """How many numbers the adapter adds."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    @cached_property
    def size_bytes(self) -> int:
        """Size of the weights in bytes, as they are saved, and of the words of a glossary."""
        glossary = self.config.reading.glossary
        return len(self._weights) + (0 if glossary is None else glossary.size_bytes)

    @cached_property
    def weights_sha256(self) -> str:
        """SHA-256 of the weight file."""
        return hashlib.sha256(self._weights).hexdigest()

    @cached_property
    def tensors_sha256(self) -> str:
        """SHA-256 of names, types, shapes and values of the tensors; found without writing a file."""
        return sha256_of(self.tensors)

    @property
    def _weights(self) -> bytes:
        prefix, glossary = tensor_prefix(self.config), self.config.reading.glossary
        # Glossaries have no tensors, and their files are told apart so; of two entries, the order would not be fixed.
        told = {"format": "pt"} if glossary is None else {"glossary": glossary.sha256}
        return serialise({prefix + name: tensor.contiguous() for name, tensor in self.tensors.items()}, told)

    def save(self, folder: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the adapter as a folder, whole or not at all.

        Raises:
            ConfigError: Something is there already and `overwrite` is not set, or a text of the card holds a control
                character or an end of a line.
        """
        path = Path(folder)
        version = version_of(self.config, self.origin.shape, self.card)
        glossary = self.config.reading.glossary
        record = Record(
            format_version=version,
            kind=self.kind,
            name=self.name,
            language=self.language,
            backbone=self.origin,
            below=self.below,
            weights_sha256=self.weights_sha256,
            probes=self.probes,
            card=self.card,
            pieces_sha256="" if self.config.pieces is None else self.config.pieces.sha256,
            glossary_sha256="" if glossary is None else glossary.sha256,
            tokens_sha256="" if self.config.projection is None else self.config.projection.sha256,
        )
        try:
            check_single_lines(encode(record))
        except MistypedJson as error:
            raise ConfigError(f"{self.id} cannot be saved: {error}.") from error
        write_folder(
            path,
            {
                spec.WEIGHTS_FILE: self._weights,
                spec.CONFIG_FILE: _json(to_json(self.config, self.origin.shape, self.origin.name, version=version)),
                spec.RECORD_FILE: _json(encode(record, version)),
                spec.CARD_FILE: self.render_card().encode(),
            },
            overwrite=overwrite,
        )
        return path

    def _repr_html_(self) -> str:
        """What a notebook shows: what it is, where it comes from, and its scores."""
        return card_html(repr(self)[1:-1], self.card)

    @classmethod
    def from_pretrained(
        cls, name_or_path: str | PathLike[str], *, revision: str | None = None, token: str | None = None
    ) -> "Adapter":
        """The adapter in a folder (as `load_adapter`), or else in a repository of a model hub, `owner/name`.

        What comes from a hub is checked, and not kept: `adaptkit.pull_adapter` writes a folder of it.

        Raises:
            AdapterFileError: What is there is no sound adapter.
            SourceNotFound: There is no such folder, and no such repository or revision.
            ConfigError: A revision of a folder.
            HubError: The hub does not answer or refuses.
        """
        if Path(name_or_path).exists() or isinstance(name_or_path, PathLike):
            if revision is not None:
                raise ConfigError(f"{name_or_path} is a folder, which has no revision; leave {revision!r:.80} out.")
            return load_adapter(name_or_path)
        with TemporaryDirectory() as place:
            found: Adapter = _pull()(
                name_or_path, revision=revision, output=Path(place) / "adapter", token=token
            ).adapter
            return found

    def save_pretrained(self, save_directory: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """`save`, by the name that it has in transformers and peft; what is there is only replaced if you say so.

        Raises:
            ConfigError: As `save`.
        """
        return self.save(save_directory, overwrite=overwrite)

    def push_to_hub(
        self, repo_id: str, *, private: bool = True, commit_message: str | None = None, token: str | None = None
    ) -> str:
        """`adaptkit.push_adapter`, by the name that it has in transformers and peft; gives the revision.

        A repository that is not there is made, a private one unless `private` is off.

        Raises:
            ConfigError: The name is none, the repository holds something else, or it is public and `private` is on.
            HubError: The hub does not answer or refuses.
        """
        pushed = _push()(self, repo_id, public=not private, message=commit_message, token=token)
        return str(pushed.revision)

    @property
    def normal_form(self) -> NormalForm | None:
        """The form that the text it was trained on was read in (`normalize`); None where it was read as it was."""
        return normal_form(self.card)

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
        subject = subject_of(
            adapter_id=self.id,
            config=self.config,
            origin=self.origin,
            below=self.below,
            languages=self.languages,
            n_parameters=self.n_parameters,
            weights_sha256=self.weights_sha256,
        )
        return render_card(subject, self.card)


def load_adapter(folder: str | PathLike[str]) -> Adapter:
    """Read an adapter folder. Nothing is executed, nothing is fetched, and nothing unchecked is kept.

    Whether it fits a backbone is checked when it is attached.

    Raises:
        AdapterFileError: One of its subclasses says what is wrong with the folder.
    """
    return read_adapter(Folder(Path(folder)))


def read_adapter(files: Files) -> Adapter:
    """Read an adapter from wherever its files lie, as `load_adapter` does.

    Raises:
        AdapterFileError: As `load_adapter`.
    """
    found = read_structure(files)
    record, prefix = found.record, tensor_prefix(found.config)
    tensors = load_tensors(found.weights)
    return Adapter(
        kind=record.kind,
        name=record.name,
        language=record.language,
        config=found.config,
        origin=record.backbone,
        tensors={name.removeprefix(prefix): tensors[name] for name in found.shapes},
        below=record.below,
        probes=record.probes,
        card=record.card,
    )


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
