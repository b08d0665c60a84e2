"""A task type in one file outside the package goes wherever those of the package go."""

import io
import json
import re
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from sklearn.metrics import accuracy_score, f1_score

import adaptkit
from adaptkit.cli import main
from adaptkit.errors import ConfigError, MalformedText
from adaptkit.heads import build_head
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.task_types import TASK_TYPES, HeadConfig
from tests.calls import QUIET, train_adapter
from tests.tiny import tiny_backbone
from tests.unit.heads import examples as made

NAME = "word_labels"
FILE = Path(__file__).parents[3] / "docs" / "examples" / f"{NAME}.py"
WORDS = {"goat": "NOUN", "maize": "NOUN", "eats": "VERB", "sees": "VERB", "brown": "ADJ", "dry": "ADJ"}


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    """The file, imported as a stranger would; what it registers is forgotten afterwards."""
    spec = spec_from_file_location(NAME, FILE)
    assert spec is not None
    assert spec.loader is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TASK_TYPES, "_rows", dict(TASK_TYPES))
        found = module_from_spec(spec)
        patch.setitem(sys.modules, NAME, found)
        spec.loader.exec_module(found)
        yield found


PAGE = FILE.parents[1] / "how-to" / "add-a-task-type.md"


def sentences(n: int = 60) -> list[tuple[str, ...]]:
    nouns, verbs, adjectives = (
        [word for word, tag in WORDS.items() if tag == wanted] for wanted in ("NOUN", "VERB", "ADJ")
    )
    return [
        (adjectives[i % 2], nouns[i // 2 % 2], verbs[i // 4 % 2], adjectives[i // 8 % 2], nouns[i // 16 % 2])
        for i in range(n)
    ]


def conll(path: Path, n: int = 60) -> Path:
    blocks = ["\n".join(f"{word} {WORDS[word]}" for word in words) for words in sentences(n)]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, backbone = tmp_path_factory.mktemp("backbones") / "tiny-bert", tiny_backbone()
    backbone.network.save_pretrained(folder)
    backbone.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(module: ModuleType, backbone_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that was trained on it, and saved."""
    place = tmp_path_factory.mktemp("adapters")
    train_adapter(
        task="speech",
        data=conll(place / "train.txt"),
        task_type=module.WORD_LABELS.name,
        lang="en",
        backbone=str(backbone_folder),
        max_steps=120,
        learning_rate=5e-3,
        output=place / "speech",
        progress=False,
    )
    return place / "speech"


@pytest.fixture
def adapter(folder: Path) -> Adapter:
    return adaptkit.load_adapter(folder)


@pytest.fixture
def model(backbone_folder: Path) -> AdaptedModel:
    return adaptkit.load_model(backbone_folder)


def test_conll_is_read_where_the_type_is_named_and_a_table_by_its_columns(module: ModuleType, tmp_path: Path) -> None:
    data = adaptkit.read_labelled(conll(tmp_path / "a.txt", 4), task_type=NAME)
    assert data.labels == ("ADJ", "NOUN", "VERB")
    assert data.examples[0] == module.LabelledWords(
        words=("brown", "goat", "eats", "brown", "goat"), labels=("ADJ", "NOUN", "VERB", "ADJ", "NOUN")
    )
    table = adaptkit.read_labelled(
        [{"words": "dry maize", "word_labels": "ADJ NOUN"}, {"words": "goat", "word_labels": "-"}]
    )
    assert table.task_type == NAME
    assert table.dropped == {"without a label for each word": 1}
    assert adaptkit.read_labelled(list(data.examples)).task_type == NAME
    with pytest.raises(MalformedText, match="2 words and 1 labels"):
        adaptkit.read_labelled([{"words": "dry maize", "word_labels": "ADJ"}])
    with pytest.raises(ConfigError, match="only the label 'ADJ'"):
        train_adapter(task="t", data=[{"words": "dry", "word_labels": "ADJ"}] * 30, progress=False)


@pytest.mark.usefixtures("module")
def test_labels_of_table_rows_come_out_as_they_are_written() -> None:
    rows = [{"words": ["dry"], "word_labels": ["B-ADJ"]}, {"words": ["goat"], "word_labels": ["O"]}]
    assert adaptkit.read_labelled(rows).labels == ("O", "B-ADJ")


def test_it_learns_comes_back_and_answers(adapter: Adapter, model: AdaptedModel, module: ModuleType) -> None:
    assert adapter.config.head == HeadConfig(task_type=NAME, labels=("ADJ", "NOUN", "VERB"))
    facts = adapter.card.training
    assert facts is not None
    assert facts.heldout_loss_after < 0.5 * facts.heldout_loss_before
    model.attach(adapter)
    given = [list(words) for words in sentences(8)]
    assert model.predict(given, stack="speech") == [tuple(WORDS[word] for word in words) for words in given]
    (cut,) = model.predict([["goat"] * 3000], stack="speech")
    assert len(cut) == 3000
    assert cut[-1] == module.UNREAD
    with pytest.raises(ConfigError, match="an input is a list of words"):
        model.predict(["goat"], stack="speech")


def test_it_shares_a_batch_with_another_task_type(adapter: Adapter, model: AdaptedModel) -> None:
    topics = train_adapter(task="topics", data=made.topics(), backbone=model, max_steps=2, progress=False)
    model.attach(adapter, topics)
    asked = [["dry", "goat"], "The goat eats grass.", ["maize"], "It rains."]
    stacks = ["speech", "topics", "speech", "topics"]
    found = model.predict(asked, stacks=stacks)
    alone = [model.predict([each], stack=stack)[0] for each, stack in zip(asked, stacks, strict=True)]
    assert found[0::2] == alone[0::2]
    assert [each.label for each in found[1::2]] == [each.label for each in alone[1::2]]


def test_the_tensors_it_says_are_those_of_its_module(adapter: Adapter) -> None:
    head = adapter.config.head
    assert head is not None
    found = {name: tuple(parameter.shape) for name, parameter in build_head(head, 8).named_parameters()}
    assert head.tensors(8) == found


def test_it_is_evaluated_under_its_own_scores(adapter: Adapter, model: AdaptedModel, tmp_path: Path) -> None:
    data = adaptkit.read_labelled(conll(tmp_path / "sw.txt", 20), task_type=NAME)
    report = adaptkit.evaluate(
        model,
        task="speech",
        adapter=adapter,
        languages=["sw"],
        data={"sw": data},
        compare="none",
        measuring=QUIET,
    )
    (cell,) = report.results.cells
    assert report.results.metrics == ("accuracy", "macro F1")
    assert cell.scores["accuracy"] == (100.0,)
    unknown = adaptkit.read_labelled([{"words": "up", "word_labels": "ADP"}])
    with pytest.raises(ConfigError, match="has the label 'ADP'"):
        adaptkit.evaluate(
            model,
            task="speech",
            adapter=adapter,
            languages="sw",
            data={"sw": unknown},
            compare="none",
            measuring=QUIET,
        )


def test_its_scores_are_those_of_scikit_learn(module: ModuleType) -> None:
    gold = [("NOUN", "VERB", "ADJ"), ("NOUN", "NOUN")]
    found = [("NOUN", "NOUN", "ADJ"), ("VERB", module.UNREAD)]
    right, ours = ([tag for tags in several for tag in tags] for several in (gold, found))
    labels = ("ADJ", "NOUN", "VERB", "X")
    accuracy, macro = (module.WordScore(name, labels) for name in ("accuracy", "macro F1"))
    assert accuracy.score(accuracy.statistics(found, gold).sum(axis=0)) == 100 * accuracy_score(right, ours)
    expected = f1_score(right, ours, labels=labels[:3], average="macro", zero_division=0)
    assert macro.score(macro.statistics(found, gold).sum(axis=0)) == pytest.approx(100 * expected)


def test_the_card_says_what_it_is(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert (
        "Head: word\\_labels, labels: ADJ, NOUN, VERB" in card or "Head: word_labels, labels: ADJ, NOUN, VERB" in card
    )


def test_the_command_predicts(
    folder: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["adaptkit", "predict", str(folder), "--backbone", str(backbone_folder)])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"dry goat eats maize\n")))
    with pytest.raises(SystemExit):
        main()
    assert json.loads(capsys.readouterr().out) == ["ADJ", "NOUN", "VERB", "NOUN"]


def test_without_the_file_its_adapters_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TASK_TYPES, "_rows", {name: row for name, row in TASK_TYPES.items() if name != NAME})
    with pytest.raises(adaptkit.errors.MalformedConfig, match=r"task type is one of .*found 'word_labels'"):
        adaptkit.load_adapter(folder)


@pytest.mark.embedded
@pytest.mark.usefixtures("module")
def test_the_page_runs() -> None:
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, {})  # noqa: S102 - a page of ours


@pytest.mark.real_data
@pytest.mark.usefixtures("module")
def test_parts_of_speech_of_masakhapos(data_folder: Path, model: AdaptedModel) -> None:
    swahili = data_folder / "masakhapos" / "swa"
    data = adaptkit.read_labelled(swahili / "test.txt.gz", task_type=NAME, limit=60)
    assert "NOUN" in data.labels
    assert "O" not in data.labels
    adapter = train_adapter(
        task="speech", data=data, lang="sw", backbone=model, max_steps=30, learning_rate=5e-3, progress=False
    )
    report = adaptkit.evaluate(
        model,
        task="speech",
        adapter=adapter,
        languages="sw",
        data={"sw": data},
        compare="none",
        measuring=QUIET,
    )
    assert report.results.cells[0].scores["accuracy"][0] > 20
