"""What English examples whose words are translated are worth for topics, beside glossaries and language adapters.

`python -m benchmarks.run translated_words [--languages ha,sw] [--sources news,ntrex,seed,tico,web,lexicon]
[--cldr FOLDER] [--adapters adapters_zoo/multilingual-e5-small/language] [--device cuda]`. Glossaries and translated
words are learned from the text at hand of these sources, and of folders of CLDR's names, if any; `--adapters` is a
folder of language adapters by their tags, and a language without one is measured on the bare backbone. Given again, it
is a folder of adapters of another seed, and gains are means over seeds. `--splits test` leaves the development
sentences out. Topics are of SIB-200, by a head on sentence vectors that is trained in English, in English and the
language (`, words`), or in English and all these languages (`, words of all`). Examples are read under the stack of
their language; `all` is a glossary and the adapter, where there is one, and `each stack` the mean of what the heads of
the glossary, the adapter and both hold for probable, or without an adapter those of the bare backbone and the glossary.
Every gain is over the head trained in English, without any adapter, which reads behind the backbone's own prefix also
where another `--prefix` is given.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import adaptkit
from adaptkit import AdaptedModel
from adaptkit.data.tasks import TaskData
from adaptkit.evaluation import TopicHead
from adaptkit.labelled import texts_of
from adaptkit.task_types import LabelledText
from benchmarks.cases.glossaries import averages, config_of, learned, options_of, sources_of, stacks_with
from benchmarks.sib200 import read_topics
from benchmarks.trials.scores import compared
from benchmarks.write_results import write_result


@dataclass(frozen=True)
class Read:
    """Vectors under one stack: of each split's sentences, and of the English examples with words translated."""

    sentences: dict[str, Tensor]
    examples: Tensor


@dataclass
class Measure:
    """The English examples, and what was read of each language, by stack, once for each seed of its adapters."""

    model: AdaptedModel
    options: argparse.Namespace
    read: dict[str, list[dict[str, Read]]] = field(default_factory=dict)
    bare: dict[str, dict[str, NDArray[np.float64]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        texts, self.topics = read_topics("en", "train")
        self.english = [
            LabelledText(text=text, label=topic, language="en") for text, topic in zip(texts, self.topics, strict=True)
        ]
        self._vectors = self.model.encode(texts, prefix=self.options.prefix)
        usual = self._vectors if self.options.prefix is None else self.model.encode(texts)
        self._usual = TopicHead(usual, self.topics)
        self.splits: list[str] = self.options.splits.split(",")
        self.adapters: list[Path] = self.options.adapters

    def head(self, *more: Tensor) -> TopicHead:
        """Trained in English, and on these vectors of the same examples."""
        return TopicHead(torch.cat([self._vectors, *more]), self.topics * (1 + len(more)))

    def right(self, language: str, heads: Sequence[Mapping[str, TopicHead]]) -> dict[str, NDArray[np.float64]]:
        """1.0 for each sentence whose topic is found by heads, each under a stack, together; by score.

        `heads` are those of each seed. Shape of a score: (n_seeds, n_sentences).
        """
        found = {}
        for split in self.splits:
            seeds = zip(self.read[language], heads, strict=True)
            likely = [
                sum(one.probabilities(read[stack].sentences[split]) for stack, one in each.items())
                for read, each in seeds
            ]
            topics = next(iter(heads[0].values())).topics[np.asarray(likely).argmax(axis=-1)]
            found[f"topics, {split}"] = np.asarray(topics == np.asarray(read_topics(language, split)[1]), np.float64)
        return found

    def of_language(self, language: str) -> dict[str, Any]:
        """Read a language under each stack, and score the heads of English, and of English and the language."""
        sources = sources_of(self.options, language)
        translated = adaptkit.translate_words(
            self.english, parallel=[each for each in sources if each.source_lang == "en"], lang=language
        )
        glossary = learned(self.model, sources, language)
        shared: dict[str, Read] = {"none": self._read(language, None, translated.data)}
        self.read[language] = []
        folders: list[Path | None] = [*self.adapters] or [None]
        for folder in folders:
            with stacks_with(self.model, glossary, folder) as stacks:
                own = {
                    name: shared.get(name) or self._read(language, each, translated.data)
                    for name, each in stacks.items()
                }
            shared["glossary"] = own["glossary"]
            self.read[language].append({"none": shared["none"], **own})
        found: dict[str, Any] = {"translated": str(translated)}
        english, names = self.head(), list(self.read[language][0])
        bare = self.bare[language] = self._bare(language)
        heads = [
            {stack: (english, self.head(read.examples)) for stack, read in each.items()} for each in self.read[language]
        ]
        several = [stack for stack in names if stack != "none" or not self.adapters]
        for name, members in {**{stack: [stack] for stack in names}, "each stack": several}.items():
            for behind, which in (("", 0), (", words", 1)):
                right = self.right(language, [{stack: each[stack][which] for stack in members} for each in heads])
                found[f"{name}{behind}"] = _gains(right, bare)
        return found

    def of_all(self) -> dict[str, dict[str, Any]]:
        """By language, the gains of one head for English and all of them, each read under the stack of all it has."""
        last = {language: list(seeds[0])[-1] for language, seeds in self.read.items()}
        n = max(1, len(self.adapters))
        heads = [
            self.head(*(self.read[each][seed][stack].examples for each, stack in last.items())) for seed in range(n)
        ]
        return {
            each: _gains(self.right(each, [{stack: head} for head in heads]), self.bare[each])
            for each, stack in last.items()
        }

    def _bare(self, language: str) -> dict[str, NDArray[np.float64]]:
        """As `right`, of the head of English behind the backbone's own prefix."""
        n = len(self.read[language])
        if self.options.prefix is None:
            return self.right(language, [{"none": self._usual}] * n)
        right = (self._usual.correct(self.model, *read_topics(language, split)) for split in self.splits)
        return {
            f"topics, {split}": np.stack([of_split] * n) for split, of_split in zip(self.splits, right, strict=True)
        }

    def _read(self, language: str, stack: str | None, examples: TaskData) -> Read:
        texts = [text for example in examples.examples for text in texts_of(example)]
        sentences = {split: read_topics(language, split)[0] for split in self.splits}
        return Read(
            {split: self._encoded(each, stack) for split, each in sentences.items()},
            self._encoded(texts, stack),
        )

    def _encoded(self, texts: Sequence[str], stack: str | None) -> Tensor:
        return self.model.encode(texts, stack=stack, prefix=self.options.prefix)


def main(arguments: list[str]) -> None:
    options = options_of(arguments)
    measure = Measure(adaptkit.load_model(device=options.device), options)
    measured: dict[str, Any] = {}
    for language in options.languages.split(","):
        measured[language] = measure.of_language(language)
        print(language, measured[language], flush=True)
    for language, gains in measure.of_all().items():
        found, stack = measured[language], list(measure.read[language][0])[-1]
        found |= {"all": found[stack], "all, words": found[f"{stack}, words"], "all, words of all": gains}
    average = averages(measured)
    print("average", average, flush=True)
    print(
        write_result(
            "translated_words",
            seeds=list(range(max(1, len(options.adapters)))),
            config=config_of(options),
            measured={**measured, "average": average},
        )
    )


def _gains(answers: dict[str, NDArray[np.float64]], bare: dict[str, NDArray[np.float64]]) -> dict[str, Any]:
    return {score: compared(right, bare[score]) for score, right in answers.items()}
