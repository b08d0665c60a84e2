"""A loaded, frozen backbone: network, tokenizer and what identifies them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.backbones.compact import save_compact
from adaptkit.backbones.fingerprint import fingerprint_of, highest_id, sampled_table, tokenizer_hash
from adaptkit.backbones.gloss_reader import GlossReader
from adaptkit.backbones.mlm_head import StoredMlmHead
from adaptkit.backbones.networks import embedding_rows, shape_of
from adaptkit.backbones.piece_reader import PieceReader, with_pieces
from adaptkit.backbones.probe_inputs import probe_bodies, spread_pieces
from adaptkit.backbones.sentence_folder import write_sentence_folder
from adaptkit.backbones.spelling import Spelling
from adaptkit.backbones.stored_tensors import MARKER, RowReader, StoredTensor
from adaptkit.backbones.text_ends import write_text_ends
from adaptkit.backbones.text_reader import TextReader
from adaptkit.backbones.transformers_bars import transformers_bars_hidden
from adaptkit.backbones.vocabulary import Vocabulary
from adaptkit.backbones.word_embeddings import TrimmedEmbeddings, WordEmbeddings
from adaptkit.errors import ConfigError, CorruptBackbone
from adaptkit.format.architectures import Architecture, architecture_of
from adaptkit.format.fingerprint import Fingerprint
from adaptkit.format.shapes import BackboneShape
from adaptkit.holding import RESIDENT
from adaptkit.layers.sentence_vectors import SentenceVectors
from adaptkit.methods import PiecesConfig, Reading
from adaptkit.terminal.asking import as_typed

_NOTHING_MORE = Reading()
_READERS_KEPT = 4
"""Each holds the whole vocabulary again, some 100 MB for one of 250,000 pieces."""


@dataclass
class Backbone(TextReader):
    """An inert pretrained encoder, decoder or encoder-decoder. Nothing here changes a weight.

    `release` says which numbers the weights are (for the embedded one: a 4-bit release). `text_prefix` is put before
    every text, because the model was trained with it. `bits`, `embeddings` and `vocabulary` say how the weights are
    held, and `sampled` is the fingerprint that was taken before they were quantised. `output_table` is where a decoder
    has its output projection on disk; None where that is the input table. `output_bias` is what some add to its logits,
    on disk too. `mlm_head` is where an encoder's checkpoint has its way to tokens. `input_table` is where the
    embeddings are on disk; None where they are held as they are. `sentences` makes a vector of a text, of at most
    `sentence_length` tokens where that is said; `prompts` are those that the backbone came with, by name. At
    `text_ends` a text ends, besides the end tokens of config and tokenizer.
    """

    name: str
    release: str
    text_prefix: str
    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    bits: int = 32
    embeddings: str = RESIDENT.name
    vocabulary: Vocabulary | None = None
    sampled: Fingerprint | None = None
    output_table: StoredTensor | None = None
    output_bias: StoredTensor | None = None
    input_table: StoredTensor | None = None
    mlm_head: StoredMlmHead | None = None
    sentences: SentenceVectors = field(default_factory=SentenceVectors)
    sentence_length: int | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    text_ends: tuple[int, ...] = ()
    _readers: dict[str, PieceReader] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def shape(self) -> BackboneShape:
        """The sizes that decide which adapters fit."""
        return shape_of(self.network.config)

    @property
    def architecture(self) -> Architecture:
        """The row of its family."""
        return architecture_of(self.shape.model_type)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Sampled values of every tensor."""
        return self.sampled or fingerprint_of(self.network)

    @cached_property
    def n_ids(self) -> int:
        """How many ids the tokenizer gives. The table may have more rows, which say nothing."""
        return highest_id(self.tokenizer) + 1

    def fingerprint_as_of(self, n_rows: int) -> Fingerprint:
        """The fingerprint as this backbone has it where the embeddings have another number of rows.

        Tables are filled up with rows that no text asks for, to a multiple of 64 for example.
        """
        if n_rows == self.shape.vocabulary_size:
            return self.fingerprint
        name = self.architecture.table
        found = self.input_table or self.network.get_parameter(name)
        # As it was sampled: what is quantised, before that.
        rounded = None if self.fingerprint.precision in ("int8", "nf4") else self.network.dtype
        below = min(self.n_ids, n_rows)
        samples = {**self.fingerprint.samples, name: sampled_table(found, rounded, as_of_rows=n_rows, below=below)}
        return Fingerprint(precision=self.fingerprint.precision, samples=samples)

    @cached_property
    def tokenizer_hash(self) -> str:
        """SHA-256 of the tokenizer's canonical content."""
        return tokenizer_hash(self.tokenizer)

    @property
    def held_as(self) -> str:
        """Precision, embeddings and vocabulary, in words that differ where outputs may."""
        trimmed = "" if self.vocabulary is None else f", {len(self.vocabulary):,} rows ({self.vocabulary.id})"
        pooled = "" if self.sentences.is_plain else f", {self.sentences}"
        return f"{self.fingerprint.precision}, {self.embeddings} embeddings{trimmed}{pooled}"

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.device

    @property
    def max_length(self) -> int:
        """The most tokens in one input, special tokens counted."""
        return self.shape.n_positions - self.architecture.first_position(self.network.config.pad_token_id)

    @property
    def longest_sentence(self) -> int:
        """The most tokens of a text whose vector is made; longer ones are cut."""
        return min(self.sentence_length or self.max_length, self.max_length)

    @property
    def has_plain_vectors(self) -> bool:
        """Whether a sentence vector is the mean over all tokens, with no prompts and no length of their own."""
        return self.sentences.is_plain and self.sentence_length is None and not self.prompts

    def require_whole_vocabulary(self, chosen: Tensor | None) -> None:
        """Refuse an objective over all tokens (`chosen` is None) where only some have rows.

        Raises:
            ConfigError: The backbone was loaded with a vocabulary.
        """
        if chosen is None and self.vocabulary is not None:
            raise ConfigError(
                "full_vocabulary needs every row of the embeddings, and this backbone was loaded with a vocabulary; "
                "leave one of them out."
            )

    @property
    def holds_output_rows(self) -> bool:
        """Whether all rows of a decoder's output projection are in memory as they are: the input table's."""
        table = self.network.get_submodule(self.architecture.word_embeddings)
        return self.output_table is None and isinstance(table, nn.Embedding)

    def output_rows(self, ids: Tensor | None = None) -> Tensor:
        """Rows of a decoder's output projection: the input table's, or those of a projection of its own; None is all.

        Shape: ids (n), distinct and ascending, result (n, hidden_width).

        Raises:
            CorruptBackbone: A projection of its own that the checkpoint lacks.
        """
        if self.output_table is None and not self.network.config.tie_word_embeddings:
            raise CorruptBackbone(
                f"{self.name} predicts tokens by a projection of its own ({self.architecture.output}), which its "
                "checkpoint lacks. Use the checkpoint as published, or train by distillation, which needs none."
            )
        if self.output_table is None:
            return embedding_rows(self.network, None if ids is None else ids.to(self.device))
        table = self.output_table
        rows = table.read() if ids is None else RowReader(table).read(ids.cpu().numpy())
        return rows.to(self.device, self.network.dtype)

    @property
    def output_scale(self) -> float:
        """By what states are multiplied before the output projection: some of the T5 family do so."""
        scales = getattr(self.network.config, "scale_decoder_outputs", False)
        return float(self.shape.hidden_width**-0.5) if scales else 1.0

    @property
    def first_decoded(self) -> int:
        """The token id that an encoder-decoder's decoder begins every text with."""
        config = self.network.config
        start: int | None = getattr(config, "decoder_start_token_id", None)
        return int(config.pad_token_id) if start is None else start

    def output_offsets(self, ids: Tensor | None = None) -> Tensor | None:
        """What a decoder's own output projection adds to the logits of these tokens; None where it adds nothing.

        Shape: ids (n), result (n).
        """
        if self.output_bias is None:
            return None
        offsets = self.output_bias.read()
        return (offsets if ids is None else offsets[ids.cpu()]).to(self.device, self.network.dtype)

    def save(self, folder: str | PathLike[str], *, whole: PreTrainedModel | None = None) -> None:
        """Write an ordinary transformers folder, from which the same backbone is loaded again.

        With `whole`, the network under a head, it is written with that head. With a trimmed vocabulary, the folder has
        only its rows, and a tokenizer with other ids: a smaller backbone, and another one, on which adapters of this
        one are refused.

        Raises:
            ConfigError: The folder exists, or the weights are not held as such a folder holds them.
        """
        path = Path(folder)
        if path.exists():
            raise ConfigError(f"{folder} exists already; nothing was written. Give another folder.")
        table = self.network.get_submodule(self.architecture.word_embeddings)
        ids = None if self.vocabulary is None or whole is not None else self.vocabulary.ids
        if self.bits in (32, 16) and isinstance(table, TrimmedEmbeddings) and ids is not None:
            save_compact(self.network, self.tokenizer, table.rows(torch.from_numpy(ids)).cpu(), ids, path)
        elif self.bits in (32, 16) and isinstance(table, nn.Embedding):
            with transformers_bars_hidden():
                (whole or self._with_projection()).save_pretrained(path)
            self.tokenizer.save_pretrained(path)
            if self.text_ends:
                write_text_ends(path, self.text_ends)
        else:
            raise ConfigError(
                f"a backbone held as {self.held_as} cannot be written as an ordinary transformers folder; load it with "
                f"{as_typed(bits=32)} or 16 and resident embeddings."
            )
        if whole is None and not self.has_plain_vectors:
            write_sentence_folder(
                path,
                self.sentences,
                self.prompts,
                self.text_prefix,
                self.shape.hidden_width,
                self.longest_sentence,
            )
        facts = {"name": self.name, "release": self.release, "text_prefix": self.text_prefix}
        (path / MARKER).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def _with_projection(self) -> PreTrainedModel:
        """The network with its own output projection, if it has one, as its checkpoint had it."""
        if self.output_table is None and self.output_bias is None:
            return self.network
        kind = AutoModelForCausalLM if self.architecture.decoder is None else AutoModelForSeq2SeqLM
        with torch.device("meta"):
            whole: PreTrainedModel = kind.from_config(self.network.config)  # type: ignore[no-untyped-call]
        if hasattr(whole, whole.base_model_prefix):
            setattr(whole, whole.base_model_prefix, self.network)
        else:
            for name, child in self.network.named_children():
                setattr(whole, name, child)
        projection: nn.Linear = whole.get_output_embeddings()  # type: ignore[no-untyped-call]
        projection.weight = nn.Parameter(self.output_rows(), requires_grad=False)
        if (offsets := self.output_offsets()) is not None:
            projection.bias = nn.Parameter(offsets, requires_grad=False)
        return whole

    def reader(self, reading: Reading = _NOTHING_MORE) -> TextReader:
        """What reads text by the backbone's own pieces and by this; the backbone itself where that is nothing.

        Raises:
            ConfigError: The tokenizer is of a kind that takes no more pieces, or has some of these already.
        """
        reader: TextReader = self if reading.pieces is None else self._piece_reader(reading.pieces)
        reader = reader if reading.glossary is None else GlossReader(reader, reading.glossary.gloss)
        return reader if reading.prefix is None else reader.behind(reading.prefix)

    def _piece_reader(self, pieces: PiecesConfig) -> PieceReader:
        found = self._readers.get(pieces.sha256)
        if found is None:
            tokenizer = with_pieces(self.tokenizer, pieces, first=self.shape.vocabulary_size, name=self.name)
            found = PieceReader(self.name, self.text_prefix, tokenizer, self.max_length)
            while len(self._readers) >= _READERS_KEPT:
                self._readers.pop(next(iter(self._readers)), None)
            self._readers[pieces.sha256] = found
        return found

    @cached_property
    def known(self) -> "KnownIds":
        """A map of ids: the unknown token's in place of those above the vocabulary, for which there is no row here."""
        return KnownIds(self.shape.vocabulary_size, self.tokenizer.unk_token_id or 0)

    @cached_property
    def spelling(self) -> Spelling:
        """What gives the letters of its tokens."""
        return Spelling(self.tokenizer)

    def probe_inputs(self, n_pieces: int = 0) -> list[list[int]]:
        """Token ids of the fixed probes, between the opening tokens of every input and the closing one.

        With pieces that an adapter brings, one more reads some of those.
        """
        opening, closing = self._around_every_input
        bodies = probe_bodies(self.shape.vocabulary_size, self.n_ids)
        if n_pieces:
            bodies.append([self.shape.vocabulary_size + place for place in spread_pieces(n_pieces)])
        return [[*opening, *body, *closing] for body in bodies]

    def pad(self, ids: Sequence[Sequence[int] | NDArray[np.int32]], *, multiple_of: int = 1) -> tuple[Tensor, Tensor]:
        """As `padded`, on the backbone's device."""
        padded, mask = self.padded(ids, multiple_of=multiple_of)
        return padded.to(self.device), mask.to(self.device)

    def fetch_words(self, ids: Tensor, there: Tensor) -> None:
        """Let a table of word embeddings that is looked up elsewhere than on the device fetch what a pass will read.

        `there` are the ids as the pass is given them, that very tensor. Shape: ids, on the CPU, and there (batch, seq).
        """
        table = self.network.get_submodule(self.architecture.word_embeddings)
        if isinstance(table, WordEmbeddings):
            table.fetch(ids, there)

    def padded(
        self, ids: Sequence[Sequence[int] | NDArray[np.int32]], *, multiple_of: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Token ids and attention mask as tensors on the CPU.

        Shape: two times (batch, seq), where seq is the longest row, made a multiple of `multiple_of` where the backbone
        reads that many.
        """
        longest = max(len(row) for row in ids)
        seq = max(longest, min(-(-longest // multiple_of) * multiple_of, self.max_length))
        # Masked, so that any id would do where a tokenizer has none for padding.
        padded = torch.full((len(ids), seq), self.tokenizer.pad_token_id or 0, dtype=torch.long)
        mask = torch.zeros((len(ids), seq), dtype=torch.long)
        for number, row in enumerate(ids):
            padded[number, : len(row)] = torch.as_tensor(row, dtype=torch.long)
            mask[number, : len(row)] = 1
        return padded, mask


@dataclass(frozen=True)
class KnownIds:
    """Token ids as a table of so many rows may be asked for them."""

    n_rows: int
    unknown: int

    def __call__(self, ids: Tensor) -> Tensor:
        """Shape: (...), as the result."""
        return torch.where(ids < self.n_rows, ids, self.unknown)
