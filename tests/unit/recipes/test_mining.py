"""`mine_pairs`, on a tiny backbone, and on the embedded one, which knows what sentences mean."""

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adaptkit
from adaptkit import Run
from adaptkit.data.lines import read_lines
from adaptkit.data.margin import best_pairs
from adaptkit.data.sample import sample_sentences
from adaptkit.errors import ConfigError, EmptyCorpus, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.recipes.mined_pairs import MinedPair, MinedPairs
from adaptkit.terminal.asking import shell_words
from tests.adapters import random_adapter
from tests.runs import PAIRS, SWAHILI, Watching, opener

ENGLISH = [english for english, _ in PAIRS]
MARGINS = (1.2, 1.1, 1.05, 1.0, 0.9)
MINED = MinedPairs(
    tuple(MinedPair(f"translation {margin}", f"sentence\t{margin}", margin) for margin in MARGINS),
    1.05,
    40,
    30,
    "sw",
    "en",
    "sw.txt and en.txt",
)


def mine(model: AdaptedModel, **options: Any) -> MinedPairs:  # noqa: ANN401 - options of mine_pairs
    given = {"text": SWAHILI, "translations": ENGLISH, "lang": "sw", "progress": False, **options}
    return adaptkit.mine_pairs(**given, backbone=model)


def test_pairs_above_the_threshold_are_a_sequence_of_translation_and_sentence() -> None:
    assert list(MINED) == [MINED[0], MINED[1], MINED[2]] == MINED[:3]
    assert (len(MINED), MINED[0]) == (3, ("translation 1.2", "sentence\t1.2"))
    assert len(MINED.above(1.0)) == 4
    assert len(MINED.above(2.0)) == 0


def test_counts_threshold_and_a_sample_are_said() -> None:
    lines = str(MINED).splitlines()
    assert lines[0] == "40 sentences in sw, 30 in en; 3 of 5 candidates have a margin of 1.05 and more"
    assert lines[1].startswith("taken: 1.200  sentence")
    assert [line.partition(":")[0] for line in lines[1:]] == ["taken"] * 3 + ["left out"] * 2
    assert [pair.margin for pair in MINED.sample(2)] == [1.2, 1.05]
    assert [pair.margin for pair in MINED.left_out(1)] == [1.0]
    assert MINED.above(2.0).sample() == []
    long = MinedPairs((MinedPair("a" * 500, "b" * 500, 1.5),), 1.0, 1, 1, "sw", "en", "")
    assert len(str(long).splitlines()[1]) < 200


