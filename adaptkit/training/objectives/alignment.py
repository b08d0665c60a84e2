"""Word alignment: a glossary is learned from sentences with translations, and measured on some that it has not seen."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Literal

import torch
from torch import nn

from adaptkit.attaching import AdapterLayers
from adaptkit.backbones.gloss_reader import GlossReader
from adaptkit.config import MAX_GLOSSARY_BYTES
from adaptkit.data.alignment import Link, linked_words
from adaptkit.data.sentence import Sentence
from adaptkit.data.tokens import TokenStore, tokenize_lines
from adaptkit.errors import EmptyCorpus
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers.pooling import Pool
from adaptkit.methods import GlossaryConfig, may_be_glossed
from adaptkit.model import AdaptedModel
from adaptkit.objectives import Alignment, Ridge
from adaptkit.terminal.amounts import counted
from adaptkit.training.data import TrainingData
from adaptkit.training.objectives.distilled_rows import distilled_rows
from adaptkit.training.objectives.objective_training import ObjectiveTraining
from adaptkit.training.objectives.ridge import SENTENCES_ALONE, RidgeObjective
from adaptkit.training.processes import Processes
from adaptkit.training.tokenized_text import TokenizedText

_MEASURED = 1000
"""Of so many sentences, those that are held out are measured on."""
_FEW = 3000
_STEMS: tuple[Literal["none", "begin"], ...] = ("none", "begin")


class GlossDistance(RidgeObjective):
    """The mean distance of vectors from those of their translations; `glossed` are the rows with their glosses."""

    def __init__(self, glossed: TrainingData, pool: Pool, learned_in_s: float) -> None:
        super().__init__(Ridge(), pool)
        self.glossed, self.learned_in_s = glossed, learned_in_s


class AlignmentTraining(ObjectiveTraining[Alignment]):
    """Sentences, of which those that are not held out are aligned with their translations."""

    def __init__(self, options: Alignment, model: AdaptedModel, note: Callable[[str], None]) -> None:
        super().__init__(options, model, note)
        self._learned: GlossaryConfig | None = None
        self._glossed: TrainingData | None = None
        self._learned_in_s = 0.0
        self._n_given = self._n_read = 0

    def data(self, text: TokenizedText) -> TrainingData:
        """Some of the sentences and their targets; the words are learned on the way.

        Raises:
            EmptyCorpus: The text is too short to say of any word what it means.
        """
        measured = text.at_most(_MEASURED)
        data = distilled_rows(measured, SENTENCES_ALONE, self.model.backbone)
        shown, every = list(measured.sentences()), list(text.sentences())
        judging = [every[row] for row in text.heldout()]
        unseen = {row.text for row in (*judging, *(shown[row] for row in data.heldout))}
        n_sentences = sum(row.part not in text.of_words for row in every)
        if 0 < n_sentences < _FEW:
            text.note(
                f"glossaries of some 2,000 sentences brought nothing in two languages, and there are {n_sentences:,}"
            )
        self.note("learning from the translations what words mean")
        started = time.perf_counter()
        processes = Processes(self.model.backbone.device)
        with processes.together():
            # One alone needs the memory for it, and what all have then is the same to the last bit.
            aligned = [row for row in every if row.text not in unseen]
            found = self._words(text, aligned) if processes.is_main else (GlossaryConfig(), 0, 0)
        words, self._n_given, self._n_read = processes.from_main(found)
        self._learned = processes.from_main(self._of_forms(words, judging, text))
        self._learned_in_s = time.perf_counter() - started
        self._glossed = replace(data, sentences=self._read(shown, self._learned, measured))
        return data

    def config(self, asked: AdapterConfig) -> AdapterConfig:
        """The adapter with the words that were learned."""
        assert self._learned is not None  # noqa: S101 - the data is asked for before
        return replace(asked, method=self._learned)

    def loss(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> nn.Module:
        """The distance that is measured."""
        assert self._glossed is not None  # noqa: S101 - the data is asked for before
        return GlossDistance(self._glossed, self.model.sentences.pooled, self._learned_in_s)

    def in_words(self) -> str:
        """How many words were learned, and from how many pairs."""
        if self._learned is None:
            return ""
        forms = ", and a longer word stands for one with which it begins" if self._learned.stems == "begin" else ""
        read = counted(self._n_read, "pair")
        if self._n_read < self._n_given:
            read = f"{self._n_read:,} of {self._n_given:,} pairs (the others are too long, or more than memory holds)"
        return f"{counted(len(self._learned), 'word')} with translations were learned from {read}{forms}"

    def _of_forms(self, words: GlossaryConfig, judging: Sequence[Sentence], text: TokenizedText) -> GlossaryConfig:
        """The glossary that does with forms of words what brings sentences nearer to their translations."""
        translations = (row.translation or "" for row in judging)
        tokens = self.model.backbone.tokenize(list(translations), max_length=text.max_length)
        targets = text.encode(TokenStore(tokens), "the translations of held-out sentences")

        def distance(tried: GlossaryConfig) -> float:
            read = text.encode(self._read(judging, tried, text), f"held-out sentences, stems {tried.stems!r},")
            return float((read - targets).norm(dim=1).mean())

        return min((replace(words, stems=stems) for stems in _STEMS), key=distance)

    def _read(self, sentences: Sequence[Sentence], words: GlossaryConfig, text: TokenizedText) -> TokenStore:
        reader = GlossReader(text.reader or self.model.backbone, words.gloss)
        lines = (row.text for row in sentences)
        return TokenStore(tokenize_lines(lines, lambda some: reader.tokenize(some, max_length=text.max_length)))

    def _words(self, text: TokenizedText, sentences: Sequence[Sentence]) -> tuple[GlossaryConfig, int, int]:
        """Of each word the translation of its surest link; and how many pairs there are, and how many were read.

        Translations in several languages are aligned apart.
        """
        by_language: dict[str | None, list[tuple[str, str]]] = {}
        for row in sentences:
            by_language.setdefault(text.translated_from(row), []).append((row.text, row.translation or ""))
        best: dict[str, Link] = {}
        linked = [linked_words(pairs) for pairs in by_language.values()]
        for link in (link for each in linked for link in each.links):
            fits = link.score >= self.options.least_score and all(map(may_be_glossed, link[:2]))
            if fits and (link.word not in best or link.score > best[link.word].score):
                best[link.word] = link
        if not best:
            raise EmptyCorpus(
                f"{counted(len(sentences), 'sentence')} with translations say of no word what it means: words must "
                "come back in several sentences. Give more text."
            )
        surest = sorted(best.values(), key=lambda link: (-link.score, link.word))[: self.options.most_words]
        sizes = accumulate(len("".join(link[:2]).encode()) for link in surest)
        surest = surest[: sum(size <= MAX_GLOSSARY_BYTES for size in sizes)]
        words, translations, _ = zip(*sorted(surest), strict=True)
        glossary = GlossaryConfig(words=words, translations=translations)
        return glossary, len(sentences), sum(each.n_read for each in linked)
