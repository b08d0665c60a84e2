"""A task brought to another language: what is trained, how it is measured, and what is chosen."""

import json
import tomllib
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit import Planning, Pretrained, ProjectedSentence, Projection, TagProjection, TransferredTask, transfer_task
from adaptkit.data.mix import parallel_sources
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.labelled import ReadingOptions
from adaptkit.model import AdaptedModel
from adaptkit.requests.written import parallels
from adaptkit.scores import Difference
from adaptkit.storage import load_adapter
from adaptkit.task_types import HeadConfig, LabelledText
from adaptkit.transfers import MeasuredWay
from adaptkit.transfers.prepared import Prepared
from adaptkit.transfers.transferred import chosen_of
from adaptkit.transfers.ways import Ways
from tests.adapters import random_adapter
from tests.names import EMOJI, write_emoji
from tests.pieces import OWN_PIECES
from tests.plans import InThisProcess, in_this_process, plan_folder
from tests.runs import PAIRS
from tests.saved import saved_backbone
from tests.tiny import tiny_model, unigram_tokenizer

LABELS = ("sports", "health")
ENGLISH = [(english, LABELS[number % 2]) for number, (english, _) in enumerate(PAIRS)]
SWAHILI = [(swahili, LABELS[number % 2]) for number, (_, swahili) in enumerate(PAIRS)]
WORDS = [([*english.split()], ["B-PER"] + ["O"] * (len(english.split()) - 1)) for english, _ in PAIRS]


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[InThisProcess]:
    monkeypatch.chdir(plan_folder(tmp_path))
    rows = [json.dumps({"translation": {"en": english, "sw": swahili}}) for english, swahili in PAIRS]
    Path("en-sw.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return in_this_process(monkeypatch)


def transferred(**options: object) -> TransferredTask:
    asked = {
        "task": "topics",
        "data": ENGLISH,
        "lang": "sw",
        "parallel": "en-sw.jsonl",
        "output": "out",
        "max_steps": 2,
        "task_steps": 2,
        "backbone": Pretrained("tiny"),
        "planning": Planning(progress=False),
    }
    return transfer_task(**{**asked, **options})  # type: ignore[arg-type]


def written(pattern: str) -> list[str]:
    (file,) = Path().glob(pattern)
    return file.read_text(encoding="utf-8").splitlines()


def trained_by(child: type[InThisProcess]) -> list[str]:
    return [str(job["train"]["options"]["output"]) for job in child.jobs if "train" in job]


def test_single_texts_are_answered_by_heads_under_glossary_adapter_and_both(child: type[InThisProcess]) -> None:
    found = transferred()
    assert found.stack == (
        "language/sw-glossary > task/topics-glossary | language/sw > task/topics-adapter | "
        "language/sw-glossary > language/sw > task/topics-both"
    )
    assert found.metric == ""
    assert "not measured here" in str(found)
    model = adaptkit.load_model("tiny")
    model.attach_zoo("out")
    assert {model.predict(text, stack=found.stack).label for text, _ in SWAHILI[:2]} <= set(LABELS)
    summary = json.loads(Path("out/transfer.summary/summary.json").read_text(encoding="utf-8"))
    sizes = {it["id"]: it["learned"]["size_bytes"] for it in summary["outcomes"]}
    assert sizes["language/sw-glossary"] == Path("out/language/sw-glossary/adapter_config.json").stat().st_size
    again = len(child.jobs)
    assert transferred().stack == found.stack
    assert len(child.jobs) == again  # all was done


def test_every_way_is_measured_on_labelled_examples_of_the_language(child: type[InThisProcess]) -> None:
    found = transferred(dev=SWAHILI)
    assert "out/task/topics-source" in trained_by(child)
    assert found.metric == "accuracy"
    assert found.n_examples == len(SWAHILI)
    assert found.ways[0].name == "the source language alone"
    assert found.ways[0].gain is None
    assert all(way.score is not None and 0 <= way.score <= 100 for way in found.ways)
    written = json.loads(Path("out/transfer.json").read_text(encoding="utf-8"))
    assert written["stack"] == found.stack
    assert [way["score"] for way in written["ways"]] == [way.score for way in found.ways]
    again = transferred()
    assert again.metric == ""
    assert "transfer.json stays as it was measured before" in str(again)
    assert json.loads(Path("out/transfer.json").read_text(encoding="utf-8")) == written


@pytest.mark.usefixtures("child")
def test_stacks_that_answer_together_are_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found = transferred(dev=SWAHILI)
    asked: list[str] = []
    predict = AdaptedModel.predict

    def noted(self: AdaptedModel, inputs: Any, **options: Any) -> Any:  # noqa: ANN401
        asked.append(str(options["stack"].stack))
        return predict(self, inputs, **options)

    with monkeypatch.context() as patched:
        patched.setattr(AdaptedModel, "predict", noted)
        assert transferred(dev=SWAHILI).ways == found.ways
    *alone, together = found.ways
    assert asked == [way.stack for way in alone]
    model = adaptkit.load_model("tiny")
    model.attach_zoo("out")
    answers = model.predict([text for text, _ in SWAHILI], stack=together.stack)
    right = sum(answer.label == label for answer, (_, label) in zip(answers, SWAHILI, strict=True))
    assert together.score == pytest.approx(100 * right / len(SWAHILI))


def put_together(rows: list[tuple[str, str]], language: str) -> TaskData:
    """Labels in two characters for one letter, as nothing that reads a file gives them."""
    apart = {label: unicodedata.normalize("NFD", f"{label}é") for label in LABELS}
    examples = [LabelledText(text=text, label=apart[label], language=language) for text, label in rows]
    return TaskData(task_type="classification", examples=examples, labels=tuple(apart.values()), description="mine")


@pytest.mark.parametrize("made", [True, False], ids=["put together", "read"])
@pytest.mark.usefixtures("child")
def test_labelled_examples_are_measured_in_the_form_in_which_they_are_learned_and_answered(made: bool) -> None:
    asked = {"data": put_together(ENGLISH, "en"), "dev": put_together(SWAHILI, "sw")} if made else {"dev": SWAHILI}
    found = transferred(**asked)
    model = adaptkit.load_model("tiny")
    model.attach_zoo("out")
    right = [f"{label}é" if made else label for _, label in SWAHILI]
    for way in found.ways:
        answers = model.predict([text for text, _ in SWAHILI], stack=way.stack)
        hits = [answer.label == label for answer, label in zip(answers, right, strict=True)]
        assert way.score == pytest.approx(100 * sum(hits) / len(hits))
        assert any(hits)


def projecting(monkeypatch: pytest.MonkeyPatch, tags: tuple[str, ...]) -> list[Path]:
    """Let projection give one sentence, of these tags; the adapters that it was asked with."""
    asked: list[Path] = []

    def projected(*, names: Path, **_: object) -> Projection:
        asked.append(names)
        words = ("Amina", "yuko", "hapa")
        sentence = ProjectedSentence(
            words=words, tags=tags, confidence=1.0, how=("same",), source_words=words, source_tags=tags
        )
        return Projection(language="sw", sentences=(sentence,), left_out={}, description="one")

    monkeypatch.setattr("adaptkit.transfers.run.project_entities", projected)
    return asked


def test_names_get_the_adapter_translated_words_and_projected_names(
    child: type[InThisProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = projecting(monkeypatch, ("B-PER", "O", "O"))
    found = transferred(task="names", data=WORDS, task_type="tagging")
    assert found.stack == "language/sw > task/names-projected"
    assert asked == [Path("out/task/names-source")]
    assert trained_by(child)[0] == "out/task/names-source"
    assert not Path("out/language/sw-glossary").exists()
    assert {json.loads(line)["tags"][0] for line in written("out/names-sw-*.jsonl")} == {"B-PER"}
    transferred(task="names", data=WORDS, task_type="tagging")
    assert len(asked) == 1  # all was done


PARTS = [(words, ["NOUN" if number % 2 else "VERB" for number in range(len(words))]) for words, _ in WORDS]


def test_parts_of_speech_are_projected_into_the_sentences(child: type[InThisProcess]) -> None:
    found = transferred(task="parts", data=PARTS, task_type="pos", max_steps=None)
    assert found.stack == "task/parts-projected"
    assert trained_by(child) == ["out/task/parts-source", "out/task/parts-projected"]
    tags = {line.partition("\t")[2] for line in written("out/parts-sw-projected-*.conll") if line}
    assert tags <= {"NOUN", "VERB", "_"}
    head = tomllib.loads(Path("out/transfer.toml").read_text(encoding="utf-8"))["task"]["parts-projected"]
    (file,) = Path().glob("out/parts-sw-projected-*.conll")
    assert (head["data"]["sw"], head.get("on")) == ([str(file)], None)


@pytest.mark.usefixtures("child")
def test_words_are_translated_only_where_a_way_that_is_taken_learns_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {"task": "parts", "data": PARTS, "task_type": "pos", "max_steps": None}
    assert "words translated" not in str(transferred(**asked))
    assert not list(Path("out").glob("parts-sw-????????.jsonl"))

    def none_left(**_: object) -> TagProjection:
        raise EmptyCorpus("of 60 pairs, none is left.")

    monkeypatch.setattr("adaptkit.transfers.run.project_tags", none_left)
    found = transferred(**asked, output="without")
    assert found.stack == "task/parts-translated"
    assert list(Path("without").glob("parts-sw-????????.jsonl"))
    nothing, words = found.notes
    assert nothing == "nothing was learned from projected parts of speech: of 60 pairs, none is left."
    assert "words translated" in words


def test_each_way_to_tag_parts_of_speech_is_measured(child: type[InThisProcess]) -> None:
    dev = [(ours.split(), ["NOUN"] * len(ours.split())) for _, ours in PAIRS]
    found = transferred(task="parts", data=PARTS, task_type="pos", dev=dev)
    assert [way.name for way in found.ways] == [
        "the source language alone",
        "the adapter at strength 0.25",
        "the adapter at strength 0.5",
        "the adapter",
        "the adapter, trained on translated words too",
        "translated words, without the adapter",
        "projected parts of speech, without the adapter",
    ]
    assert [way.stack for way in found.ways[1:4]] == [
        "average(language/sw: 0.25) > task/parts-source",
        "average(language/sw: 0.5) > task/parts-source",
        "language/sw > task/parts-source",
    ]
    assert len(trained_by(child)) == 5


def test_an_adapter_with_pieces_of_its_own_acts_at_full_strength_alone() -> None:
    head = HeadConfig(task_type="tagging", labels=("O", "B-PER", "I-PER"))
    ways = Ways("names", "dz", head, words=True, trained="language/dz")
    weak = {"the adapter at strength 0.25", "the adapter at strength 0.5"}
    names = {way.name for way in ways.all}
    assert weak < names
    assert {way.name for way in replace(ways, reads_pieces=True).all} == names - weak


@pytest.mark.usefixtures("child")
def test_where_no_names_are_found_in_the_translations_words_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    projecting(monkeypatch, ("O", "O", "O"))
    found = transferred(task="names", data=WORDS, task_type="tagging")
    assert found.stack == "language/sw > task/names-words"
    assert "projected names: none were found in the translations" in str(found)


@pytest.mark.usefixtures("child")
def test_where_no_sentence_gets_its_names_words_are_left_also_beside_a_third_language() -> None:
    Path("fr-sw.jsonl").write_text(
        '{"fr": "Amina dort bien ici.", "sw": "Amina analala vizuri hapa."}\n', encoding="utf-8"
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("adaptkit.projection.project._is_sure", lambda *_: False)
        found = transferred(task="names", data=WORDS, task_type="tagging", parallel=["en-sw.jsonl", "fr-sw.jsonl"])
    assert found.stack == "language/sw > task/names-words"
    assert (
        "projected names: 2 sources: en-sw.jsonl (en to sw); fr-sw.jsonl (fr to sw): of 61 pairs, none is left"
        in str(found)
    )


@pytest.mark.usefixtures("child")
def test_a_language_adapter_that_is_there_is_taken() -> None:
    trained = adaptkit.train_adapter(
        lang="sw",
        parallel="en-sw.jsonl",
        backbone="tiny",
        name="mine",
        run=adaptkit.Run(max_steps=1, progress=False),
        output="adapters/mine",
    )
    found = transferred(adapter="adapters/mine", max_steps=None)
    assert "language/mine > task/topics-adapter" in found.stack
    assert adaptkit.load_adapter("out/language/mine").weights_sha256 == trained.weights_sha256
    with pytest.raises(ConfigError, match="give an adapter with layers that was trained for ha"):
        transferred(adapter="adapters/mine", lang="ha", output="other", max_steps=None)


@pytest.mark.usefixtures("child")
def test_a_transfer_under_an_adapter_with_pieces_of_its_own_is_measured() -> None:
    folder = saved_backbone(Path("reads"), tokenizer=unigram_tokenizer())
    random_adapter(adaptkit.load_model(folder), OWN_PIECES).save("adapters/sw")
    dev = [(ours.split(), ["NOUN"] * len(ours.split())) for _, ours in PAIRS]
    found = transferred(
        task="parts", data=PARTS, task_type="pos", dev=dev, adapter="adapters/sw", max_steps=None, backbone=folder
    )
    assert [way.name for way in found.ways[:2]] == ["the source language alone", "the adapter"]
    assert not any("strength" in way.name for way in found.ways)
    assert found.ways[1].score is not None


@pytest.mark.usefixtures("child")
def test_what_cannot_be_is_said_before_anything_is_trained() -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="no transfer has written"):
        transferred(output="mine")
    with pytest.raises(ConfigError, match="leave out only and part"):
        transferred(planning=Planning(part=(1, 2)))
    with pytest.raises(ConfigError, match="in a process of its own"):
        transferred(backbone=tiny_model())
    with pytest.raises(ConfigError, match="is a file"):
        transferred(output="mine/thesis.txt")
    with pytest.raises(ConfigError, match="labels of texts, pairs and words"):
        transferred(data=[("Who sells maize?", "The farmer sells maize.", "The farmer")], task_type="qa")
    with pytest.raises(ConfigError, match="names files"):
        transferred(parallel=PAIRS)
    with pytest.raises(ConfigError, match="another language"):
        transferred(lang="en")
    with pytest.raises(ConfigError, match="label music"):
        transferred(dev=[("Wimbo mzuri sana.", "music")])
    assert not Path("out/transfer.toml").exists()


@pytest.mark.usefixtures("child")
def test_what_is_there_is_not_replaced_unasked() -> None:
    transferred()
    other = adaptkit.train_adapter(
        lang="sw", parallel="en-sw.jsonl", backbone="tiny", run=adaptkit.Run(max_steps=1, seed=7, progress=False)
    )
    other.save("adapters/sw")
    with pytest.raises(ConfigError, match="is another adapter than adapter="):
        transferred(adapter="adapters/sw")
    with pytest.raises(ConfigError, match="out holds a transfer of topics to sw, and asked for is news to sw"):
        transferred(task="news")


def files_in(folder: str) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


OTHER = [(text, LABELS[label == LABELS[0]]) for text, label in ENGLISH[:1]] + ENGLISH[1:]


@pytest.mark.usefixtures("child")
def test_other_options_are_named_in_words_of_a_transfer_before_anything_is_written() -> None:
    transferred()
    before = files_in("out")
    Path("more.jsonl").write_text(Path("en-sw.jsonl").read_text(encoding="utf-8").partition("\n")[0], encoding="utf-8")
    refused: list[tuple[dict[str, object], str]] = [
        ({"max_steps": 3}, "written: max_steps was 2, now 3. Put"),
        ({"task_steps": 3}, "written: task_steps was 2, now 3. Put"),
        ({"parallel": ["en-sw.jsonl", "more.jsonl"]}, r"written: parallel has \['more.jsonl'\] now too"),
        ({"licence": "CC0-1.0"}, "written: licence was not given, now 'CC0-1.0'. Put"),
        ({"data": OTHER}, r"data has other examples than out/topics-en-\w+.jsonl, .*: 1 example more, 1 of those 60"),
        ({"data": ENGLISH[::-1]}, "in another order"),
        ({"data": ENGLISH[:59]}, ": 0 examples more, 1 of those 60 no more"),
    ]
    for options, why in refused:
        with pytest.raises(ConfigError, match=why) as error:
            transferred(**options)
        assert "plan" not in str(error.value)
    assert files_in("out") == before


@pytest.mark.usefixtures("child")
def test_parallel_text_that_has_changed_is_told_by_the_words_that_it_gives() -> None:
    transferred()
    rows = Path("en-sw.jsonl").read_text(encoding="utf-8").splitlines()
    Path("en-sw.jsonl").write_text("\n".join(rows[:30]), encoding="utf-8")
    with pytest.raises(ConfigError, match="the text of parallel has changed, and with it the translated words"):
        transferred()


@pytest.mark.usefixtures("child")
def test_examples_of_other_data_go_where_they_are_replaced() -> None:
    transferred()
    Path("out/topics-notes.txt").write_text("mine")
    before = set(Path("out").glob("topics-*.jsonl"))
    transferred(data=OTHER, planning=Planning(progress=False, overwrite=True))
    after = set(Path("out").glob("topics-*.jsonl"))
    assert len(before) == len(after) == 2
    assert before != after
    assert Path("out/topics-notes.txt").exists()


@pytest.mark.usefixtures("child")
def test_cards_say_from_which_language_an_unnamed_text_is_and_its_licence() -> None:
    Path("en-sw.tsv").write_text("".join(f"{english}\t{swahili}\n" for english, swahili in PAIRS), encoding="utf-8")
    transferred(parallel="en-sw.tsv", licence="CC0-1.0")
    for folder in ("out/language/sw-glossary", "out/language/sw"):
        card = adaptkit.load_adapter(folder).card
        assert card.source == "en-sw.tsv (en to sw)"
        assert card.licence == "CC0-1.0"


NLI = [(english, english, LABELS[number % 2]) for number, (english, _) in enumerate(PAIRS)]


@pytest.mark.parametrize("asked", [{}, {"task": "pairs", "data": NLI}], ids=["single texts", "pairs of texts"])
@pytest.mark.usefixtures("child")
def test_pairs_that_are_surely_swapped_are_refused(asked: dict[str, object]) -> None:
    lines = "".join(f"{swahili}\t{english}\n" for english, swahili in PAIRS)
    Path("sw-en.tsv").write_text(lines, encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"^sw-en\.tsv: the two sides look swapped: .* Swap the columns, or name their"
    ):
        transferred(**asked, parallel="sw-en.tsv")
    assert not Path("out").exists()
    Path("sw-en.tsv").write_text(f"sw\ten\n{lines}", encoding="utf-8")
    assert prepared(**asked, parallel="sw-en.tsv").notes == prepared(**asked, parallel="en-sw.jsonl").notes


@pytest.mark.usefixtures("child")
def test_columns_that_look_swapped_by_their_names_are_told_beside_what_to_take() -> None:
    lines = "".join(f"{swahili}\t{english}\n" for english, swahili in PAIRS)
    Path("sw-en.tsv").write_text(f"en\tsw\n{lines}", encoding="utf-8")
    found = transferred(task="pairs", data=NLI, parallel="sw-en.tsv")
    taken = str(found).partition("take: ")[2]
    assert "warning: sw-en.tsv: the two sides look swapped" in taken


@pytest.mark.usefixtures("child")
def test_pairs_of_near_relatives_that_look_swapped_are_told_too() -> None:
    Path("af-en.tsv").write_text("".join(f"{other}\t{english}\n" for english, other in PAIRS), encoding="utf-8")
    with pytest.raises(ConfigError, match="the side read as Afrikaans looks like English"):
        prepared(task="pairs", data=NLI, parallel="af-en.tsv,source_lang=en", lang="af")


def test_the_same_files_named_from_another_folder_are_the_same(
    child: type[InThisProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    transferred()
    trained = len(child.jobs)
    here = Path.cwd()
    Path("other").mkdir()
    monkeypatch.chdir("other")
    transferred(parallel=str(here / "en-sw.jsonl"), output="../out", backbone=Pretrained(str(here / "tiny")))
    assert len(child.jobs) == trained  # all was done


def test_names_of_the_same_files_named_from_another_folder_are_the_same(
    child: type[InThisProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    transferred(output="before")
    asked: dict[str, Any] = {"task": "names", "data": WORDS, "task_type": "tagging", "max_steps": None}
    projecting(monkeypatch, ("B-PER", "O", "O"))
    transferred(**asked, adapter="before/language/sw")
    trained = len(child.jobs)
    here = Path.cwd()
    Path("other").mkdir()
    monkeypatch.chdir("other")
    options: dict[str, Any] = {"output": "../out", "backbone": Pretrained(str(here / "tiny"))}
    again = transferred(
        **asked, **options, parallel=str(here / "en-sw.jsonl"), adapter=str(here / "before/language/sw")
    )
    assert again.stack == "language/sw > task/names-projected"
    assert len(child.jobs) == trained  # all was done


@pytest.mark.usefixtures("child")
def test_of_a_file_of_several_languages_that_of_the_labels_is_read() -> None:
    rows = [json.dumps({"de": "Hallo.", "en": english, "sw": swahili}) for english, swahili in PAIRS]
    Path("three.jsonl").write_text("\n".join(rows), encoding="utf-8")
    found = transferred(parallel="three.jsonl")
    assert "words translated (99%)" in str(found)
    for folder in ("out/language/sw-glossary", "out/language/sw"):
        assert load_adapter(folder).card.source == "three.jsonl (en to sw)"


@pytest.mark.usefixtures("child")
def test_beside_a_source_in_another_language_the_others_are_in_that_of_the_labels() -> None:
    names = write_emoji(Path("emoji"), {**EMOJI, "fr": {"🐐": ("chèvre", ["animal", "ferme"])}})
    Path("fr-sw.tsv").write_text("maison\tnyumba\nvillage\tkijiji\nchemin\tnjia\n", encoding="utf-8")
    parallel = ["en-sw.jsonl", "fr-sw.tsv", str(names), "more, en-sw.jsonl"]
    Path("more, en-sw.jsonl").write_bytes(Path("en-sw.jsonl").read_bytes())
    transferred(source_lang="fr", data=[(text, label) for text, label in SWAHILI], parallel=parallel)
    assert load_adapter("out/language/sw-glossary").card.source == (
        "4 sources: en-sw.jsonl (en to sw); fr-sw.tsv (fr to sw); CLDR's names of emoji (fr to sw) and 1 more"
    )
    assert (
        load_adapter("out/language/sw").card.source == "2 sources: en-sw.jsonl (en to sw); more, en-sw.jsonl (en to sw)"
    )


@pytest.mark.usefixtures("child")
def test_translations_in_a_third_language_serve_the_adapter_but_no_words() -> None:
    rows = [json.dumps({"translation": {"fr": english, "sw": swahili}}) for english, swahili in PAIRS]
    Path("fr-sw.jsonl").write_text("\n".join(rows), encoding="utf-8")
    found = transferred(parallel="fr-sw.jsonl")
    assert found.stack.endswith("language/sw-glossary > language/sw > task/topics-source")
    assert "no words were translated" in str(found)
    assert not list(Path("out").glob("topics-sw-*"))


WORDS_BESIDE = [pair for english, swahili in PAIRS for pair in zip(english.split(), swahili.split(), strict=False)]
"""Words at the same places of both languages: as good a dictionary as any, to be trained on and not to be read."""


@pytest.fixture
def dictionary() -> str:
    Path("en-sw.tsv").write_text("".join(f"{ours}\t{theirs}\n" for ours, theirs in WORDS_BESIDE), encoding="utf-8")
    return "en-sw.tsv"


def test_words_alone_give_a_glossary_and_translated_words_and_no_adapter(
    child: type[InThisProcess], dictionary: str
) -> None:
    emoji = write_emoji(Path("emoji"))
    found = transferred(parallel=[dictionary, str(emoji)], max_steps=None)
    assert found.stack == "task/topics-translated | language/sw-glossary > task/topics-glossary"
    assert sorted(trained_by(child)) == [
        "out/language/sw-glossary",
        "out/task/topics-glossary",
        "out/task/topics-translated",
    ]
    assert "words and names alone, so no language adapter is trained" in str(found)
    assert (
        "en-sw.tsv (en to sw); CLDR's names of emoji (en to sw)" in load_adapter("out/language/sw-glossary").card.source
    )
    measured = transferred(parallel=[dictionary, str(emoji)], output="measured", dev=SWAHILI, max_steps=None)
    assert [way.name for way in measured.ways] == [
        "the source language alone",
        "translated words",
        "the glossary",
        "these two together",
    ]


def test_beside_sentences_words_teach_words_alone(child: type[InThisProcess], dictionary: str) -> None:
    found = transferred(parallel=["en-sw.jsonl", dictionary])
    assert "language/sw > task/topics-adapter" in found.stack
    assert "a language adapter is trained on en-sw.jsonl alone" in str(found)
    assert "en-sw.tsv" in load_adapter("out/language/sw-glossary").card.source
    assert "en-sw.tsv" not in load_adapter("out/language/sw").card.source
    assert child.jobs


@pytest.mark.usefixtures("child")
def test_an_adapter_that_is_there_goes_with_words_alone(dictionary: str) -> None:
    transferred(output="before")
    found = transferred(parallel=dictionary, adapter="before/language/sw", max_steps=None)
    assert found.stack.endswith("language/sw-glossary > language/sw > task/topics-both")
    assert "language adapter is trained" not in str(found)


def prepared(**options: Any) -> Prepared:  # noqa: ANN401
    asked = {"task": "topics", "data": ENGLISH, "dev": None, "lang": "sw", "source_lang": "en", "task_type": None}
    return Prepared.of(**{**asked, "reading": ReadingOptions(), **options})


@pytest.mark.usefixtures("child")
def test_an_adapter_that_is_there_is_not_said_to_be_trained(dictionary: str) -> None:
    read = prepared(parallel=["en-sw.jsonl", dictionary])
    told = "a language adapter is trained on en-sw.jsonl alone: the other text has words and names"
    assert told in read.with_ways(read.ways).notes
    assert told not in read.with_ways(replace(read.ways, trained="language/mine")).notes


@pytest.mark.parametrize("sentences", [True, False])
@pytest.mark.usefixtures("child")
def test_an_adapter_is_not_spoken_of_where_the_usual_way_has_none(dictionary: str, sentences: bool) -> None:
    tags = [(words, ["NOUN", *["VERB"] * (len(words) - 1)]) for words, _ in WORDS]
    parallel = [*(["en-sw.jsonl"] if sentences else []), dictionary]
    for dev in (None, tags):
        read = prepared(task="parts", data=tags, task_type="pos", parallel=parallel, dev=dev)
        told = [note for note in read.with_ways(read.ways).notes if "language adapter" in note]
        assert len(told) == (dev is not None)


@pytest.mark.usefixtures("child")
def test_two_plain_files_that_are_left_beside_words_stay_two(dictionary: str) -> None:
    for number, name in enumerate(("news.txt", "stories.txt")):
        lines = (f"{english}\t{swahili}\n" for english, swahili in PAIRS[number::2])
        Path(name).write_text("".join(lines), encoding="utf-8")
    read = prepared(parallel=["news.txt", "stories.txt", dictionary])
    assert read.sentences == ("news.txt,source_lang=en", "stories.txt,source_lang=en")
    assert len(parallel_sources(parallels(list(read.sentences)))) == len(read.sentences)
    assert read.with_ways(read.ways).notes[-1].endswith("alone: the other text has words and names")


def test_words_alone_put_tagged_words_into_the_language(child: type[InThisProcess], dictionary: str) -> None:
    found = transferred(task="names", data=WORDS, task_type="tagging", parallel=dictionary, max_steps=None)
    assert found.stack == "task/names-translated"
    assert trained_by(child) == ["out/task/names-translated"]
    assert "is the usual one for such tasks" in found.chosen


@pytest.mark.usefixtures("child")
def test_words_alone_are_refused_for_pairs_of_texts(dictionary: str) -> None:
    nli = [(english, english, LABELS[number % 2]) for number, (english, _) in enumerate(PAIRS)]
    with pytest.raises(ConfigError, match=r"max_steps=2 is of a language adapter, and here none is trained"):
        transferred(parallel=dictionary)
    with pytest.raises(ConfigError, match=r"words and names, no sentences, of which .* gain nothing"):
        transferred(task="pairs", data=nli, parallel=dictionary)
    assert not Path("out").exists()


@pytest.mark.usefixtures("child")
def test_words_of_which_none_can_be_translated_are_refused_with_the_reason() -> None:
    Path("fr-sw.tsv").write_text("fr\tsw\n" + "".join(f"{ours}\t{theirs}\n" for ours, theirs in WORDS_BESIDE))
    with pytest.raises(
        ConfigError,
        match=r"so few nothing can be learned: .* \(fr to sw\): the language of the examples is en, and no source",
    ):
        transferred(task="names", data=WORDS, task_type="tagging", parallel="fr-sw.tsv")


def test_two_plain_files_of_words_are_a_dictionary(child: type[InThisProcess]) -> None:
    for number, name in enumerate(("words.en", "words.sw")):
        Path(name).write_text("\n".join(pair[number] for pair in WORDS_BESIDE), encoding="utf-8")
    found = transferred(
        task="names", data=WORDS, task_type="tagging", parallel=["words.en", "words.sw"], max_steps=None
    )
    assert found.stack == "task/names-translated"
    assert trained_by(child) == ["out/task/names-translated"]


@pytest.mark.usefixtures("child")
def test_words_of_which_hardly_any_is_in_the_examples_are_refused_with_what_may_be_wrong() -> None:
    entries = [f"{theirs}\t{ours}\n" for ours, theirs in WORDS_BESIDE if min(len(ours), len(theirs)) > 4]
    Path("sw-en.tsv").write_text("".join(entries[:40]), encoding="utf-8")
    for parallel in ("sw-en.tsv", str(write_emoji(Path("emoji")))):
        with pytest.raises(ConfigError, match="of so few nothing can be learned") as error:
            transferred(parallel=parallel, max_steps=None)
        assert ("the two sides look swapped" in str(error.value)) is (parallel == "sw-en.tsv")
    assert not Path("out").exists()


@pytest.mark.usefixtures("child")
def test_a_dictionary_with_its_words_first_is_told_beside_what_to_take() -> None:
    # Without the most frequent words, by which sentences are told.
    entries = [f"{theirs}\t{ours}\n" for ours, theirs in WORDS_BESIDE if min(len(ours), len(theirs)) > 4]
    Path("sw-en.tsv").write_text("".join(entries), encoding="utf-8")
    found = transferred(parallel=["en-sw.jsonl", "sw-en.tsv"])
    taken = str(found).partition("take: ")[2]
    assert taken.count("warning: sw-en.tsv: the two sides look swapped") == 1
    assert "of the words are in the labelled examples" in taken


def way(name: str, score: float | None, gain: Difference | None = None) -> MeasuredWay:
    return MeasuredWay(name=name, stack=name, score=score, gain=gain)


def test_the_usual_way_is_left_for_one_that_is_surely_better_alone() -> None:
    ways = [way("alone", 60.0), way("adapter", 70.0), way("together", 66.0)]
    same = Difference(mean=0.0, low=0.0, high=0.0, confidence=0.95)
    unsure = [
        Difference(mean=-6.0, low=-9.0, high=-3.0, confidence=0.95),
        Difference(mean=4.0, low=-1.0, high=9.0, confidence=0.95),
        same,
    ]
    assert chosen_of(ways, unsure)[0] is ways[2]
    sure = [unsure[0], Difference(mean=4.0, low=0.5, high=7.5, confidence=0.95), same]
    best, why = chosen_of(ways, sure)
    assert best is ways[1]
    assert "a little too good" in why
    assert chosen_of([way("together", None)], [None])[0].name == "together"


def test_the_source_language_alone_is_taken_where_it_is_surely_better() -> None:
    worse = Difference(mean=-8.0, low=-12.0, high=-4.0, confidence=0.95)
    ways = [way("alone", 60.0), way("together", 52.0, worse)]
    better = Difference(mean=8.0, low=4.0, high=12.0, confidence=0.95)
    same = Difference(mean=0.0, low=0.0, high=0.0, confidence=0.95)
    assert chosen_of(ways, [better, same])[0] is ways[0]


def test_a_usual_way_that_scored_less_than_the_source_language_alone_is_told() -> None:
    less = Difference(mean=-6.7, low=-20.0, high=0.0, confidence=0.95)
    more = Difference(mean=6.7, low=0.0, high=20.0, confidence=0.95)
    same = Difference(mean=0.0, low=0.0, high=0.0, confidence=0.95)
    taken, why = chosen_of([way("alone", 60.0), way("together", 53.3, less)], [more, same])
    assert taken.name == "together"
    assert "6.7 points less than the source language alone (-20.0 to +0.0)" in why
    assert "points less" not in chosen_of([way("alone", 60.0), way("together", 66.7, more)], [less, same])[1]
