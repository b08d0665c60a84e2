import unicodedata
from collections.abc import Iterator

import pytest

from adaptkit.data.letters import NormalForm
from adaptkit.data.tasks import leaked
from adaptkit.errors import ConfigError

LONG = "seven brown hens walked over the old bridge before noon today"


def test_exact_texts_but_for_case_and_punctuation() -> None:
    leak = leaked(["A hen — sat."], ["a HEN sat!", "a hen stood", "?!"])
    assert (leak.exact, leak.near) == ((0,), ())


def test_a_shared_run_of_words() -> None:
    training = [f"They say that {LONG.replace('today', 'once')}."]
    leak = leaked(training, [LONG, LONG.replace("over", "under"), f"Yes: {LONG[:49]}"])
    assert (leak.exact, leak.near) == ((), (0, 2))


def test_shorter_texts_are_found_whole() -> None:
    leak = leaked(["One day a hen sat down."], ["A hen sat.", "A hen stood.", "day hen"])
    assert leak.near == (0,)


def test_a_run_does_not_go_over_two_texts() -> None:
    words = LONG.split()
    assert leaked([" ".join(words[:6]), " ".join(words[6:])], [LONG]).near == ()


@pytest.mark.parametrize(
    "text",
    [
        "母鸡在旧桥上走过然后又慢慢回家去",
        "แม่ไก่เดินข้ามสะพานเก่าก่อนเที่ยง",
        "ကြက်မကြီးတံတားဟောင်းပေါ်လျှောက်သွား",
        "めんどりは古い橋を渡ってから家に帰る",
    ],
)
def test_scripts_without_spaces_go_by_characters(text: str) -> None:
    leak = leaked([f"x {text[:13]} y", text[:6]], [text, text[::-1]])
    assert (leak.exact, leak.near) == ((), (0,))


def test_a_short_text_without_spaces_is_found_whole() -> None:
    assert leaked(["老母鸡，走过了旧桥。"], ["走过了旧桥", "走过新桥"]).near == (0,)


def test_vowel_signs_do_not_part_words() -> None:
    assert leaked(["मुर्गी पुल पर चली"], ["मुर्गी चली"], run_words=2).near == ()


def test_training_is_read_once_as_a_stream() -> None:
    def stream() -> Iterator[str]:
        yield from ["a b c", "d e f"]

    leak = leaked(stream(), ["a b c x", "e f", "d e f"], run_words=3)
    assert (leak.exact, leak.near) == ((2,), (0, 1))


def test_summary_is_a_sentence() -> None:
    assert leaked(["x"], ["a b"]).summary().startswith("None of the 1 evaluation texts is in the training text")
    assert leaked(["a b", "q c d"], ["a b", "c d"]).summary() == (
        "Of the 2 evaluation texts, 1 are in the training text, and 1 more share a run of 8 words "
        "(12 characters in scripts without spaces) with it."
    )


def test_wrong_arguments() -> None:
    for training, evaluation, run_words in ((["a"], ["a"], 0), ("a", ["a"], 8), (["a"], "a", 8)):
        with pytest.raises(ConfigError):
            leaked(training, evaluation, run_words=run_words)


@pytest.mark.parametrize(("ours", "theirs"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_texts_in_another_normal_form_are_found(ours: NormalForm, theirs: NormalForm) -> None:
    test = "Ọjà náà wà ní ìlú Ọ̀yọ́, ó sì ń ṣí ní òwúrọ̀ ọjọ́ Ẹtì."
    longer = f"Bọ́lá sọ pé {test} Mo gbọ́."
    training = [unicodedata.normalize(ours, text) for text in (test, longer)]
    leak = leaked(training, [unicodedata.normalize(theirs, text) for text in (test, "Ó dàbọ̀, ẹ ṣé.")])
    assert (leak.exact, leak.near) == ((0,), ())
    assert leaked(training[1:], [unicodedata.normalize(theirs, test)]).near == (0,)
