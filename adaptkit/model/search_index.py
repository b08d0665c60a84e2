"""An index of sentences under a stack: made by a model, searched by text, kept in a folder."""

import hashlib
import json
import os
from collections.abc import Sequence
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol, overload

import numpy as np
from torch import Tensor

from adaptkit.backbones import Backbone
from adaptkit.bounds import Bounds, require_within
from adaptkit.composition import Stack
from adaptkit.data.columns import require_texts
from adaptkit.data.corpus import TextSource
from adaptkit.data.neighbours import Neighbourhood
from adaptkit.errors import ConfigError
from adaptkit.format.config_file import to_json
from adaptkit.format.record import version_of
from adaptkit.model.stacks import ResolvedStack, StackLike
from adaptkit.search import (
    Hit,
    KeptIndex,
    Sentences,
    VectorOrigin,
    distinct_sentences,
    read_index_folder,
    write_index_folder,
)
from adaptkit.storage import Adapter
from adaptkit.terminal.bar import bar

_AT_ONCE = 1024
_BOUNDS = {"top": Bounds(least=1)}


class _AsCorpus(Enum):
    """The stack under which the corpus was encoded."""

    AS_CORPUS = "as corpus"


AS_CORPUS: Final = _AsCorpus.AS_CORPUS


class Encoding(Protocol):
    """What an index asks of a model."""

    backbone: Backbone

    def encode(
        self,
        texts: Sequence[str],
        *,
        stack: StackLike = None,
        batch_size: int = 32,
        prefix: str | None = None,
        normalize_embeddings: bool = False,
    ) -> Tensor:
        """Sentence vectors."""

    def pinned(self, stack: StackLike) -> ResolvedStack:
        """A stack as it is now."""


