import io
import json
import re
import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

import adaptkit as library
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, LanguageLines
from adaptkit.methods import LoraConfig
from tests.adapters import random_adapter
from tests.calls import train_adapter
from tests.glossaries import GLOSSARY
from tests.unit.cli.conftest import Command
from tests.unit.heads import examples as made
from tests.zoos import SCORE

LORA = AdapterConfig(method=LoraConfig(rank=2))
ROWS = [("The goat eats grass.", "goats"), ("Rain fells the maize.", "rain")]


@pytest.fixture(scope="module")
def zoo(backbone_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two language adapters and a task adapter."""
    folder = tmp_path_factory.mktemp("zoo")
    model = library.load_model(backbone_folder)
    for seed, tag in enumerate(("en", "sw")):
        replace(random_adapter(model, LORA, name=tag, seed=seed), language=tag).save(folder / "language" / tag)
    train_adapter(
        task="topics",
        data=made.topics(),
        lang="en",
        backbone=model,
        max_steps=2,
        progress=False,
        output=folder / "task" / "topics",
    )
    return folder


def benchmark(folder: Path) -> Path:
    """AfriSenti's layout, with sentences of our own."""
    for language in ("swa", "hau"):
        (folder / "afrisenti" / language).mkdir(parents=True)
        lines = [f"Mbuzi {i} amelala.\t{('positive', 'negative', 'neutral')[i % 3]}" for i in range(12)]
        (folder / "afrisenti" / language / "test.tsv").write_text("\n".join(["tweet\tlabel", *lines]) + "\n")
    return folder


def test_evaluate_prints_and_saves_a_report(
    adaptkit: Command, zoo: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    data = made.topics(60)
    labels = ("positive", "negative", "neutral")
    named = [replace(e, label=labels[i % 3], language="en") for i, e in enumerate(made.topic_texts(60))]
    task = tmp_path / "sentiment"
    train_adapter(
        task="sentiment",
        data=replace(data, examples=named, labels=labels),
        backbone=str(backbone_folder),
        max_steps=2,
        progress=False,
        output=task,
    )
    command = (
        "evaluate",
        "--task",
        "afrisenti",
        "--adapter",
        task,
        "--zoo",
        zoo,
        "--languages",
        "sw,Hausa",
        "--limit",
        6,
        "--data",
        benchmark(tmp_path),
        "--backbone",
        backbone_folder,
        "--output",
        tmp_path / "report",
    )
    outcome = adaptkit(*command)
    assert outcome.status == 0
    assert "Do language adapters help on afrisenti?" in outcome.out
    assert "at most 6 test examples" in outcome.out
    assert (tmp_path / "report" / "report.html").is_file()
    assert "a second" in outcome.err
    again = adaptkit(*command)
    assert again.status == 1
    assert "ConfigError" in again.err
    assert adaptkit(*command, "--overwrite").status == 0


def test_evaluate_measures_stacks_of_a_zoo_together(
    adaptkit: Command, zoo: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    test = tmp_path / "sw.tsv"
    rows = [f"{text} {number}\t{label}" for number, (text, label) in enumerate(ROWS * 4)]
    test.write_text("\n".join(["text\tlabel", *rows]) + "\n", encoding="utf-8")
    command = (
        *("evaluate", "--task", "topics", "--adapter", zoo / "task" / "topics", "--languages", "sw"),
        *("--data", f"sw={test}", "--compare", "none", "--backbone", backbone_folder, "--source-language", "en"),
    )
    outcome = adaptkit(
        *command, "--zoo", zoo, "--stack", "topics | sw > topics", "--output", tmp_path / "out", "--json"
    )
    assert outcome.status == 0, outcome.err
    found = json.loads(outcome.out)
    assert found["stack"] == "task/topics | language/sw > task/topics"
    assert [cell["condition"] for cell in found["cells"]] == ["none", "stack"]
    (gain,) = found["comparisons"]
    assert gain["condition"] == "stack"
    assert gain["difference"]["low"] <= gain["difference"]["mean"] <= gain["difference"]["high"]
    assert (tmp_path / "out" / "report.html").is_file()
    unknown = adaptkit(*command, "--zoo", zoo, "--stack", "topics | ha > topics")
    assert unknown.status == 1
    assert "no adapter ha is attached or in the zoo" in " ".join(unknown.err.split())


def test_of_several_adapters_of_a_language_folders_choose(
    adaptkit: Command, zoo: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    mixed, pairs = tmp_path / "zoo", tmp_path / "pairs.tsv"
    shutil.copytree(zoo / "language", mixed)
    model = library.load_model(backbone_folder)
    for name, config in (("news", LORA), ("glossary", GLOSSARY)):
        replace(random_adapter(model, config, name=f"sw-{name}"), language="sw").save(mixed / f"sw-{name}")
    pairs.write_text("".join(f"{en}\t{sw}\n" for en, sw in library.sample_pairs("sw")[:12]), encoding="utf-8")
    command = (
        *("evaluate", "--task", "retrieval", "--languages", "sw", "--data", f"sw={pairs}"),
        *("--compare", "target", "--backbone", backbone_folder, "--json"),
    )
    outcome = adaptkit(*command, "--zoo", mixed)
    assert outcome.status == 1
    assert (
        "for sw language/sw, language/sw-glossary, language/sw-news. Name the one that is meant beside the zoo, "
        f"such as --zoo {mixed} --zoo {mixed / 'sw'}."
    ) in " ".join(outcome.err.split())
    for chosen, below in (
        (["sw"], ["sw"]),
        (["sw-glossary", "sw"], ["sw-glossary", "sw"]),
        (["", "sw"], ["sw-glossary", "sw"]),
        (["sw-news", ""], ["sw-glossary", "sw-news"]),
    ):
        outcome = adaptkit(*command, *(word for name in chosen for word in ("--zoo", mixed / name)))
        assert outcome.status == 0, outcome.err
        stacks = [cell["stack"] for cell in json.loads(outcome.out)["cells"]]
        assert stacks[1] == f"{' > '.join(f'language/{name}' for name in below)}; en: none"


def give(monkeypatch: pytest.MonkeyPatch, given: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))


def test_predict_reads_marks_and_separators(
    adaptkit: Command, zoo: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, '\ufeff"It rains."\r\n"one\u2028text"\r\n'.encode())
    outcome = adaptkit("predict", zoo / "task" / "topics", "--backbone", backbone_folder)
    assert outcome.status == 0, outcome.err
    assert len(outcome.out.splitlines()) == 2


def test_predict_reads_lines_and_prints_json(
    adaptkit: Command, zoo: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, b'The goat eats grass.\n"It rains."\nRain fell.\n')
    outcome = adaptkit(
        "predict", zoo / "task" / "topics", "--on", zoo / "language" / "sw", "--backbone", backbone_folder
    )
    assert outcome.status == 0
    found = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(found) == 3
    for entry in found:
        assert entry["label"] in {"goats", "rain"}
        assert sum(entry["probabilities"].values()) == pytest.approx(1)
    give(monkeypatch, b'The goat eats grass.\n"It rains."\n')
    told = adaptkit("predict", zoo / "task" / "topics", "--backbone", backbone_folder, "--json")
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert [line["input"] for line in lines] == ["The goat eats grass.", "It rains."]
    assert all(line.keys() == {"input", *found[0]} for line in lines)


def test_predict_asks_stacks_of_a_zoo_together(
    adaptkit: Command, zoo: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--zoo", zoo, "--backbone", backbone_folder)
    answers = {}
    for stack in ("topics", "sw > topics", "topics | sw > topics"):
        give(monkeypatch, b'The goat eats grass.\n"It rains."\n')
        outcome = adaptkit("predict", "--stack", stack, *where)
        assert outcome.status == 0, outcome.err
        answers[stack] = [json.loads(line)["probabilities"]["goats"] for line in outcome.out.splitlines()]
    *alone, together = answers.values()
    assert len(together) == 2
    assert together == pytest.approx([sum(each) / 2 for each in zip(*alone, strict=True)], abs=1e-6)
    give(monkeypatch, b"It rains.\n")
    by_folder = adaptkit("predict", zoo / "task" / "topics", *where[2:])
    assert json.loads(by_folder.out)["probabilities"]["goats"] == pytest.approx(alone[0][1], abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ((), "nothing says what answers"),
        (("--stack", "topics"), "give --zoo FOLDER"),
        (("--stack", "topics | en", "--zoo", "{zoo}"), "ends in no adapter with a head"),
        (("--stack", "topics", "--zoo", "{zoo}", "{zoo}/task/topics"), "--stack names all that acts"),
        (("--stack", "topics", "--zoo", "{zoo}", "--on", "{zoo}/language/sw"), "--stack names all that acts"),
        (("{zoo}/task/topics", "--zoo", "{zoo}"), "no stack is given"),
    ],
)
def test_predict_is_told_in_one_way_what_answers(
    adaptkit: Command,
    zoo: Path,
    backbone_folder: Path,
    asked: tuple[str, ...],
    why: str,
) -> None:
    outcome = adaptkit("predict", *(word.format(zoo=zoo) for word in asked), "--backbone", backbone_folder)
    assert outcome.status == 1
    assert why in " ".join(outcome.err.split())


def test_inputs_are_read_in_one_form_and_answers_bounded(
    adaptkit: Command, zoo: Path, backbone_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (composed, decomposed) = (unicodedata.normalize(form, "Ọjọ́ pọ̀ ńlá.") for form in ("NFC", "NFD"))
    both = f"{composed}\n{decomposed}\n".encode()
    topics = ("predict", zoo / "task" / "topics", "--backbone", backbone_folder)
    answers = []
    for options in ((), ("--normalize", "NFC")):
        give(monkeypatch, both)
        answers.append(adaptkit(*topics, *options).out.splitlines())
    assert answers[0][0] != answers[0][1]
    # Texts of other lengths beside them move the sums in the last places.
    expected = json.loads(answers[0][0])["probabilities"]
    assert [json.loads(line)["probabilities"] for line in answers[1]] == [pytest.approx(expected, abs=1e-5)] * 2
    assert json.loads(answers[0][1])["probabilities"] != pytest.approx(expected, abs=1e-4)
    train_adapter(
        task="qa",
        data=made.questions(),
        backbone=str(backbone_folder),
        max_steps=2,
        progress=False,
        output=tmp_path / "qa",
    )
    command = ("predict", tmp_path / "qa", "--backbone", backbone_folder)
    lengths = []
    for options in ((), ("--max-answer-tokens", "1")):
        give(monkeypatch, b"Who sold maize?\tAmina and Baraka sold maize at the market of Kisumu.\n")
        found = json.loads(adaptkit(*command, *options).out)
        lengths.append(max(len(span["text"].split()) for span in found["n_best"]))
    assert lengths[0] > lengths[1] == 1
    give(monkeypatch, both)
    wrong = adaptkit(*topics, "--max-answer-tokens", 1)
    assert wrong.status == 1
    assert "max_answer_tokens is for qa" in wrong.err


def test_predict_needs_a_head(adaptkit: Command, zoo: Path) -> None:
    outcome = adaptkit("predict", zoo / "language" / "sw")
    assert outcome.status == 1
    assert "has no head" in outcome.err


def test_list_names_every_adapter(adaptkit: Command, zoo: Path, tmp_path: Path) -> None:
    outcome = adaptkit("list", zoo)
    assert outcome.status == 0
    for text in ("language/en", "language/sw", "task/topics", "classification head", "tiny-bert"):
        assert text in outcome.out
    empty = adaptkit("list", tmp_path)
    assert empty.status == 1
    assert "holds no adapter" in empty.err
    assert adaptkit("list", tmp_path / "none").status == 1


def test_list_finds_a_task_by_its_name_and_says_which_there_are(adaptkit: Command, zoo: Path, tmp_path: Path) -> None:
    named = adaptkit("list", zoo, "--task", "topics")
    assert [line.split("\t")[0] for line in named.out.splitlines()] == ["id", "task/topics"]
    shutil.copytree(zoo / "task" / "topics", tmp_path / "topics")
    scored = replace(SCORE, task="SIB-200, sw")
    adapter = replace(library.load_adapter(zoo / "language" / "sw"), card=Card(source="x", evaluations=(scored,)))
    adapter.save(tmp_path / "sw")
    for asked, said in (
        (("--task", "names"), "begins with 'names': it has the task topics; task type classification; test SIB-200."),
        (("--task", "topics", "--kind", "language"), "no adapter for which all of that is so.\n"),
    ):
        none = adaptkit("list", tmp_path, *asked)
        assert none.status == 1
        assert said in none.err
    assert "begins with" not in none.err


def test_list_names_its_columns_where_it_is_piped(adaptkit: Command, zoo: Path, tmp_path: Path) -> None:
    names, *rows = (line.split("\t") for line in adaptkit("list", zoo).out.splitlines())
    found = [dict(zip(names, row, strict=True)) for row in rows]
    assert [each["path"] for each in found if each["id"] == "language/sw"] == [str(zoo / "language" / "sw")]
    scored = {"gain": "+10.0", "low": "+1.0", "high": "+19.0", "without": "50.0", "with": "60.0", "test": "SIB-200"}
    card = Card(source="verses", evaluations=(SCORE,))
    adapter = replace(library.load_adapter(zoo / "language" / "sw"), card=card)
    adapter.save(tmp_path / "sw")
    names, row = (line.split("\t") for line in adaptkit("list", tmp_path).out.splitlines())
    assert scored.items() <= dict(zip(names, row, strict=True)).items()


def test_list_tells_zoos_apart_in_80_columns(
    adaptkit: Command, zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(zoo / "language" / "sw", tmp_path / "mine" / "language" / "sw")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    outcome = adaptkit("list", zoo, tmp_path / "mine", "--language", "sw")
    for flagged in (("--zoo", zoo, "--zoo", tmp_path / "mine"), (zoo, "--zoo", tmp_path / "mine")):
        assert adaptkit("list", *flagged, "--language", "sw").out == outcome.out
    lines = re.sub(r"\x1b\[[0-9;]*m", "", outcome.out).splitlines()
    assert [line for line in lines if line.startswith("in ")] == [f"in {zoo}", f"in {tmp_path / 'mine'}"]
    assert sum(line.startswith("language/sw ") for line in lines) == 2
    assert max(len(line) for line in lines if not line.startswith("in ")) <= 80


def test_list_and_index_have_one_rule_for_links(adaptkit: Command, zoo: Path, tmp_path: Path) -> None:
    shutil.copytree(zoo, tmp_path / "zoo")
    (tmp_path / "zoo" / "linked").symlink_to(zoo / "language" / "sw")
    said = "linked: is a symlink to a folder, and a zoo has folders of its own. Copy it there."
    listed = adaptkit("list", tmp_path / "zoo")
    assert (listed.status, "language/sw" in listed.out, said in listed.err) == (0, True, True)
    indexed = adaptkit("index", tmp_path / "zoo")
    assert (indexed.status, said in indexed.err) == (1, True)
    assert not (tmp_path / "zoo" / "index.json").exists()


def test_list_finds_a_language_or_its_nearest_relative(adaptkit: Command, zoo: Path) -> None:
    own = adaptkit("list", zoo, "--language", "Swahili")
    assert own.status == 0
    assert [line.split("\t")[0] for line in own.out.splitlines()] == ["id", "language/sw"]
    none = adaptkit("list", zoo, "--language", "lug")
    assert none.status == 1
    assert "no adapter for Ganda (lg); the nearest relative there is Swahili (--nearest)" in none.err
    near = adaptkit("list", zoo, "--language", "lug", "--nearest")
    assert near.status == 0
    assert "language/sw" in near.out
    assert "Swahili shares with it Atlantic-Congo > Volta-Congo" in near.err
    for language, why in (
        ("quy", "none of the others is Quechuan, as it is"),
        ("jpn", "none of the others is Japonic, as it is"),
        ("Klingon", "it has no known relatives"),
        ("Old Avar", "its relatives are not known, as Glottolog 5.3 does not have it"),
    ):
        alone = adaptkit("list", zoo, "--language", language, "--nearest")
        assert alone.status == 1
        assert f"; {why}." in alone.err
    assert adaptkit("list", zoo, "--nearest").status == 1


def test_an_adapter_for_several_languages_is_one_of_a_relative(
    adaptkit: Command, backbone_folder: Path, tmp_path: Path
) -> None:
    model = library.load_model(backbone_folder)
    card = Card(languages=tuple(LanguageLines(language=tag, n_lines=9) for tag in ("ha", "sw")))
    replace(random_adapter(model, LORA, name="together"), language=None, card=card).save(tmp_path / "together")
    near = adaptkit("list", tmp_path, "--language", "ny", "--nearest")
    assert near.status == 0, near.err
    assert near.out.splitlines()[1].startswith("language/together\tha, sw\t")
    assert "no adapter for Nyanja; Swahili shares with it Atlantic-Congo > Volta-Congo" in near.err
    told = adaptkit("list", tmp_path, "--language", "ny")
    assert told.status == 1
    assert "the nearest relative there is Swahili, in one adapter for Hausa, Swahili (--nearest)" in told.err
    assert "none of the others is Quechuan" in adaptkit("list", tmp_path, "--language", "quy", "--nearest").err


def test_verify_checks_a_whole_folder(adaptkit: Command, zoo: Path, backbone_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(zoo, tmp_path / "zoo")
    outcome = adaptkit("verify", tmp_path / "zoo", "--backbone", backbone_folder)
    assert outcome.status == 0
    assert "3 of 3 adapters are sound, and for tiny-bert" in outcome.out
    weights = tmp_path / "zoo" / "language" / "sw" / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    broken = adaptkit("verify", tmp_path / "zoo", "--backbone", backbone_folder)
    assert broken.status == 1
    assert f"NO  {tmp_path / 'zoo' / 'language' / 'sw'}" in broken.out
    assert "2 of 3 adapters are sound" in broken.out
    assert adaptkit("verify", tmp_path, "--backbone", backbone_folder).status == 1
    (tmp_path / "empty").mkdir()
    assert adaptkit("verify", tmp_path / "empty", "--backbone", backbone_folder).status == 1


def test_a_task_is_trained_from_files_by_language(adaptkit: Command, backbone_folder: Path, tmp_path: Path) -> None:
    for tag in ("en", "sw"):
        lines = ["text\tlabel", *(f"{text} {i}\t{label}" for i in range(15) for text, label in ROWS)]
        (tmp_path / f"{tag}.tsv").write_text("\n".join(lines) + "\n")
    outcome = adaptkit(
        "train",
        "--task",
        "topics",
        "--data",
        f"en={tmp_path / 'en.tsv'}",
        "--data",
        f"sw={tmp_path / 'sw.tsv'}",
        "--backbone",
        backbone_folder,
        "--max-steps",
        2,
        "--output",
        tmp_path / "topics",
    )
    assert outcome.status == 0
    assert "languages: en, sw" in outcome.err
    adapter = library.load_adapter(tmp_path / "topics")
    assert (adapter.kind, adapter.language) == ("task", None)
    mixed = adaptkit("train", "--task", "t", "--data", tmp_path / "en.tsv", "--data", f"sw={tmp_path / 'sw.tsv'}")
    assert mixed.status == 1
    assert "LANG=FILE" in mixed.err


def test_a_task_adapter_is_trained_on_a_folder(
    adaptkit: Command, zoo: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    lines = ["text\tlabel", *(f"{text} {i}\t{label}" for i in range(15) for text, label in ROWS)]
    (tmp_path / "en.tsv").write_text("\n".join(lines) + "\n")
    outcome = adaptkit(
        "train",
        "--task",
        "topics",
        "--data",
        tmp_path / "en.tsv",
        "--lang",
        "en",
        "--on",
        zoo / "language" / "en",
        "--backbone",
        backbone_folder,
        "--max-steps",
        2,
        "--output",
        tmp_path / "topics",
    )
    assert outcome.status == 0
    assert library.load_adapter(tmp_path / "topics").below == ("language/en",)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b"Rain.\n\nGoats.\n", "line 2 of the input: it is empty"),
        (b"a\tb\n", "for single texts"),
        (b'Rain.\n{"a\n', "line 2 of the input: it is broken JSON"),
        (b'{"text": "Rain."}\n', "line 1 of the input is {'text': 'Rain.'}"),
        ("Rain.".encode("utf-16"), "iconv"),
    ],
)
def test_input_that_cannot_be_predicted(
    adaptkit: Command, zoo: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch, given: bytes, message: str
) -> None:
    give(monkeypatch, given)
    outcome = adaptkit("predict", zoo / "task" / "topics", "--backbone", backbone_folder)
    assert outcome.status == 1
    assert message in outcome.err
    assert outcome.out == ""


def test_without_data_the_hub_is_asked(adaptkit: Command, zoo: Path, backbone_folder: Path) -> None:
    outcome = adaptkit(
        *("evaluate", "--task", "sib200", "--adapter", zoo / "task" / "topics", "--zoo", zoo / "language"),
        *("--languages", "sw", "--source-language", "en", "--backbone", backbone_folder),
    )
    assert outcome.status == 1
    assert "no hub answers" in outcome.err


def test_ctrl_c_says_what_is_kept(
    adaptkit: Command, zoo: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("adaptkit.evaluation.evaluate", interrupted)
    outcome = adaptkit(
        *("evaluate", "--task", "sib200", "--adapter", zoo / "task" / "topics"),
        *("--languages", "sw", "--backbone", backbone_folder),
    )
    assert outcome.status == 130
    assert "with --output continues from what it has measured" in outcome.err
    assert "with --resume a training from the checkpoint beside its output, if there is one" in outcome.err


def test_files_of_ones_own_are_evaluated(adaptkit: Command, zoo: Path, backbone_folder: Path, tmp_path: Path) -> None:
    lines = ["text\tlabel", *(f"{text} {i}\t{label}" for i in range(4) for text, label in ROWS)]
    (tmp_path / "sw.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "news.txt").write_text(f"{ROWS[0][0]} 0\n")
    outcome = adaptkit(
        "evaluate",
        "--task",
        "topics",
        "--adapter",
        zoo / "task" / "topics",
        "--zoo",
        zoo,
        "--languages",
        "sw",
        "--data",
        f"swh={tmp_path / 'sw.tsv'}",
        "--backbone",
        backbone_folder,
        "--training-text",
        tmp_path / "news.txt",
        "--no-progress",
        "--source-language",
        "en",
        "--normalize",
        "NFC",
    )
    assert outcome.status == 0
    assert "training text news.txt" in outcome.out
    assert "test texts were read in NFC." in outcome.out
    unknown = adaptkit(
        "evaluate",
        "--task",
        "xnlii",
        "--source-language",
        "en",
        "--adapter",
        zoo / "task" / "topics",
        "--zoo",
        zoo,
        "--languages",
        "sw",
        "--backbone",
        backbone_folder,
        "--data",
        tmp_path,
    )
    assert unknown.status == 1
    assert "Did you mean xnli?" in unknown.err


def test_a_report_in_the_way_is_told_before_anything_is_measured(
    adaptkit: Command, backbone_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "notes.txt").write_text("mine")
    found = adaptkit(
        "evaluate", "--task", "xnli", "--adapter", str(tmp_path / "nowhere"), "--languages", "sw",
        "--backbone", str(backbone_folder), "--output", str(tmp_path / "report"),
    )  # fmt: skip
    assert "holds what is not a report (first: notes.txt)" in found.err
    assert found.status == 1


def test_strengths_are_measured_on_a_file(adaptkit: Command, zoo: Path, backbone_folder: Path, tmp_path: Path) -> None:
    rows = [f"Mbuzi {n} amelala.\tgoats\n" if n % 2 else f"Mvua {n} inanyesha.\train\n" for n in range(12)]
    (tmp_path / "topics-sw.tsv").write_text("".join(["text\tlabel\n", *rows]), encoding="utf-8")
    command = (
        *("strengths", "--task", "topics", "--adapter", zoo / "task" / "topics", "--zoo", zoo, "--language", "Swahili"),
        *("--data", tmp_path / "topics-sw.tsv", "--backbone", backbone_folder),
    )
    outcome = adaptkit(*command, "--strengths", "0.5", "--json")
    assert outcome.status == 0, outcome.err
    facts = json.loads(outcome.out)
    assert [it["strength"] for it in facts["measured"]] == [0, 0.5, 1]
    assert facts["stack"] == facts["taken"]["stack"]
    assert "3 measurements" in outcome.err
    told = adaptkit(*command, "--strengths", "0.5").out
    assert "topics in Swahili (sw), accuracy on 12 labelled examples:" in told
    assert f"take: {facts['stack']}" in told
    wrong = adaptkit(*command, "--strengths", "half")
    assert wrong.status == 1
    assert "numbers with commas between" in wrong.err


def test_examples_to_choose_a_strength_by_are_read_as_those_of_an_evaluation(
    adaptkit: Command, zoo: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    rows = [f"Mbuzi {n} amelala.\t{('rain', 'goats')[n % 2]}\tmilima\n" for n in range(9)]
    rows += ["Mvua inanyesha.\train\tpwani\n"] * 3
    (tmp_path / "sw.tsv").write_text("".join(["text\tlabel\tplace\n", *rows]), encoding="utf-8")
    asked = ("--task", "topics", "--adapter", zoo / "task" / "topics", "--zoo", zoo, "--backbone", backbone_folder)
    read = ("--labels", "rain", "--labels", "goats", "--columns", "group=place", "--group", "milima", "--quoted")
    weighed = adaptkit("strengths", *asked, "--language", "sw", "--data", tmp_path / "sw.tsv", *read, "--json")
    assert weighed.status == 0, weighed.err
    facts = json.loads(weighed.out)
    of_sw = ("--source-language", "en", "--languages", "sw", "--data", f"sw={tmp_path / 'sw.tsv'}")
    evaluated = adaptkit("evaluate", *asked, *of_sw, *read, "--compare", "none,target", "--json")
    assert evaluated.status == 0, evaluated.err
    scores = {cell["condition"]: cell["scores"]["accuracy"] for cell in json.loads(evaluated.out)["cells"]}
    assert facts["n_examples"] == 9
    found = {it["strength"]: it["score"] for it in facts["measured"]}
    assert (found[0], found[1]) == (pytest.approx(scores["none"][0]), pytest.approx(scores["target"][0]))
