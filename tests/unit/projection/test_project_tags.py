"""`project_tags` on a tiny backbone, with a task adapter that has learnt the tags of a dozen words."""

from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit.data.lexicon import as_looked_up
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.evaluation.attached import attached as attached_for_now
from adaptkit.labelled import read_labelled
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.task_types import TaggedSentence
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
    assert found.n_pairs == len(PAIRS)
    # The sentences of three words are too short to be kept.
    assert [" ".join(each.words) for each in found.sentences] == [ours for _, ours in PAIRS if len(ours.split()) > 3]
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
    assert projected(tiny, tagger, sentences=10).sentences == found.sentences[:10]


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


def test_a_link_that_hardly_any_other_of_its_word_agrees_with_gives_no_tag(tiny: AdaptedModel, tagger: Adapter) -> None:
    # In one sentence a noun stands where the verb's word is.
    verb, noun = (next(word for word, tag in RIGHT.items() if tag == wanted) for wanted in ("VERB", "NOUN"))
    wrong = (" ".join([MEANINGS[noun]] * 5), " ".join([noun, noun, verb, noun, noun]))
    found = projected(tiny, tagger, [*PAIRS, wrong])
    assert found.sentences[-1].words == (noun, noun, verb, noun, noun)
    assert found.sentences[-1].tags[2] != "NOUN"
    assert set(found.sentences[-1].tags) - {"_", "VERB"} == {"NOUN"}


def test_a_task_trains_on_both_and_untagged_words_teach_nothing(tiny: AdaptedModel, tagger: Adapter) -> None:
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
    with pytest.raises(EmptyCorpus, match="none gave a sentence of 4 to 40 words a tag"):
        projected(tiny, tagger, [("goat", "goli")] * 5)
    with pytest.raises(EmptyCorpus, match="no source translates from it"):
        projected(tiny, tagger, adaptkit.Source(PAIRS, source_lang="fr"))
    names = adaptkit.train_adapter(
        task="names",
        data=[TaggedSentence(words=("goat",), tags=(tag,), language="en") for tag in ("B-PER", "O")] * 8,
        backbone=tiny,
        run=adaptkit.Run(max_steps=1, progress=False),
    )
    with pytest.raises(ConfigError, match=r"tagger=... is a task adapter that tags parts of speech, found one for tag"):
        projected(tiny, names)
    with pytest.raises(ConfigError, match=r"names=... is a task adapter that tags named entities, found one for pos"):
        adaptkit.project_entities(parallel=PAIRS, lang="sw", names=tagger, backbone=tiny)
