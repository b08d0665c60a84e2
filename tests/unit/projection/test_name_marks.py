"""Marks of a language's letters on names that have none."""

import unicodedata
from random import Random

import adaptkit
from adaptkit.projection.name_marks import NameMarks
from adaptkit.task_types import TaggedSentence

_YORUBA = ["Àgbẹ̀ Adébáyọ̀ ta àgbàdo ní Ìbàdàn.", "Olùkọ́ Adébáyọ̀ ra àgbàdo ní Paris."]


def test_names_are_marked_as_often_as_those_of_the_language() -> None:
    # Adébáyọ̀, Ìbàdàn, Adébáyọ̀ and Paris; what begins a sentence may be no name.
    marks = NameMarks.of(_YORUBA)
    assert marks.share == 3 / 4
    random = Random(0)
    changed = [marks.put_on("Abedo", random) for _ in range(400)]
    plain = [unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode() for name in changed]
    assert set(plain) == {"Abedo"}
    # A draw may give each letter no mark.
    assert 0.6 <= sum(name != "Abedo" for name in changed) / len(changed) <= 0.75
    # A large letter has the marks of the small one; of words with marks, no letter e is without.
    assert {name[0] for name in changed if "é" in name or "ẹ̀" in name} >= {"À", "A"}
    assert all("e" not in name for name in changed if name != "Abedo" and "é" not in name and "ẹ" not in name)


def test_letters_are_written_as_the_text_stores_them() -> None:
    for form in ("NFC", "NFD"):
        marks = NameMarks.of([unicodedata.normalize(form, "Ní Ọ̀yọ́ ni Ọ̀pẹ́ wà")])
        changed = {marks.put_on("Opoyo", Random(seed)) for seed in range(20)}
        assert len(changed) > 1
        assert all(unicodedata.is_normalized(form, name) for name in changed)


def test_where_names_have_no_marks_or_no_capitals_none_are_put() -> None:
    for texts in (["Mkulima Otieno anauza mahindi Nairobi"], ["किसान मक्का बेचता है"], [], [""]):
        assert [NameMarks.of(texts).put_on("Vladimir", Random(seed)) for seed in range(9)] == ["Vladimir"] * 9


def test_a_name_that_has_marks_stays() -> None:
    marks = NameMarks.of(["Ní Adébáyọ̀"])
    assert marks.share == 1
    assert marks.put_on("Bakarić", Random(0)) == "Bakarić"


def test_translated_words_do_not_tell_names_by_their_having_no_marks() -> None:
    english = ["The farmer Adebayo sells maize in Ibadan.", "The teacher Adebayo buys maize in Paris."]
    pairs = list(zip(english, _YORUBA, strict=True)) * 5
    tags = ("O", "B-PER", "O", "O", "O", "B-LOC")
    sentence = TaggedSentence(words=("farmer", "Obafemi", "sells", "maize", "in", "Kabale"), tags=tags)
    found = adaptkit.translate_words([sentence] * 8, parallel=pairs, lang="yo").data.examples
    tagged = [each for each in found if isinstance(each, TaggedSentence)]
    assert {each.tags for each in tagged} == {tags}
    assert {each.words[3] for each in tagged} == {"àgbàdo"}
    names = {name for each in tagged for name in (each.words[1], each.words[5])}
    # Some as they were, as copied names are in the language too.
    assert {"Obafemi", "Kabale"} & names
    assert {name for name in names if not name.isascii()}
    # Again the same.
    assert list(adaptkit.translate_words([sentence] * 8, parallel=pairs, lang="yo").data.examples) == list(found)