def test_what_is_saved_is_read_as_parallel_text(tmp_path: Path, model: AdaptedModel) -> None:
    mined = mine(model, threshold=0.5)
    mined.save(tmp_path / "pairs.tsv")
    options: dict[str, Any] = {"lang": "sw", "run": Run(max_steps=2, batch_size=8, progress=False), "backbone": model}
    of_file = adaptkit.train_adapter(**options, parallel=tmp_path / "pairs.tsv")
    as_they_are = adaptkit.train_adapter(**options, parallel=mined)
    assert of_file.weights_sha256 == as_they_are.weights_sha256
    assert of_file.card.source == "pairs.tsv (en to sw)"
    said = f"{len(mined)} pairs mined from a list of 60 sentences and a list of 60 sentences, margin 0.5 and more"
    assert as_they_are.card.source == f"{said} (en to sw)"
    MINED.save(tmp_path / "few.tsv")
    lines = (tmp_path / "few.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["en\tsw", "translation 1.2\tsentence 1.2"]


def test_each_sentence_counts_once_and_what_was_not_translated_is_left_out(model: AdaptedModel) -> None:
    names = ["One line that stands in both", "Two words"]
    mined = mine(model, text=[*SWAHILI, *SWAHILI, *names], translations=[*ENGLISH, *names], threshold=0.1)
    assert (mined.n_sentences, mined.n_translations) == (60, 60)
    assert not {sentence for _, sentence in mined} & set(names)
    assert (
        mine(
            model, text=["新しい学校の建物が来年の春に完成する予定だと市長は昨日の会見で述べた。"], threshold=0.1
        ).n_sentences
        == 1
    )


UNSPACED = {
    "Thai": "แพะนอนหลับสบายมาก",
    "Khmer": "ពពែកំពុងដេកលក់ស្រួល។",
    "Chinese": "山羊睡得好。",
    "a word of it among others": "GPS 山羊睡得",
}


@pytest.mark.parametrize("line", UNSPACED.values(), ids=UNSPACED)
def test_of_a_script_without_spaces_letters_count(line: str, model: AdaptedModel) -> None:
    assert mine(model, text=[*SWAHILI, line], threshold=0.1).n_sentences == len(SWAHILI) + 1
    assert mine(model, text=[*SWAHILI, line], least_words=5, threshold=0.1).n_sentences == len(
        [*(text for text in SWAHILI if len(text.split()) >= 5), line]
    )


def test_lines_of_few_words_are_left_out_however_long_one_is(model: AdaptedModel) -> None:
    short = ["See https://example.org/" + "goats/" * 20, "睡", "山羊"]
    assert mine(model, text=[*SWAHILI, *short], threshold=0.1).n_sentences == len(SWAHILI)


def test_sentences_stay_as_they_are_written(model: AdaptedModel) -> None:
    decomposed = [unicodedata.normalize("NFD", f"Ọjà ńlá náà {text}") for text in SWAHILI]
    both_forms = [*decomposed, *(unicodedata.normalize("NFC", text) for text in decomposed)]
    mined = mine(model, text=both_forms, threshold=0.1)
    assert mined.n_sentences == len(set(SWAHILI))
    assert {sentence for _, sentence in mined} <= set(decomposed)


def test_several_files_are_mined(model: AdaptedModel, tmp_path: Path) -> None:
    for number in range(2):
        part = "\n".join(SWAHILI[30 * number :][:30])
        (tmp_path / f"{number}.txt").write_text(part, encoding="utf-8")
    mined = mine(model, text=[tmp_path / "0.txt", tmp_path / "1.txt"])
    assert (mined.n_sentences, mined.texts) == (60, "2 sources: 0.txt; 1.txt and a list of 60 sentences")


def test_each_text_is_encoded_under_its_own_stack(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.recipes.mining.uses_bfloat16", lambda *_: False)
    adapter = random_adapter(model, AdapterConfig(method=LoraConfig(rank=2, alpha=200.0)))
    model.attach(adapter)
    bare, under = mine(model), mine(model, stack=adapter.id)
    assert {pair[:2] for pair in bare.candidates} != {pair[:2] for pair in under.candidates}
    same = mine(model, translations=[f"{text} ." for text in SWAHILI], stack="sw", translations_stack=adapter)
    vectors = model.encode(SWAHILI, stack=adapter).numpy()
    others = model.encode([f"{text} ." for text in SWAHILI], stack=adapter).numpy()
    expected = best_pairs(*(each / np.linalg.norm(each, axis=1, keepdims=True) for each in (vectors, others)))
    assert [pair.sentence for pair in same.candidates[:10]] == [SWAHILI[one.text] for one in expected[:10]]
    with pytest.raises(UnknownAdapter, match="language/yo"):
        mine(model, stack="language/yo")


def test_counts_and_what_to_do_about_few_pairs_are_shown(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    display = Watching()
    monkeypatch.setattr("adaptkit.recipes.mining.open_display", opener(display))
    mined = mine(model, threshold=5.0, progress=True)
    assert str(mined).splitlines()[0] in display.notes
    assert display.notes[-1].startswith("0 pairs are too few to train on (20 at least): mine larger texts")


REFUSED: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "both texts are said to be in sw": ({"source_lang": "Swahili"}, ConfigError),
    "threshold must be a finite number, found nan": ({"threshold": float("nan")}, ConfigError),
    "threshold must be above 0, found 0": ({"threshold": 0}, ConfigError),
    "least_words must be at least 0, found -1": ({"least_words": -1}, ConfigError),
    "neighbours must be at least 1": ({"neighbours": 0}, ConfigError),
    "has no sentence to mine: all are too short": ({"least_words": 100}, EmptyCorpus),
    "or are in the other text too": ({"translations": SWAHILI}, EmptyCorpus),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_mined_is_refused(message: str, model: AdaptedModel) -> None:
    options, error = REFUSED[message]
    with pytest.raises(error, match=message):
        mine(model, **options)


def test_in_a_shell_flags_are_named(model: AdaptedModel) -> None:
    with shell_words(), pytest.raises(ConfigError, match=r"^--least-words must be at least 0, found -1\.$"):
        mine(model, least_words=-1)
    with shell_words(), pytest.raises(ConfigError, match=r"give two languages, as --lang and --source-lang\.$"):
        mine(model, source_lang="sw")


@pytest.mark.embedded
def test_translations_are_found_in_texts_that_share_half(embedded_model: AdaptedModel) -> None:
    texts = [sentence.texts for sentence in sample_sentences() if {"sw", "en"} <= sentence.texts.keys()]
    shared, ours, theirs = texts[:20], texts[40:50], texts[60:70]
    mined = mine(
        embedded_model,
        text=[each["sw"] for each in shared + ours],
        translations=[each["en"] for each in shared + theirs],
    )
    right = {(each["en"], each["sw"]) for each in shared}
    found = set(mined)
    assert len(found & right) > 0.7 * len(right)
    assert len(found & right) > 0.8 * len(found)


@pytest.mark.embedded
@pytest.mark.real_data
def test_translations_are_found_in_published_text(embedded_model: AdaptedModel, data_folder: Path) -> None:
    files = (data_folder / "flores-retrieval" / f"{name}.txt.gz" for name in ("swh_Latn", "eng_Latn"))
    ours, theirs = ([line for _, line in read_lines(file)] for file in files)
    mined = mine(embedded_model, text=ours[:40], translations=[*theirs[:25], *theirs[100:115]])
    right = set(zip(theirs[:25], ours[:25], strict=True))
    assert len(set(mined) & right) > 0.8 * len(right)
    assert len(set(mined) & right) > 0.9 * len(mined)


def test_texts_that_are_swapped_are_told(
    model: AdaptedModel, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    swapped: dict[str, Any] = {"text": ENGLISH, "translations": SWAHILI}
    mine(model, **swapped, progress=True)
    assert "the two texts look swapped: the side read as Swahili looks like English" in " ".join(
        capsys.readouterr().err.split()
    )
    mine(model, **swapped)
    (warned,) = caplog.messages
    assert "is given as the text in Swahili" in warned
    mine(model)
    assert len(caplog.messages) == 1
