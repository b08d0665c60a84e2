"""A loaded, frozen backbone: network, tokenizer and what identifies them."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.backbones.checkpoint import MARKER, RowReader, StoredTensor
from adaptkit.backbones.compact import save_compact
from adaptkit.backbones.fingerprint import fingerprint_of, highest_id, sampled_table, tokenizer_hash
from adaptkit.backbones.networks import embedding_rows, shape_of
from adaptkit.backbones.probe_inputs import probe_bodies
from adaptkit.backbones.sentence_folder import write_sentence_folder
from adaptkit.backbones.vocabulary import Vocabulary
from adaptkit.backbones.word_embeddings import TrimmedEmbeddings
from adaptkit.data.letters import whole_letters
from adaptkit.errors import ConfigError, CorruptBackbone
from adaptkit.format.architectures import Architecture, architecture_of
from adaptkit.format.fingerprint import Fingerprint
from adaptkit.format.shapes import BackboneShape
from adaptkit.holding import RESIDENT
from adaptkit.layers.sentence_vectors import SentenceVectors

_SPECIAL_TOKENS_OF_A_PAIR = 4


@dataclass(frozen=True)
class Window:
    """A piece of a long text pair: its token ids, and for each token the letters of the second text that it is part of.

    A letter counts with its marks, which some tokenizers give to no token. `text` numbers the pair. `reach` are the
    characters of the second text that the window holds, from and to; the first and the last window reach to its ends.
    `cut` says whether the first text was.

    Shape: places (len(ids), 2), characters from and to, -1 outside the second text.
    """

    text: int
    ids: list[int]
    places: NDArray[np.int32]
    reach: tuple[int, int]
    cut: bool = False


@dataclass
class Backbone:
    """An inert pretrained encoder or decoder. Nothing here changes a weight.

    `release` says which numbers the weights are (for the embedded one: a 4-bit release). `text_prefix` is put before
    every text, because the model was trained with it. `bits`, `embeddings` and `vocabulary` say how the weights are
    held, and `sampled` is the fingerprint that was taken before they were quantised. `output_table` is where a decoder
    has its output projection on disk; None where that is the input table. `input_table` is where the embeddings are on
    disk; None where they are held as they are. `sentences` makes a vector of a text, of at most `sentence_length`
    tokens where that is said; `prompts` are those that the backbone came with, by name.
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
    input_table: StoredTensor | None = None
    sentences: SentenceVectors = field(default_factory=SentenceVectors)
    sentence_length: int | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)

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
            (whole or self._with_projection()).save_pretrained(path)
            self.tokenizer.save_pretrained(path)
        else:
            raise ConfigError(
                f"a backbone held as {self.held_as} cannot be written as an ordinary transformers folder; load it with "
                "bits=32 or 16 and resident embeddings."
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
        if self.output_table is None:
            return self.network
        with torch.device("meta"):
            whole: PreTrainedModel = AutoModelForCausalLM.from_config(self.network.config)  # type: ignore[no-untyped-call]
        setattr(whole, whole.base_model_prefix, self.network)
        projection = nn.Parameter(self.output_rows(), requires_grad=False)
        whole.get_output_embeddings().weight = projection  # type: ignore[no-untyped-call]
        return whole

    def special_id(self, role: str) -> int:
        """The id of a special token: `pad`, `mask`, `unk`, `cls` or `sep`.

        Raises:
            ConfigError: The tokenizer has no such token.
        """
        value: int | None = getattr(self.tokenizer, f"{role}_token_id")
        if value is None:
            raise ConfigError(f"the tokenizer of {self.name} has no {role} token, which this needs.")
        return value

    def tokenize(self, texts: Sequence[str], *, max_length: int | None = None) -> list[list[int]]:
        """Token ids of texts, with prefix and special tokens, cut at `max_length` tokens."""
        return self.tokenize_pairs([(text, None) for text in texts], max_length=max_length)

    def tokenize_pairs(
        self, pairs: Sequence[tuple[str, str | None]], *, max_length: int | None = None
    ) -> list[list[int]]:
        """Token ids of texts that may have a second text behind the first, the longer one cut where it must be."""
        return [ids for ids, _ in self.tokenize_cutting(pairs, max_length=max_length)]

    def tokenize_cutting(
        self, pairs: Sequence[tuple[str, str | None]], *, max_length: int | None = None
    ) -> list[tuple[list[int], bool]]:
        """As `tokenize_pairs`, and of each row whether it was cut."""
        if not pairs:
            return []
        encoded = self._encoded_pairs(pairs, max_length)
        rows: list[list[int]] = encoded["input_ids"]
        if encoded.encodings is not None:
            cut = [bool(encoding.overflowing) for encoding in encoded.encodings]
        else:
            # A tokenizer in Python does not say: one that fills the room may have been cut.
            limit = min(max_length or self.max_length, self.max_length)
            cut = [len(row) >= limit for row in rows]
        # A tokenizer without special tokens gives nothing for an empty text, and the backbone must read something.
        return [(row or [self.special_id("eos")], was_cut) for row, was_cut in zip(rows, cut, strict=True)]

    def tokenize_two(
        self, pairs: Sequence[tuple[str, str]], *, max_length: int | None = None
    ) -> list[tuple[list[int], int]]:
        """Token ids of two texts a row, and how many come before the second text's own; 0 where it was cut away."""
        if not pairs:
            return []
        encoded = self._encoded_pairs(pairs, max_length)
        parts = [encoded.sequence_ids(number) for number in range(len(pairs))]
        return [(ids, part.index(1) if 1 in part else 0) for ids, part in zip(encoded["input_ids"], parts, strict=True)]

    def _encoded_pairs(self, pairs: Sequence[tuple[str, str | None]], max_length: int | None) -> BatchEncoding:
        limit = min(max_length or self.max_length, self.max_length)
        encoded: BatchEncoding = self.tokenizer(
            [
                (self.text_prefix + first, second) if second is not None else self.text_prefix + first
                for first, second in pairs
            ],
            truncation=True,
            max_length=limit,
            return_attention_mask=False,
        )
        return encoded

    def tokenize_words(
        self, sentences: Sequence[Sequence[str]], *, max_length: int | None = None
    ) -> list[tuple[list[int], list[int]]]:
        """Token ids of sentences that are cut into words, and the place of each word's first token.

        Words beyond `max_length` tokens have no place. A word that the tokenizer has no token for has that of the next.
        """
        prefix = self.text_prefix.split()
        limit = min(max_length or self.max_length, self.max_length)
        encoded = self.tokenizer(
            [[*prefix, *sentence] for sentence in sentences],
            is_split_into_words=True,
            truncation=True,
            max_length=limit,
            return_attention_mask=False,
        )
        rows: list[list[int]] = encoded["input_ids"]
        return [(row, _first_places(encoded.word_ids(number), len(prefix))) for number, row in enumerate(rows)]

    def tokenize_windows(
        self, questions: Sequence[str], contexts: Sequence[str], *, max_length: int, stride: int, whole: int = 0
    ) -> list[Window]:
        """Questions with their contexts, in as many windows as each context needs, overlapping by `stride` tokens.

        A question is cut at half of the window, and the overlap at a quarter of what its question leaves; or at half of
        it, where it takes more for every piece of `whole` tokens to lie in one window.
        """
        limit = min(max_length, self.max_length)
        asked = self._cut([self.text_prefix + question for question in questions], limit // 2)
        by_overlap: dict[int, list[int]] = defaultdict(list)
        for number, (_, n_tokens) in enumerate(asked):
            room = max(0, limit - n_tokens - _SPECIAL_TOKENS_OF_A_PAIR)
            by_overlap[max(min(stride, room // 4), min(whole, room // 2))].append(number)
        windows = []
        for overlap, numbers in by_overlap.items():
            encoded = self.tokenizer(
                [asked[number][0] for number in numbers],
                [contexts[number] for number in numbers],
                truncation="only_second",
                max_length=limit,
                stride=overlap,
                return_overflowing_tokens=True,
                return_offsets_mapping=True,
                return_attention_mask=False,
            )
            for at, text in enumerate(encoded["overflow_to_sample_mapping"]):
                windows.append(_window(encoded, at, numbers[text], contexts[numbers[text]]))
        cut = [len(first) < len(self.text_prefix + text) for text, (first, _) in zip(questions, asked, strict=True)]
        windows = [replace(window, cut=cut[window.text]) for window in windows]
        return _reaching_ends(sorted(windows, key=lambda window: window.text), contexts)

    def _cut(self, texts: Sequence[str], most: int) -> list[tuple[str, int]]:
        """The texts, each of at most so many tokens, and how many that are."""
        encoded = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            verbose=False,
        )
        return [
            (text, len(places)) if len(places) <= most else (text[: places[most - 1][1]], most)
            for text, places in zip(texts, encoded["offset_mapping"], strict=True)
        ]

    @cached_property
    def prefix_length(self) -> int:
        """How many leading tokens of every input are the opening special token and the text prefix."""
        return len(self._around_every_input[0])

    @cached_property
    def _around_every_input(self) -> tuple[list[int], list[int]]:
        """What opens every input, with the text prefix, and what closes it: a token in encoders, mostly none else."""
        whole: list[int] = self.tokenizer("a")["input_ids"]
        bare: list[int] = self.tokenizer("a", add_special_tokens=False)["input_ids"]
        start = next(place for place in range(len(whole)) if whole[place : place + len(bare)] == bare)
        prefix: list[int] = self.tokenizer(self.text_prefix.rstrip())["input_ids"]
        n_opening = len(prefix) - (len(whole) - start - len(bare))
        return prefix[:n_opening], prefix[n_opening:]

    def room(self, max_length: int) -> int:
        """How many tokens of a text of its own an input of at most `max_length` tokens holds."""
        opening, closing = self._around_every_input
        return min(max_length, self.max_length) - len(opening) - len(closing)

    def probe_inputs(self) -> list[list[int]]:
        """Token ids of the fixed probes, between the opening tokens of every input and the closing one."""
        opening, closing = self._around_every_input
        bodies = probe_bodies(self.shape.vocabulary_size, self.n_ids)
        return [[*opening, *body, *closing] for body in bodies]

    def pad(self, ids: Sequence[Sequence[int] | NDArray[np.int32]], *, multiple_of: int = 1) -> tuple[Tensor, Tensor]:
        """Token ids and attention mask as tensors on the backbone's device.

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
        return padded.to(self.device), mask.to(self.device)


def _window(encoded: BatchEncoding, at: int, text: int, context: str) -> Window:
    ids: list[int] = encoded["input_ids"][at]
    inside = np.array([part == 1 for part in encoded.sequence_ids(at)], dtype=bool)
    places = np.full((len(ids), 2), -1, dtype=np.int32)
    found = whole_letters(context, np.asarray(encoded["offset_mapping"][at], dtype=np.int32)[inside])
    places[inside] = found
    return Window(text, ids, places, (int(found[0, 0]), int(found[-1, 1])) if len(found) else (0, 0))


def _reaching_ends(windows: Sequence[Window], contexts: Sequence[str]) -> list[Window]:
    """The first and last window of each text with the characters at its ends that belong to no token."""
    numbers = [-1, *(window.text for window in windows), -1]
    reaching = []
    for window, before, after in zip(windows, numbers, numbers[2:], strict=False):
        start = window.reach[0] if before == window.text else 0
        end = window.reach[1] if after == window.text else len(contexts[window.text])
        reaching.append(replace(window, reach=(start, end)))
    return reaching


def _first_places(word_of_token: Sequence[int | None], n_prefix: int) -> list[int]:
    """The place of each word's first token, without the words of the prefix."""
    places: list[int] = []
    for place, word in enumerate(word_of_token):
        while word is not None and word - n_prefix >= len(places):
            places.append(place)
    return places
