import gzip
from collections import Counter
from pathlib import Path

import pytest

from adaptkit.errors import EmptyCorpus, MalformedText, SourceNotFound
from adaptkit.labelled import read_labelled, read_task, task_languages
from adaptkit.task_types import LabelledText, Question, TaggedSentence

pytestmark = pytest.mark.real_data

XNLI = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "my", "ru", "sw", "th", "tr", "ur", "vi", "zh")


def labels_of(examples: object) -> Counter[str]:
    assert isinstance(examples, list)
    return Counter(example.label for example in examples if isinstance(example, LabelledText))


@pytest.mark.parametrize("language", ["en", "sw", "my", "zh"])
def test_xnli_has_its_labels_and_genres(data_folder: Path, language: str) -> None:
    test = read_task("xnli", data=data_folder, language=language)
    assert labels_of(test.examples) == dict.fromkeys(test.labels, 1670)
    assert set(Counter(example.group for example in test.examples).values()) == {501}
    assert {example.language for example in test.examples} == {language}
    dev = read_task("xnli", data=data_folder / "xnli", language=language, split="dev")
    assert labels_of(dev.examples) == dict.fromkeys(dev.labels, 830)
    assert set(Counter(example.group for example in dev.examples).values()) == {249}


def test_languages_that_are_there(data_folder: Path) -> None:
    assert task_languages("xnli", data_folder) == XNLI
    assert task_languages("mlqa", data_folder, split="dev") == ("ar", "de", "en", "es", "hi", "vi", "zh")
    assert task_languages("mlqa", data_folder) == ()
    assert len(task_languages("sib200", data_folder)) == 22
    assert len(task_languages("xquad", data_folder)) == 12
    assert set(task_languages("masakhaner", data_folder)) == {"am", "bm", "ha", "ig", "rw", "pcm", "sw", "yo"}
    assert task_languages("americasnli", data_folder) == ("ay", "gn", "quy")


@pytest.mark.parametrize(
    ("language", "count"), [("bam", 619), ("hau", 601), ("ibo", 642), ("kin", 604), ("swa", 553), ("yor", 713)]
)
def test_masakhapos(data_folder: Path, language: str, count: int) -> None:
    data = read_task("masakhapos", data=data_folder, language=language)
    assert data.task_type == "pos"
    assert len(data.labels) == 17
    assert len(data.examples) + sum(data.dropped.values()) == count


@pytest.mark.parametrize(("split", "count"), [("dev", 743), ("test", 750)])
def test_americasnli(data_folder: Path, split: str, count: int) -> None:
    for language in ("aym", "gn", "quy"):
        data = read_task("americasnli", data=data_folder, language=language, split=split)
        assert len(data.examples) == count


def test_sib200(data_folder: Path) -> None:
    for language in task_languages("sib200", data_folder):
        assert len(read_task("sib200", data=data_folder, language=language).examples) == 204
    for split, count in (("train", 701), ("dev", 99)):
        assert len(read_task("sib200", data=data_folder, language="swh_Latn", split=split).examples) == count


@pytest.mark.parametrize(
    ("language", "counts"),
    [
        ("bam", (4462, 638, 1274)),
        ("hau", (5716, 816, 1633)),
        ("pcm", (5646, 806, 1613)),
        ("swa", (6593, 942, 1883)),
        ("yor", (6876, 983, 1964)),
        ("amh", (1750, 250, 500)),
    ],
)
def test_masakhaner(data_folder: Path, language: str, counts: tuple[int, int, int]) -> None:
    splits = zip(("train", "dev", "test"), counts, strict=True)
    for split, count in splits:
        assert len(read_task("masakhaner", data=data_folder, language=language, split=split).examples) == count


def test_afrisenti(data_folder: Path) -> None:
    for language, count in {"amh": 1999, "hau": 5303, "ibo": 3682, "kin": 1026, "swa": 748, "yor": 4515}.items():
        assert len(read_task("afrisenti", data=data_folder, language=language).examples) == count
    amharic = read_task("afrisenti", data=data_folder, language="am")
    assert labels_of(amharic.examples) == {"negative": 1337, "positive": 438, "neutral": 224}


def test_masakhanews(data_folder: Path) -> None:
    for language, count in {"amh": 376, "eng": 948, "hau": 637, "ibo": 390, "swa": 476, "yor": 411}.items():
        assert len(read_task("masakhanews", data=data_folder, language=language).examples) == count
    full = read_task("masakhanews", data=data_folder, language="yor", split="train")
    assert len(full.examples) == 1433
    few = read_task("masakhanews", data=data_folder, language="sw", split="50_samples")
    assert set(labels_of(few.examples).values()) == {50}
    with pytest.raises(SourceNotFound):
        read_task("masakhanews", data=data_folder, language="sw", split="train")


def test_wikiann(data_folder: Path) -> None:
    train = read_task("wikiann", data=data_folder, language="en", split="train")
    assert (len(train.examples), train.labels[0]) == (20_000, "O")