class SearchIndex:
    """Sentences whose nearest are found by their vectors; `model.search_index` makes one, and `save` keeps it.

    Attributes:
        sentences: what can be found: rows, texts, counts.
        origin: what made the vectors.
    """

    def __init__(self, model: Encoding, kept: KeptIndex) -> None:
        self._model = model
        self._kept = kept
        self.sentences: Sentences = kept.sentences
        self.origin: VectorOrigin = kept.origin

    def __len__(self) -> int:
        return len(self.sentences)

    def __repr__(self) -> str:
        return (
            f"<SearchIndex of {len(self):,} sentences ({self.sentences.description}) under "
            f"{self.origin.stack or 'no adapter'}>"
        )

    @overload
    def search(  # type: ignore[overload-overlap]  # one string is a sequence of strings too
        self,
        queries: str,
        *,
        top: int = ...,
        stack: StackLike | _AsCorpus = ...,
        prefix: str | None = ...,
        approximate: bool = ...,
    ) -> list[Hit]: ...
    @overload
    def search(
        self,
        queries: Sequence[str],
        *,
        top: int = ...,
        stack: StackLike | _AsCorpus = ...,
        prefix: str | None = ...,
        approximate: bool = ...,
    ) -> list[list[Hit]]: ...
    def search(
        self,
        queries: str | Sequence[str],
        *,
        top: int = 10,
        stack: StackLike | _AsCorpus = AS_CORPUS,
        prefix: str | None = None,
        approximate: bool = False,
    ) -> list[Hit] | list[list[Hit]]:
        """The sentences nearest to each query by the cosine of their vectors, the nearest first.

        Queries are encoded under the corpus's own stack, or under another: `stack=None`, no adapter, for English
        queries in a Swahili corpus. Of equal cosines the sentence that stands first in the corpus is first.

        Args:
            queries: a list of texts, or one, whose hits come alone.
            top: how many for each, at most.
            stack: adapters under which the queries are encoded.
            prefix: what stands before each query; None: the prefix of the stack's head, or of the backbone.
            approximate: find most of the nearest by a graph, which is made at the first such search. It is faster among
                hundreds of thousands; else the answer is exact.

        Raises:
            ConfigError: A query that is empty or no text, `top` below 1, or `approximate` without faiss.
            OtherVectors: The corpus's own stack is asked for, and another adapter stands under one of its ids now.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        listed = [queries] if isinstance(queries, str) else list(queries)
        require_texts(listed, "queries", filled=True)
        require_within(_BOUNDS, top=top)
        found = self._hits(listed, top, self._stack_of_queries(stack), prefix, approximate=approximate)
        return found[0] if isinstance(queries, str) else found

    def save(self, folder: str | os.PathLike[str], *, keep_text: bool = True) -> Path:
        """Write the index as a folder: `search_index.json`, `vectors.safetensors`, `sentences.jsonl`.

        Without `keep_text`, it holds rows and vectors and no sentence. A vector still tells something of its sentence.

        Raises:
            ConfigError: Something is there already.
            CannotWrite: As on a full disk.
        """
        sentences = self.sentences if keep_text else self.sentences.without_text()
        write_index_folder(KeptIndex(sentences, self._kept.vectors, self.origin), Path(folder))
        return Path(folder)

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        model: Encoding,
        *,
        corpus: "TextSource | None" = None,
        column: str | None = None,
    ) -> "SearchIndex":
        """Read an index and check that this model, with what is attached, makes such vectors.

        `corpus` is looked at too where it is given: it must be the text that was indexed, and gives the sentences to an
        index that keeps none.

        Raises:
            SourceNotFound: There is no index.
            AdapterFileError: What is wrong with its files.
            OtherVectors: It was made by another backbone, in another precision, or under other adapters.
            UnknownAdapter: An adapter of its stack is not attached.
            ConfigError: It is of another corpus.
        """
        kept = read_index_folder(Path(folder))
        kept.origin.require(origin_of(model, Stack.parse(kept.origin.stack, any_order=True), kept.origin.prefix))
        if corpus is None:
            return cls(model, kept)
        sentences = distinct_sentences(corpus, column=column)
        if sentences.sha256 != kept.sentences.sha256:
            raise ConfigError(
                f"{folder} is an index of other text ({kept.sentences.description}, {kept.sentences.n_given:,} texts) "
                f"than {sentences.description} with {sentences.n_given:,}. Give another folder, or make it anew."
            )
        return cls(model, KeptIndex(sentences, kept.vectors, kept.origin))

    def _stack_of_queries(self, stack: StackLike | _AsCorpus) -> StackLike:
        if not isinstance(stack, _AsCorpus):
            return stack
        own = self._model.pinned(Stack.parse(self.origin.stack, any_order=True))
        self.origin.require(origin_of(self._model, own, self.origin.prefix))
        return own

    def _hits(
        self, queries: Sequence[str], top: int, stack: StackLike, prefix: str | None, *, approximate: bool
    ) -> list[list[Hit]]:
        vectors = self._model.encode(queries, stack=stack, prefix=prefix, normalize_embeddings=True).numpy()
        found = (self._graph if approximate else self._exact).nearest(vectors, top)
        return [
            [
                self.sentences.hit(rank, row, similarity)
                for rank, (row, similarity) in enumerate(zip(rows, cosines, strict=True), start=1)
                if row >= 0
            ]
            for rows, cosines in zip(found.rows.tolist(), found.cosines.tolist(), strict=True)
        ]

    @cached_property
    def _exact(self) -> Neighbourhood:
        return Neighbourhood(self._kept.vectors)

    @cached_property
    def _graph(self) -> Neighbourhood:
        return Neighbourhood(self._kept.vectors, approximate=True)


def made_index(
    model: Encoding,
    corpus: TextSource,
    *,
    stack: StackLike,
    column: str | None,
    prefix: str | None,
    batch_size: int,
    progress: bool,
) -> SearchIndex:
    """Read a corpus and encode it; what is interrupted leaves nothing behind.

    Raises:
        DataError, ConfigError: Text that is not there, malformed or none; an adapter that is in training.
        UnknownAdapter: The stack names an adapter that is not attached.
    """
    pinned = model.pinned(stack)
    origin = origin_of(model, pinned, prefix)
    sentences = distinct_sentences(corpus, column=column)
    texts = sentences.texts or ()
    parts = []
    shown = progress and len(texts) > _AT_ONCE
    with bar(f"encoding {len(texts):,} sentences", len(texts), shown=shown) as advance:
        for start in range(0, len(texts), _AT_ONCE):
            some = texts[start : start + _AT_ONCE]
            encoded = model.encode(some, stack=pinned, batch_size=batch_size, prefix=prefix, normalize_embeddings=True)
            parts.append(encoded.numpy())
            advance(len(some))
    return SearchIndex(model, KeptIndex(sentences, np.concatenate(parts), origin))


def origin_of(model: Encoding, stack: StackLike, prefix: str | None) -> VectorOrigin:
    """What makes vectors of a corpus under a stack now.

    Raises:
        ConfigError: An adapter is in training.
    """
    backbone, pinned = model.backbone, model.pinned(stack)
    return VectorOrigin(
        backbone=backbone.name,
        fingerprint=backbone.fingerprint.id,
        held_as=backbone.held_as,
        tokenizer_sha256=backbone.tokenizer_hash,
        prefix=backbone.reader(pinned.reading).text_prefix if prefix is None else prefix,
        stack=str(pinned.stack),
        adapters={name: _hash_of(name, pinned.adapters[name]) for name in pinned.acting},
    )


def _hash_of(name: str, adapter: Adapter | None) -> str:
    """Of weights and config: a scaling is no weight."""
    if adapter is None:
        raise ConfigError(f"{name} is in training, so that its vectors change; make an index of a finished adapter.")
    version = version_of(adapter.config, adapter.origin.shape, adapter.card)
    config = to_json(adapter.config, adapter.origin.shape, adapter.origin.name, version=version)
    said = json.dumps([adapter.weights_sha256, config], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
