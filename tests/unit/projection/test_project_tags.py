"""`project_tags` on a tiny backbone, with a task adapter that has learnt the tags of a dozen words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit.data.lexicon import as_looked_up
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.evaluation.attached import attached as attached_for_now
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.labelled import read_labelled
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.projection import ProjectedTags
from adaptkit.projection.word_tags import TaggedPair, best_of, tag_of
from adaptkit.projection.word_tags import projected as projected_tags
from adaptkit.storage import Adapter
from adaptkit.task_types import TaggedSentence
from adaptkit.terminal.asking import shell_words
from tests.adapters import random_adapter
from tests.glossaries import MEANINGS, translated_pairs
from tests.tiny import tiny_model

TAGS = {word: "VERB" if number % 3 == 0 else "NOUN" for number, word in enumerate(MEANINGS.values())}
PAIRS = translated_pairs(120)
ENGLISH = [
    TaggedSentence(words=tuple(english.split()), tags=tuple(TAGS[word] for word in english.split()), language="en")
    for english, _ in PAIRS
]
RIGHT = {word: TAGS[meaning] for word, meaning in MEANINGS.items()}


@pytest.fixture(scope="module")
def tiny() -> AdaptedModel:
    return tiny_model()


@pytest.fixture(scope="module")
def tagger(tiny: AdaptedModel) -> Adapter:
    run = adaptkit.Run(max_steps=100, batch_size=16, learning_rate=5e-3, progress=False)
    return adaptkit.train_adapter(task="pos", data=ENGLISH, backbone=tiny, run=run)


def projected(tiny: AdaptedModel, tagger: Any, pairs: Any = PAIRS, **options: Any) -> adaptkit.TagProjection:  # noqa: ANN401
    return adaptkit.project_tags(parallel=pairs, lang="sw", tagger=tagger, backbone=tiny, **options)


def test_words_have_the_tags_of_those_that_they_go_together_with(
    tiny: AdaptedModel, tagger: Adapter, tmp_path: Path
) -> None:
    attached = tiny.attached
    found = projected(tiny, tagger)
    assert tiny.attached == attached
    # Sentences of three words are too short to be kept.
    long = [ours for _, ours in PAIRS if len(ours.split()) > 3]
    assert [" ".join(each.words) for each in found.sentences] == long
    assert found.left_out == {"of fewer than 4 or more than 40 words": len(PAIRS) - len(long)}
    # Of a word that stands in its sentence twice, one may be linked with nothing.
    assert found.share > 0.95
    for sentence in found.sentences:
        assert all(tag in (RIGHT[word], "_") for word, tag in zip(sentence.words, sentence.tags, strict=True))
    assert (found.data.task_type, found.data.labels) == ("pos", ("NOUN", "VERB"))
    assert {example.language for example in found.data.examples} == {"sw"}
    with attached_for_now(tiny, tagger):
        answers = tiny.predict([list(each.source_words) for each in found.sentences], stack=tagger.id)
    assert [each.source_tags for each in found.sentences] == [answer.tags for answer in answers]
    tagger.save(tmp_path / "tagger")
    assert projected(tiny, tmp_path / "tagger").sentences == found.sentences
    best = projected(tiny, tagger, sentences=10)
    assert best.sentences == tuple(each for each in found.sentences if each.share == 1)[:10]
    assert best.left_out["with fewer words tagged than those that are kept"] == len(long) - 10
    assert str(best).startswith("10 sentences in sw, ")
    with pytest.raises(ConfigError, match=r"name the file sw\.conll"):
        found.save(tmp_path / "sw.conllu")


def test_words_of_which_nothing_is_known_have_no_tag(tiny: AdaptedModel, tagger: Adapter, tmp_path: Path) -> None:
    found = projected(tiny, tagger, [(english, f"{ours} zzz") for english, ours in PAIRS])
    last = [sentence.tags[-1] for sentence in found.sentences]
    assert last.count("_") > 0.9 * len(last)
    assert 0.7 < found.share < 0.9
    found.save(tmp_path / "sw.conll")
    data = read_labelled(tmp_path / "sw.conll", language="sw")
    assert (data.task_type, data.labels) == ("pos", ("NOUN", "VERB"))
    assert data.examples == found.data.examples
    assert any("words have no tag (_)" in note for note in data.notes)


@pytest.mark.parametrize(
    ("given", "seen", "tag"),
    [
        ("NOUN", {"NOUN": 1}, "NOUN"),
        ("NOUN", {"NOUN": 3, "VERB": 7}, "NOUN"),
        ("NOUN", {"NOUN": 2, "VERB": 7}, "_"),
        (None, {"NOUN": 3}, "NOUN"),
        (None, {"NOUN": 2}, "_"),
        (None, {"NOUN": 7, "VERB": 3}, "NOUN"),
        (None, {"NOUN": 6, "VERB": 3}, "_"),
        (None, {}, "_"),
    ],
)
def test_a_tag_is_that_of_the_link_if_others_agree_or_of_nearly_all_other_links(
    given: str | None, seen: dict[str, int], tag: str
) -> None:
    assert tag_of(given, seen) == tag


def test_each_sentence_is_kept_once_and_one_without_a_tag_is_not(tiny: AdaptedModel, tagger: Adapter) -> None:
    found = projected(tiny, tagger, [*PAIRS, *PAIRS])
    assert len({each.words for each in found.sentences}) == len(found.sentences)
    assert found.left_out["there already"] == len(found.sentences)
    untagged = ProjectedTags(words=("a",) * 4, tags=("_",) * 4, source_words=(), source_tags=())
    left_out: Counter[str] = Counter()
    assert best_of(iter([untagged]), 5, left_out) == []
    assert left_out["no word got a tag"] == 1


def test_links_with_a_word_that_the_tagger_leaves_untagged_say_nothing() -> None:
    pair = TaggedPair(("a", "b", "c", "d"), ("w", "x", "y", "z"), ("_", "NOUN", "VERB", "NOUN"), {0: 0, 1: 1, 2: 2})
    assert [each.tags for each in projected_tags([pair])] == [("_", "NOUN", "VERB", "_")]


def test_a_task_trains_on_both(tiny: AdaptedModel, tagger: Adapter) -> None:
    found = projected(tiny, tagger)
    task = adaptkit.train_adapter(
        task="pos",
        data=[ENGLISH, found.data],
        backbone=tiny,
        run=adaptkit.Run(max_steps=80, batch_size=16, learning_rate=5e-3, progress=False),
    )
    assert task.config.head is not None
    assert task.config.head.labels == ("NOUN", "VERB")
    with attached_for_now(tiny, task):
        (answer,) = tiny.predict([list(MEANINGS)], stack=task.id)
    right = sum(tag == RIGHT[as_looked_up(word)] for word, tag in zip(MEANINGS, answer.tags, strict=True))
    assert right >= 10


def test_what_cannot_be_is_said(tiny: AdaptedModel, tagger: Adapter) -> None:
    with pytest.raises(ConfigError, match="least_score"):
        projected(tiny, tagger, least_score=2)
    with pytest.raises(ConfigError, match="sentences"):
        projected(tiny, tagger, sentences=0)
    with pytest.raises(EmptyCorpus, match=r"none is left\. 5: of fewer than 4"):
        projected(tiny, tagger, [("goat", "goli")] * 5)
    with pytest.raises(EmptyCorpus, match="the language of the tagger is en, and no source translates from it"):
        projected(tiny, tagger, adaptkit.Source(PAIRS, source_lang="fr"))
    names = adaptkit.train_adapter(
        task="names",
        data=[TaggedSentence(words=("goat",), tags=(tag,), language="en") for tag in ("B-PER", "O")] * 8,
        backbone=tiny,
        run=adaptkit.Run(max_steps=1, progress=False),
    )
    with pytest.raises(ConfigError, match="tags parts of speech, and task/names is for tagging; give one that does"):
        projected(tiny, names)
    with pytest.raises(ConfigError, match="tags named entities, and task/pos is for "):
        adaptkit.project_entities(parallel=PAIRS, lang="sw", names=tagger, backbone=tiny)


def test_an_adapter_without_a_head_is_told_in_words_of_the_command(tiny: AdaptedModel) -> None:
    language = random_adapter(tiny, AdapterConfig(method=LoraConfig(rank=2)), kind="language", name="en")
    with (
        shell_words(),
        pytest.raises(ConfigError, match=r"^--tagger is a task adapter .*, and language/en has no head; give one"),
    ):
        projected(tiny, language)
    assert not tiny.attached


FRENCH = [
    ("Le chat de la maison est dans le jardin.", "Kyanwar gida tana cikin lambu."),
    ("Les enfants ne sont pas avec nous dans la ville.", "Yaran ba sa tare da mu a birni."),
    ("Il a vu que la femme est sur le marché.", "Ya ga cewa matar tana kasuwa."),
] * 4


def test_a_french_tagger_reads_a_plain_file_whose_language_is_named_beside_it(
    tiny: AdaptedModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    french = [replace(each, language="fr") for each in ENGLISH]
    tagger = adaptkit.train_adapter(
        task="pos", data=french, backbone=tiny, run=adaptkit.Run(max_steps=1, progress=False)
    )
    file = tmp_path / "fr-ha.tsv"

    def projected_from(pairs: Sequence[tuple[str, str]], source_lang: str = "en") -> adaptkit.TagProjection:
        file.write_text("".join(f"{one}\t{other}\n" for one, other in pairs), encoding="utf-8")
        return adaptkit.project_tags(
            parallel=file, lang="ha", tagger=tagger, backbone=tiny, least_score=0, source_lang=source_lang
        )

    assert projected_from(FRENCH, source_lang="fr").sentences
    assert not caplog.messages
    with pytest.raises(ConfigError, match=r"^fr-ha\.tsv: .* the side read as Hausa looks like French, .* first line"):
        projected_from([(other, one) for one, other in FRENCH], source_lang="fr")
    projected_from(FRENCH)
    (warned,) = caplog.messages
    assert warned.startswith("warning: the translations are in English (en), and task/pos was trained in fr: ")


def test_swapped_pairs_of_near_relatives_are_refused_too(tiny: AdaptedModel, tagger: Adapter) -> None:
    swapped = [(other, english) for english, other in adaptkit.sample_pairs("sw")[:60]]
    with pytest.raises(ConfigError, match="the side read as Afrikaans looks like English"):
        adaptkit.project_tags(
            parallel=adaptkit.Source(swapped, source_lang="en"), lang="af", tagger=tagger, backbone=tiny
        )
