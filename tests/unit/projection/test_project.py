"""`project_entities` on a tiny backbone, with a task adapter that has learnt a few names."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit.data.sample import sample_pairs
from adaptkit.data.words import words_of
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.projection.entities import Span, spans_of, tags_of
from adaptkit.projection.finder import Finder, SentencePair
from adaptkit.projection.placing import Links
from adaptkit.projection.states import WordStates, cosines, links_of
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig, TaggedSentence
from adaptkit.terminal.asking import shell_words
from tests.adapters import random_adapter
from tests.tiny import tiny_model

PEOPLE = ("Musa", "Otieno", "Wanjiru", "Amina")
PATTERNS = ("yesterday {} sold maize", "{} saw the goats today", "rain fell before {} came")
TRANSLATED = ("jana {} aliuza mahindi", "leo {} aliona mbuzi", "mvua ilinyesha kabla ya {} kuja")
PAIRS = [
    (ours.format(who), theirs.format(who)) for who in PEOPLE for ours, theirs in zip(PATTERNS, TRANSLATED, strict=True)
]


def tagged(pattern: str, who: str) -> TaggedSentence:
    words = tuple(pattern.format(who).split())
    return TaggedSentence(words=words, tags=tuple("B-PER" if word == who else "O" for word in words), language="en")


ENGLISH = [tagged(pattern, who) for pattern in PATTERNS for who in PEOPLE] * 6
WITHOUT = [("the rain fell today", "mvua ilinyesha leo"), ("the goats saw maize", "mbuzi waliona mahindi")] * 4


@pytest.fixture(scope="module")
def tiny() -> AdaptedModel:
    return tiny_model()


@pytest.fixture(scope="module")
def names(tiny: AdaptedModel) -> Adapter:
    plain = [
        TaggedSentence(words=tuple(ours.split()), tags=("O",) * len(ours.split()), language="en") for ours, _ in WITHOUT
    ]
    return adaptkit.train_adapter(
        task="names",
        data=[*ENGLISH, *plain * 3],
        backbone=tiny,
        run=adaptkit.Run(max_steps=120, batch_size=16, learning_rate=5e-3, progress=False),
    )


def project(tiny: AdaptedModel, names: Any, pairs: Sequence[tuple[str, str]], **options: Any) -> adaptkit.Projection:  # noqa: ANN401
    return adaptkit.project_entities(parallel=list(pairs), lang="sw", names=names, backbone=tiny, **options)


def test_copied_names_are_labelled(tiny: AdaptedModel, names: Adapter, tmp_path: Path) -> None:
    attached = tiny.attached
    found = project(tiny, names, PAIRS)
    assert tiny.attached == attached
    assert [sentence.words for sentence in found.sentences] == [words_of(theirs) for _, theirs in PAIRS]
    for sentence in found.sentences:
        assert sentence.tags == tuple("B-PER" if word in PEOPLE else "O" for word in sentence.words)
        assert (sentence.confidence, sentence.how) == (1.0, ("same",))
    assert (found.kinds, found.found, found.left_out) == ({"PER": 12}, {"same": 12}, {})
    assert found.sentences[0].entities == (("Musa", "PER"),)
    assert "12 sentences in sw with 12 PER (12 by same)" in str(found)
    names.save(tmp_path / "names")
    assert project(tiny, tmp_path / "names", PAIRS).sentences == found.sentences
    tiny.attach(names)
    assert project(tiny, "task/names", PAIRS, batch_size=5).sentences == found.sentences
    tiny.detach(names.id)


def test_pairs_with_a_name_that_has_no_place_or_was_missed_are_left_out(tiny: AdaptedModel, names: Adapter) -> None:
    lost = ("yesterday Amina sold maize", "jana mama aliuza mahindi")
    missed = ("the goats saw Turkana today", "leo mbuzi waliona Turkana")
    found = project(tiny, names, [*PAIRS, lost, missed])
    assert len(found.sentences) == len(PAIRS)
    assert sum(found.left_out.values()) == 2
    assert "both sides have a word with a capital letter that is in no entity" in found.left_out
    assert "1 pair left out" in str(found)


def test_a_task_adapter_that_finds_nothing_is_told(tiny: AdaptedModel) -> None:
    plain = [TaggedSentence(words=one.words, tags=("O",) * len(one.words), language="en") for one in ENGLISH]
    run = adaptkit.Run(max_steps=30, batch_size=16, learning_rate=5e-3, progress=False)
    untrained = adaptkit.train_adapter(task="names", data=[*plain, *ENGLISH[:1]], backbone=tiny, run=run)
    with pytest.raises(EmptyCorpus, match=r"to sw from a language not stated.* found no entity in any .*train it long"):
        project(tiny, untrained, PAIRS)


def test_entities_in_small_letters_are_no_names_unless_asked_for(tiny: AdaptedModel, names: Adapter) -> None:
    pair = SentencePair(("yesterday", "Musa"), ("jana", "Musa"))
    for asked, expected in ((False, ("O", "B-PER")), (True, ("B-DATE", "B-PER"))):
        finder = Finder(tiny, names.id, [pair], least_cosine=0.3, small_letters=asked, batch_size=1)
        told = [span for span in spans_of(("B-DATE", "B-PER")) if finder._is_name(span, pair.translation)]
        assert tags_of(told, 2) == expected


def test_places_by_states_stand_beside_copies_in_the_order_of_the_pairs(
    tiny: AdaptedModel, names: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_copies = SentencePair(("Musa", "came"), ("alikuja", "Musa"))
    by_both = SentencePair(("Musa", "saw", "Amina"), ("Musa", "aliona", "Bintiye"))
    lost = SentencePair(("rain", "Otieno"), ("mvua", "jana"))
    without = SentencePair(("rain", "fell"), ("mvua", "ilinyesha"))
    pairs = [lost, by_both, without, by_copies]
    spans = [[Span(1, 2, "PER")], [Span(0, 1, "PER"), Span(2, 3, "PER")], [], [Span(0, 1, "PER")]]
    linked: list[tuple[str, ...]] = []

    def one_after_the_other(ours: tuple[str, ...], theirs: tuple[str, ...], *_: object, **__: object) -> Links:
        linked.append(ours)
        return {place: (place, 0.75) for place in range(min(len(ours), len(theirs)))}

    monkeypatch.setattr("adaptkit.projection.finder.links_of", one_after_the_other)
    finder = Finder(tiny, names.id, pairs, least_cosine=0.3, small_letters=False, batch_size=2)
    left_out: Counter[str] = Counter()
    found = list(finder._placed(list(zip(pairs, spans, strict=True)), left_out))
    assert [looked.pair for looked in found] == [by_both, without, by_copies]
    assert [looked.tags for looked in found] == [("B-PER", "O", "B-PER"), ("O", "O"), ("B-PER", "O")]
    places = [[(placed.span.start, placed.how, placed.confidence) for placed in looked.placed] for looked in found]
    assert places == [[(0, "same", 1.0), (2, "states", 0.75)], [], [(1, "same", 1.0)]]
    assert left_out == {"an entity was not found in the sentence": 1}
    assert linked == [lost.translation, by_both.translation]


def test_few_sentences_without_entities_are_kept(tiny: AdaptedModel, names: Adapter) -> None:
    found = project(tiny, names, [*PAIRS, *WITHOUT], share_without=0.25)
    assert sum(not sentence.entities for sentence in found.sentences) == 4
    assert found.left_out == {"without entities, beyond the share that is kept": 4}
    none = project(tiny, names, [*PAIRS, *WITHOUT], share_without=0.0)
    assert all(sentence.entities for sentence in none.sentences)


def test_what_is_projected_trains_with_the_labels_it_is_from(
    tiny: AdaptedModel, names: Adapter, tmp_path: Path
) -> None:
    found = project(tiny, names, PAIRS)
    adapter = adaptkit.train_adapter(
        task="names", data=[ENGLISH, found.data], backbone=tiny, run=adaptkit.Run(max_steps=3, progress=False)
    )
    assert adapter.card.n_lines == len(ENGLISH) + len(PAIRS)
    assert "entities projected" in adapter.card.source
    file = found.save(tmp_path / "sw.conll")
    read = adaptkit.read_labelled(file, language="sw")
    assert [vars_of(example) for example in read.examples] == [vars_of(example) for example in found.data.examples]
    with pytest.raises(ConfigError, match="is there already"):
        found.save(file)
    assert found.save(file, overwrite=True) == file


def vars_of(example: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:  # noqa: ANN401
    return example.words, example.tags


@pytest.mark.parametrize(
    "options",
    [{"least_confidence": 1.5}, {"share_without": 1.0}, {"limit": 0}, {"batch_size": 0}, {"least_cosine": -1.0}],
)
def test_numbers_that_cannot_be_right_are_refused(options: dict[str, Any], tiny: AdaptedModel, names: Adapter) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        project(tiny, names, PAIRS, **options)


WRONG_IN_SHELL: dict[str, dict[str, Any]] = {
    "--least-confidence must lie between 0 and 1, found 1.5.": {"least_confidence": 1.5},
    "--least-cosine must be a finite number, found nan.": {"least_cosine": float("nan")},
    "--share-without must be at least 0 and below 1, found 1.0.": {"share_without": 1.0},
    "--batch-size must be at least 1, found 0.": {"batch_size": 0},
}


@pytest.mark.parametrize("said", WRONG_IN_SHELL)
def test_in_a_shell_the_flags_are_named(said: str, tiny: AdaptedModel, names: Adapter) -> None:
    with shell_words(), pytest.raises(ConfigError) as refused:
        project(tiny, names, PAIRS, **WRONG_IN_SHELL[said])
    assert str(refused.value) == said


def test_an_adapter_that_tags_nothing_is_refused(tiny: AdaptedModel, names: Adapter) -> None:
    config = AdapterConfig(method=LoraConfig(rank=2), head=HeadConfig(task_type="classification", labels=("a", "b")))
    with pytest.raises(ConfigError, match="that tags named entities, and task/topics is for classification; give one"):
        project(tiny, random_adapter(tiny, config, kind="task", name="topics"), PAIRS)
    assert not tiny.attached
    with pytest.raises(EmptyCorpus, match="none is left"):
        project(tiny, names, [("yesterday Amina sold maize", "jana mama aliuza mahindi")] * 3)


def test_words_have_the_mean_of_their_tokens_and_copies_are_linked(tiny: AdaptedModel) -> None:
    states = WordStates(tiny, batch_size=2)
    sentences = [words_of("mama anauza mbuzi"), words_of("Otieno sold maize"), words_of("rain")]
    one, two, three = states.of(sentences)
    assert [len(found) for found in (one, two, three)] == [3, 3, 1]
    ids, places = tiny.backbone.tokenize_words([sentences[2]])[0]
    inside = torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long)
    block = (max(0, round(tiny.backbone.shape.n_blocks * 2 / 3) - 1),)
    expected = tiny(*inside, blocks=block)[0, places[0] : len(ids) - 1].mean(dim=0)
    torch.testing.assert_close(three[0], expected)
    near = cosines(two, two)
    assert links_of(sentences[1], sentences[1], near, least=0.5).keys() == {0, 1, 2}
    theirs = words_of("jana kwaOtieno aliuza")
    assert links_of(sentences[1], theirs, cosines(two, one), least=1.0) == {0: (1, 0.9)}


def test_sources_whose_sides_are_surely_swapped_are_refused_unless_their_columns_are_named(
    tiny: AdaptedModel, names: Adapter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    adaptkit.project_entities(parallel=[*PAIRS, *WITHOUT], lang="sw", names=names, backbone=tiny)
    assert not caplog.messages
    turned = [(theirs, ours) for ours, theirs in sample_pairs("sw")[:60]]
    swapped = "the two sides look swapped: the side read as Swahili looks like English"
    for source_lang in ("en", None):
        with pytest.raises(ConfigError, match=f"{swapped}.* Turn each pair round.* A file of two columns"):
            adaptkit.project_entities(parallel=turned, lang="sw", source_lang=source_lang, names=names, backbone=tiny)
    named = tmp_path / "en-sw.tsv"
    named.write_text("".join(f"{one}\t{other}\n" for one, other in [("en", "sw"), *turned]), encoding="utf-8")
    with suppress(EmptyCorpus):
        adaptkit.project_entities(parallel=named, lang="sw", names=names, backbone=tiny)
    (warned,) = caplog.messages
    assert swapped in warned


def test_translations_in_a_language_that_the_names_were_not_trained_in_are_told(
    tiny: AdaptedModel, names: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    project(tiny, names, PAIRS, source_lang="en-GB")
    project(tiny, names, PAIRS)
    assert not caplog.messages
    project(tiny, names, PAIRS, source_lang="fr")
    (warned,) = caplog.messages
    assert warned.startswith("warning: the translations are in French (fr), and task/names was trained in en: ")
    tiny.attach(names)
    project(tiny, "names", PAIRS, source_lang="fr")
    tiny.detach(names.id)
    assert caplog.messages == [warned, warned]