@pytest.mark.parametrize(
    ("pair", "count"), [("en", 1148), ("ar", 517), ("de", 512), ("es", 500), ("hi", 507), ("vi", 511), ("zh", 504)]
)
def test_mlqa(data_folder: Path, pair: str, count: int) -> None:
    data = read_task("mlqa", data=data_folder, language=pair, split="dev")
    assert (len(data.examples), data.dropped) == (count, {})


def test_mlqa_of_two_languages(data_folder: Path) -> None:
    data = read_task("mlqa", data=data_folder, language="de-es", split="dev")
    assert 161 <= len(data.examples) <= 517
    assert {example.language for example in data.examples} == {"de"}


@pytest.mark.parametrize(
    ("task", "language", "split", "count"),
    [
        ("mlqa", "de-es", "test", "1,776"),
        ("mlqa", "zh-es", "test", "1,947"),
        ("tydiqa", "en", "dev", "440"),
    ],
)
def test_answers_that_were_kept_back_are_no_evaluation(
    data_folder: Path, task: str, language: str, split: str, count: str
) -> None:
    with pytest.raises(EmptyCorpus, match=f"{count} empty answers"):
        read_task(task, data=data_folder, language=language, split=split)


def test_xquad_and_tydiqa(data_folder: Path) -> None:
    for language in task_languages("xquad", data_folder):
        assert len(read_task("xquad", data=data_folder, language=language).examples) == 1190
    train = read_task("tydiqa", data=data_folder, language="en", split="train")
    assert (len(train.examples), train.dropped) == (3696, {})


# Files of one's own


def test_nli_files(data_folder: Path) -> None:
    folder = data_folder / "nli-en"
    taxinli = read_labelled(folder / "taxinli/taxinli10k.tsv.gz")
    assert labels_of(taxinli.examples) == {"entailment": 3495, "contradiction": 3375, "neutral": 3201}
    assert min(Counter(example.group for example in taxinli.examples).values()) == 735
    sick = read_labelled(folder / "sick/SICK.txt.gz")
    assert labels_of(sick.examples) == {"neutral": 5595, "entailment": 2821, "contradiction": 1424}
    cad = [read_labelled(folder / f"cad-snli/{kind}/train.tsv") for kind in ("original", "revised_combined")]
    assert [len(data.examples) for data in cad] == [1666, 6664]
    similar = read_labelled(folder / "sick/SICK.txt.gz", task_type="similarity", score_range=(1, 5))
    assert len(similar.examples) == 9840


def test_topics_and_tags_of_ones_own(data_folder: Path) -> None:
    topics = read_labelled(data_folder / "sib200/swh_Latn/train.tsv", quoted=True, language="sw")
    assert (len(topics.examples), len(topics.labels)) == (701, 7)
    tagged = read_labelled(data_folder / "masakhaner2/swa/train.txt.gz", task_type="tagging")
    assert (len(tagged.examples), len(tagged.labels)) == (6593, 9)
    silver = read_labelled(data_folder / "wikiann/train-en.tsv.gz", task_type="tagging")
    assert (len(silver.examples), len(silver.labels)) == (20_000, 7)
    medical = read_labelled(data_folder / "biomedical/ner/NCBI-disease/dev.txt.gz", task_type="tagging")
    assert len(medical.examples) == 923
    sentence = medical.examples[0]
    assert isinstance(sentence, TaggedSentence)
    assert len(sentence.words) == len(sentence.tags)


def test_questions_of_ones_own(data_folder: Path) -> None:
    train = next((data_folder / "tydiqa-goldp/tydiqa-goldp-v1.1-train").iterdir())
    assert len(read_labelled(train).examples) == 3696
    assert len(read_labelled(data_folder / "policyqa/dev.json.gz").examples) == 3809
    covid = read_labelled(data_folder / "biomedical/covidqa/200423_covidQA.json.gz")
    assert (len(covid.examples), covid.dropped) == (1380, {})
    for question in covid.examples:
        assert isinstance(question, Question)
        assert all(question.context.startswith(text, start) for text, start in question.answers)


def test_reviews_without_an_answer_and_with_one_that_is_not_there(data_folder: Path) -> None:
    data = read_labelled(data_folder / "subjqa/grocery/splits/test.csv.gz")
    left_out = data.dropped["questions left without an answer"]
    assert len(data.examples) + left_out == 1188
    assert Counter(isinstance(q, Question) and not q.answers for q in data.examples)[True] == 633


def test_no_header_and_latin_1_are_errors(data_folder: Path) -> None:
    with pytest.raises(MalformedText, match="is line 1 a header"):
        read_labelled(data_folder / "fdu-mtl/books.task.train.gz")
    latin = data_folder / "fdu-mtl/MR.task.train.gz"
    with gzip.open(latin, "rt", encoding="latin-1") as stream:
        first = stream.readline()
    label, text = first.rstrip("\n").split("\t")
    with pytest.raises(MalformedText, match="UTF-8"):
        read_labelled(latin, text=text, label=label)
