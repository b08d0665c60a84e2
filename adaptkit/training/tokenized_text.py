"""A training text as objectives read it: sentences, their tokens, and vectors of the frozen backbone."""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import compress, islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.batching import heldout_rows, rows_to_train_on
from adaptkit.data.lexicon import Lexicon
from adaptkit.data.mixture import Mixture
from adaptkit.data.sentence import Sentence
from adaptkit.data.tokens import TokenStore


class Encode(Protocol):
    """What makes vectors of texts under no adapter."""

    def __call__(
        self,
        texts: TokenStore,
        what: str,
        *,
        blocks: tuple[int, ...] = (),
        first_lengths: NDArray[np.int32] | None = None,
    ) -> Tensor:
        """Vectors after the last block, or after these side by side; `what` the texts are is told while it runs.

        Rows may hold two texts, `first_lengths` (len(texts)) says where the second begins, 0 where there is none; the
        vectors of second texts stand behind those of all rows.

        Shape: (n_texts, hidden_width), or that width for each of `blocks`; float32 on the CPU.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class TokenizedText:
    """Sentences of a text, and the token ids of each in `tokens`, cut at `max_length`.

    `rows` reads the text from its start, and may hold more than is trained on. `note` is told what of the text is cut
    or left out. `encode` makes vectors of the frozen backbone. `lexicon` is the dictionary that came with the text, for
    an objective that needs one. `reader` is what reads it where that is not the backbone alone: pieces that an adapter
    brings are above the backbone's vocabulary, and the frozen backbone reads nothing there. Sentences behind the first
    `n_measured` only help training; 0 means that there are none. `mixture` says which source each is of, where there
    are several, `source_languages` in which language each source has its translations, and `of_words` the numbers of
    those sources that have words and names alone.
    """

    tokens: TokenStore
    rows: Callable[[], Iterator[Sentence]]
    max_length: int
    seed: int
    encode: Encode
    note: Callable[[str], None]
    lexicon: Lexicon | None = None
    n_measured: int = 0
    mixture: Mixture | None = None
    reader: TextReader | None = None
    source_languages: Sequence[str | None] = ()
    of_words: Set[int] = frozenset()

    def translated_from(self, sentence: Sentence) -> str | None:
        """The language of a sentence's translation, where its source says it."""
        return self.source_languages[sentence.part] if self.source_languages else None

    def sentences(self) -> Iterator[Sentence]:
        """The sentences that are trained on, as many as there are rows of tokens, in their order."""
        return islice(self.rows(), len(self.tokens))

    def at_most(self, n_trained: int) -> "TokenizedText":
        """As much of it, taken by chance and in its order, as is enough to train on so many sentences.

        Of several sources, each has its share. A text that has no more stays as it is.
        """
        n, wanted = len(self.tokens), rows_to_train_on(n_trained)
        if wanted >= n:
            return self
        drawn = np.arange(n) if self.mixture is None else self.mixture.drawn(np.arange(n), seed=self.seed, epoch=0)
        kept = np.unique(np.random.default_rng((self.seed, n)).permutation(drawn)[:wanted])
        chosen = np.isin(np.arange(n), kept)
        return replace(
            self,
            tokens=TokenStore(self.tokens[row] for row in kept.tolist()),
            rows=lambda: compress(self.rows(), chosen),
            mixture=self.mixture and self.mixture.of(kept.tolist()),
        )

    def heldout(self) -> list[int]:
        """Numbers of the sentences that will be held out where each is a row."""
        n = self.n_measured or len(self.tokens)
        return heldout_rows(n, seed=self.seed) if self.mixture is None else self.mixture.heldout(n, seed=self.seed)
