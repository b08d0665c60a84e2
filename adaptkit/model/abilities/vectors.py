"""Vectors of texts, and what is found by them."""

from collections.abc import Sequence

from torch import Tensor, nn

from adaptkit.data.columns import require_texts
from adaptkit.data.corpus import TextSource
from adaptkit.model.abilities.compositions import Compositions
from adaptkit.model.search_index import SearchIndex, made_index
from adaptkit.model.stacks import StackLike
from adaptkit.terminal.bar import is_long


class Vectors(Compositions):
    """A model encodes texts, each under a stack of its own, and makes an index of many."""

    def encode(
        self,
        texts: str | Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        batch_size: int = 32,
        max_length: int | None = None,
        prefix: str | None = None,
        normalize_embeddings: bool = False,
        progress: bool | None = None,
    ) -> Tensor:
        """Sentence vectors under `stack` (None: under no adapter): the mean over the hidden states of real tokens.

        A backbone from a folder of sentence-transformers gives the vectors that it gives there: by its own pooling,
        projections and normalisation, behind its default prompt, and cut at its own length (`max_length` is another).
        `prefix` takes the place of that prompt, and of the prefix of a head on top (the embedded backbone has
        `query: `, and wants `passage: ` before documents that are searched). With `normalize_embeddings`, vectors have
        length 1. With `progress`, a bar shows how far it has come; by default it is there on a terminal, from 1,000
        texts on.

        With `stacks`, each text is under its own; one batch may hold them all. A warning is logged once where texts are
        longer than the backbone reads, or are in another normal form than the text of the adapters' training.

        Shape: (len(texts), hidden_width, or the width of the backbone's own vectors), float32 on the CPU; of one string
        its vector alone.

        Raises:
            ConfigError: `texts` holds something else than text, the batch size is below 1, or texts and stacks differ
                in number.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        listed = [texts] if isinstance(texts, str) else texts
        require_texts(listed, "texts")
        each = self._stacks.for_each(len(listed), stack, stacks)
        vectors = self._encoder.vectors(
            listed,
            each,
            self._notices,
            batch_size=batch_size,
            max_length=max_length,
            prefix=prefix,
            progress=is_long(len(listed)) if progress is None else progress,
        )
        vectors = nn.functional.normalize(vectors, dim=-1) if normalize_embeddings else vectors
        return vectors[0] if isinstance(texts, str) else vectors

    def encode_ids(
        self,
        ids: Sequence[Sequence[int]],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        batch_size: int = 32,
        blocks: Sequence[int] = (),
        whole: bool = False,
    ) -> Tensor:
        """Pooled vectors of texts that are tokenized already, after the last block or after these, side by side.

        They are as training sees them, before projections and normalisation that a backbone may have. With `whole`,
        those of an encoder-decoder are of its decoder, which has read the same texts; so probes are made.

        Shape: (len(ids), hidden_width), or that width for each of `blocks`; float32 on the CPU.

        Raises:
            ConfigError: The batch size is below 1, or texts and stacks differ in number.
            UnknownAdapter: A stack names an adapter that is not attached.
            OutOfMemory: The memory does not hold a batch.
        """
        plans = [each.plan for each in self._stacks.for_each(len(ids), stack, stacks)]
        return self._encoder.pooled(ids, plans, batch_size=batch_size, blocks=blocks, whole=whole)

    def search_index(
        self,
        corpus: TextSource,
        *,
        stack: StackLike = None,
        column: str | None = None,
        prefix: str | None = None,
        batch_size: int = 32,
        progress: bool = True,
    ) -> SearchIndex:
        """Encode the sentences of a corpus under a stack, each once, so that the nearest to a query can be found.

        `corpus` is a list of sentences, or a file as `train_adapter(text=...)` reads it (`column`: the field of its
        rows). `prefix` stands before each sentence in place of the backbone's own.

        Raises:
            DataError, ConfigError: Text that is not there, malformed or none; an adapter that is in training.
            UnknownAdapter: The stack names an adapter that is not attached.
        """
        return made_index(
            self, corpus, stack=stack, column=column, prefix=prefix, batch_size=batch_size, progress=progress
        )
