"""Words and a tag for each."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.read_words import ReadWords, given_words
from adaptkit.data.tasks import Example
from adaptkit.data.tasks.tag_schemes import OUTSIDE
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.heads.explained import LOG_ODDS, Aim, Wanted, log_odds, wanted_label
from adaptkit.heads.task_format import label_number
from adaptkit.heads.typed import of_type
from adaptkit.layers.heads import TokenHead
from adaptkit.task_types import IGNORED, HeadConfig, Item, PredictedTags, TaggedSentence, as_ids
from adaptkit.terminal.amounts import row_of


class Tagging:
    """Each word's first token decides; the others are neither trained on nor read."""

    unread = OUTSIDE
    """The tag of a word that is not read."""

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int) -> None:
        self._reader = reader
        self._head = head
        self._max_length = max_length

    @staticmethod
    def module(head: HeadConfig, hidden_width: int) -> TokenHead:
        """A fresh head."""
        return TokenHead(hidden_width=hidden_width, n_outputs=len(head.labels), dropout=head.dropout)

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """One row each, with the place of each word's first token."""
        sentences = of_type(TaggedSentence, examples)
        tokenized = self._reader.tokenize_words([e.words for e in sentences], max_length=self._max_length)
        items = []
        for number, (sentence, (row, places)) in enumerate(zip(sentences, tokenized, strict=True)):
            if sentence.tags and len(sentence.tags) != len(sentence.words):
                counts = f"{len(sentence.words)} words and {len(sentence.tags)} tags"
                raise ConfigError(f"{row_of(number, 'examples')} has {counts}; each word needs one.")
            target = tuple(map(self._number, sentence.tags[: len(places)]))
            told = any(number != IGNORED for number in target)
            cut = len(places) < len(sentence.words)
            items.append(Item(number, (as_ids(row),), target if told else (), as_ids(places), sentence.language, cut))
        return items

    def _number(self, tag: str) -> int:
        return IGNORED if tag == self._head.row.no_label else label_number(self._head, tag)

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """Shape: (len(items), seq), with the ignored number where no word begins."""
        labels = np.full((len(items), seq), IGNORED, dtype=np.int64)
        for number, item in enumerate(items):
            labels[number, item.places] = item.target
        return torch.from_numpy(labels)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy over words. Shape: outputs (batch, seq, n_tags)."""
        return F.cross_entropy(
            outputs.flatten(0, 1),
            batch.require_labels().flatten(),
            weight=batch.class_weights,
            ignore_index=IGNORED,
        )

    def predictions(
        self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]
    ) -> list[PredictedTags]:
        """The tags. Shape: outputs, for each item (1, seq, n_tags)."""
        found = []
        for sentence, item, output in zip(of_type(TaggedSentence, examples), items, outputs, strict=True):
            best = output[0].argmax(dim=-1).tolist()
            assert item.places is not None  # noqa: S101 - this format's own items
            tags = [self._head.labels[best[place]] for place in item.places]
            missing = len(sentence.words) - len(tags)
            found.append(PredictedTags((*tags, *[self.unread] * missing), len(tags)))
        return found

    def aim(self, example: Example, items: Sequence[Item], outputs: Sequence[Tensor], wanted: Wanted) -> Aim:
        """The log odds of the tag of one word: the first that has another tag than O, where none is chosen."""
        (sentence,), (item,) = of_type(TaggedSentence, [example]), items
        assert item.places is not None  # noqa: S101 - this format's own items
        labels, output = self._head.labels, outputs[0][0]
        tags = [labels[number] for number in output[item.places.tolist()].argmax(dim=-1).tolist()]
        word = _chosen_word(sentence.words, tags, wanted.word)
        tag = wanted_label(labels, wanted, tags[word])
        place, number = int(item.places[word]), labels.index(tag)
        return Aim(
            0,
            f"{tag} of {sentence.words[word]}",
            LOG_ODDS,
            lambda out: log_odds(out[:, 0, place], number),
            lambda prediction: str(prediction.tags[word]),
            Wanted(tag, word),
        )

    def changed(self, before: PredictedTags, after: PredictedTags) -> Wanted:
        """The first word with another tag."""
        tags = enumerate(zip(before.tags, after.tags, strict=True))
        number = next((number for number, (old, new) in tags if old != new), None)
        return Wanted() if number is None else Wanted(after.tags[number], number)

    def words(self, example: Example, item: int) -> ReadWords:
        """As they were given."""
        (sentence,) = of_type(TaggedSentence, [example])
        return given_words(sentence.words, [self._reader.places_of_words(sentence.words, max_length=self._max_length)])


def _chosen_word(words: Sequence[str], tags: Sequence[str], chosen: str | int | None) -> int:
    """The number of the word whose tag is explained, among those that were read."""
    if not tags:
        raise ConfigError("the sentence has no word that was read, so there is no tag to explain; give words.")
    if chosen is None:
        return next((number for number, tag in enumerate(tags) if tag != OUTSIDE), 0)
    if isinstance(chosen, str) and words[: len(tags)].count(chosen) == 1:
        return words.index(chosen)
    if isinstance(chosen, int) and 0 <= chosen < len(tags):
        return chosen
    found = f"of {len(tags)} that were read"
    if isinstance(chosen, str):
        found = f"which is there {words[: len(tags)].count(chosen)} times"
    numbered = ", ".join(f"{number}: {word}" for number, word in enumerate(words[: len(tags)]))
    raise ConfigError(f"word is {chosen!r:.60}, {found}; give a word's number ({numbered:.200}).")
