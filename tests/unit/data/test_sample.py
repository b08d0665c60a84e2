"""The sample that comes with the package: enough of it, clean, and its test part kept apart."""

import unicodedata
from collections import Counter
from itertools import product

import pytest

from adaptkit.data.sample import TOPICS, sample_languages, sample_pairs, sample_sentences, sample_topics
from adaptkit.errors import SourceNotFound


def test_there_is_enough_of_it() -> None:
    counts = Counter(tag for sentence in sample_sentences() for tag in sentence.texts)
    assert counts["en"] == counts["sw"] >= 300
    assert min(counts["ha"], counts["yo"]) >= 120
    assert sample_languages() == ("ha", "sw", "yo")


def test_every_topic_has_both_splits() -> None:
    counts = Counter((sentence.topic, sentence.split) for sentence in sample_sentences())
    assert counts.keys() == set(product(TOPICS, ("train", "test")))
    assert min(counts.values()) >= 15


@pytest.mark.parametrize("tag", ["en", "sw", "ha", "yo"])
def test_no_sentence_stands_twice(tag: str) -> None:
    texts = [sentence.texts[tag].casefold() for sentence in sample_sentences() if tag in sentence.texts]
    assert len(set(texts)) == len(texts)


def test_sentences_are_clean() -> None:
    for sentence in sample_sentences():
        for text in sentence.texts.values():
            assert text == unicodedata.normalize("NFC", text).strip()
            assert text.isprintable()
            assert 2 <= len(text.split()) <= 30
    assert len({sentence.id for sentence in sample_sentences()}) == len(sample_sentences())


def test_pairs_and_topics_keep_the_splits_apart() -> None:
    trained = {text for _, text in sample_pairs("sw")}
    tested, topics = sample_topics("sw", "test")
    assert not trained & set(tested)
    assert set(topics) == set(TOPICS)
    assert len(trained) + len(tested) == len(sample_sentences())


@pytest.mark.parametrize("asked", ["gn", "en-GB"])
def test_other_languages_are_refused_with_those_there_are(asked: str) -> None:
    for call in (sample_pairs, lambda tag: sample_topics(tag, "test")):
        with pytest.raises(SourceNotFound, match="ha, sw, yo"):
            call(asked)
