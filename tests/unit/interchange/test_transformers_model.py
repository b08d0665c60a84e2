"""A stack as a transformers model: a real Trainer predicts and evaluates with it as the model itself does."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel, Trainer, TrainingArguments
from transformers.modeling_outputs import (
    BaseModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)

import adaptkit
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, NotConvertible, UnknownAdapter, UnknownLabel
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.interchange.transformers_model import StackedModel
from adaptkit.methods import BottleneckConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig, TaggedSentence
from tests.adapters import attach_random, random_adapter
from tests.tiny import prefixed_model, tiny_model
from tests.unit.heads.examples import choices, questions, similar
from tests.unit.interchange.test_pipelines import LABELS, PAIRS, TAGS, TEXTS, WORDS

HEADS = {
    "topics": HeadConfig(task_type="classification", labels=LABELS),
    "nli": HeadConfig(task_type="classification", labels=LABELS, pairs=True),
    "ner": HeadConfig(task_type="tagging", labels=TAGS),
    "qa": HeadConfig(task_type="qa"),
    "choice": HeadConfig(task_type="choice"),
    "sts": HeadConfig(task_type="similarity"),
    "sets": HeadConfig(task_type="multilabel", labels=LABELS),
    "score": HeadConfig(task_type="regression"),
}


@pytest.fixture(scope="module")
def model() -> AdaptedModel:
    made = prefixed_model("query: ")
    attach_random(made, "language/sw", AdapterConfig(method=LoraConfig(rank=4))).eval()
    for seed, (name, head) in enumerate(HEADS.items()):
        attach_random(
            made, f"task/{name}", AdapterConfig(method=BottleneckConfig(reduction_factor=4), head=head), seed=seed
        ).eval()
    return made


def trainer(network: StackedModel, folder: Path, **given: Any) -> Trainer:  # noqa: ANN401
    asked = TrainingArguments(
        output_dir=str(folder), per_device_eval_batch_size=2, report_to="none", use_cpu=True, disable_tqdm=True
    )
    return Trainer(model=network, args=asked, data_collator=network.collate, **given)


def in_use(model: AdaptedModel, stack: str) -> Any:  # noqa: ANN401 - its outputs have many classes
    return adaptkit.as_transformers(model, stack).train(mode=False)


def read(rows: list[Any]) -> TaskData:
    return adaptkit.read_labelled(rows)


TOPICS = [{"text": text, "label": label} for text, label in zip(TEXTS, [*LABELS, LABELS[0]], strict=True)]


def test_a_trainer_predicts_what_the_model_predicts(model: AdaptedModel, tmp_path: Path) -> None:
    network: Any = adaptkit.as_transformers(model, "sw > topics")
    assert PreTrainedModel in type(network).__mro__
    assert network.config.id2label == dict(enumerate(LABELS))
    found = trainer(network, tmp_path).predict(network.rows(TEXTS))
    shares = torch.softmax(torch.tensor(found.predictions), dim=-1)
    for row, wanted in zip(shares.tolist(), model.predict(TEXTS, stack="sw > topics"), strict=True):
        assert row == pytest.approx([wanted.probabilities[label] for label in LABELS], abs=1e-5)


def test_a_trainer_evaluates_with_our_scores_and_the_loss_of_training(model: AdaptedModel, tmp_path: Path) -> None:
    network: Any = adaptkit.as_transformers(model, "sw > topics")
    scored = trainer(network, tmp_path, compute_metrics=adaptkit.evaluation_module("accuracy"))
    found = scored.evaluate(network.rows(read(TOPICS)))
    predicted = model.predict(TEXTS, stack="sw > topics")
    golds = [str(row["label"]) for row in TOPICS]
    right = [answer.label == gold for answer, gold in zip(predicted, golds, strict=True)]
    assert found["eval_accuracy"] == pytest.approx(sum(right) / len(right))
    losses = [-torch.tensor(it.probabilities[gold]).log() for it, gold in zip(predicted, golds, strict=True)]
    assert found["eval_loss"] == pytest.approx(float(torch.stack(losses).mean()), abs=1e-4)


def test_tags_are_those_of_the_words_and_scored_as_entities(model: AdaptedModel, tmp_path: Path) -> None:
    network: Any = adaptkit.as_transformers(model, "sw > ner")
    answers = model.predict(WORDS, stack="sw > ner")
    data = TaskData(
        task_type="tagging",
        examples=[
            TaggedSentence(words=tuple(words), tags=tuple(found.tags))
            for words, found in zip(WORDS, answers, strict=True)
        ],
        labels=TAGS,
        description="what it answers itself",
    )
    names = list(network.config.id2label.values())
    scored = trainer(network, tmp_path, compute_metrics=adaptkit.evaluation_module("entities", labels=names))
    assert scored.evaluate(network.rows(data))["eval_overall_accuracy"] == 1.0


CASES: dict[str, tuple[list[Any], type]] = {
    "nli": (PAIRS, SequenceClassifierOutput),
    "sets": (TEXTS, SequenceClassifierOutput),
    "score": (TEXTS, SequenceClassifierOutput),
    "ner": (WORDS, TokenClassifierOutput),
    "qa": ([("Who sleeps?", "The goat sleeps in the house.")], QuestionAnsweringModelOutput),
    "choice": (
        [("The goat sleeps.", ("It is tired.", "It rains.")), ("Rain", ("It is dry.", "wet"))],
        MultipleChoiceModelOutput,
    ),
    "sts": ([("The goat", "A goat"), ("Rain", "The house")], SequenceClassifierOutput),
}


@pytest.mark.parametrize("name", CASES)
def test_each_head_has_the_output_of_transformers(name: str, model: AdaptedModel) -> None:
    inputs, kind = CASES[name]
    network = in_use(model, f"sw > {name}")
    with torch.no_grad():
        found: Any = network(**network.collate(network.rows(inputs)))
    answers = model.predict(inputs, stack=f"sw > {name}")
    assert type(found).__name__ == kind.__name__
    if name == "sts":
        assert found.logits[:, 0].tolist() == pytest.approx(answers, abs=1e-5)
    elif name == "score":
        assert found.logits[:, 0].clamp(0, 1).tolist() == pytest.approx(answers, abs=1e-5)
    elif name == "choice":
        assert found.logits.argmax(dim=-1).tolist() == [answer.choice for answer in answers]
    elif name == "qa":
        best = (found.start_logits[0].unsqueeze(1) + found.end_logits[0]).max()
        assert float(best) >= answers[0].n_best[0].score - 1e-5
    elif name == "nli":
        assert found.logits.argmax(dim=-1).tolist() == [LABELS.index(answer.label) for answer in answers]
    elif name == "sets":
        assert torch.sigmoid(found.logits[0]).tolist() == pytest.approx(
            [answers[0].probabilities[label] for label in LABELS], abs=1e-5
        )


@pytest.mark.parametrize(("name", "data"), [("choice", choices(4)), ("sts", similar(4)), ("qa", questions(4))])
def test_labels_of_every_form_give_a_loss(name: str, data: TaskData, model: AdaptedModel) -> None:
    network = in_use(model, name)
    with torch.no_grad():
        found = network(**network.collate(network.rows(data)))
    assert torch.isfinite(found.loss)
    assert found.loss.shape == ()


def test_without_a_head_it_gives_hidden_states(model: AdaptedModel) -> None:
    network = in_use(model, "sw")
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with torch.no_grad():
        found: Any = network(input_ids=ids, attention_mask=mask)
        (as_tuple,) = network(input_ids=ids, attention_mask=mask, return_dict=False)
    assert type(found).__name__ == BaseModelOutput.__name__
    assert torch.equal(found.last_hidden_state, as_tuple)
    torch.testing.assert_close(found.last_hidden_state, model(ids, mask, stacks=["sw"] * len(ids)))
    with pytest.raises(ConfigError, match="labels are for a head"):
        network(input_ids=ids, labels=torch.zeros(len(ids)))
    with pytest.raises(ConfigError, match="ends in no adapter with a head"):
        network.rows(TEXTS)


def test_a_trainer_cannot_train_it_and_the_model_stays_as_it_is(model: AdaptedModel, tmp_path: Path) -> None:
    network = adaptkit.as_transformers(model, "sw > topics")
    before = [layer.training for layer in model.adapters.modules()]
    with pytest.raises(NotConvertible, match=r"Train with adaptkit\.train_adapter"):
        trainer(network, tmp_path, train_dataset=network.rows(read(TOPICS))).train()
    assert [layer.training for layer in model.adapters.modules()] == before


def test_saving_writes_nothing_and_says_what_to_do(model: AdaptedModel, tmp_path: Path) -> None:
    network = adaptkit.as_transformers(model, "sw > topics")
    with pytest.raises(NotConvertible, match=r"adapter\.save\(folder\)"):
        network.save_pretrained(tmp_path / "saved")
    with pytest.raises(NotConvertible, match=r"adapter\.save\(folder\)"):
        trainer(network, tmp_path).save_model(str(tmp_path / "saved"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(NotConvertible, match="push_adapter"):
        network.push_to_hub("somebody/sw")
    with pytest.raises(NotConvertible, match=r"adaptkit\.as_transformers"):
        StackedModel.from_pretrained("somebody/sw")


def test_it_stays_where_the_model_is(model: AdaptedModel) -> None:
    network = adaptkit.as_transformers(model, "sw > topics")
    assert network.to("cpu") is network
    assert network.to(torch.float32) is network
    for elsewhere in ("meta", torch.float16):
        with pytest.raises(NotConvertible, match="is shared, and is not moved from here"):
            network.to(elsewhere)
    assert network.device == model.device


@pytest.mark.parametrize("change", ["half", "bfloat16", "double", "requires_grad_"])
def test_what_would_change_the_shared_model_is_refused(change: str, model: AdaptedModel) -> None:
    def kept() -> list[Any]:
        return [(weight.dtype, weight.device, weight.requires_grad) for weight in model.parameters()]

    network: Any = adaptkit.as_transformers(model, "sw > topics")
    before = kept()
    with pytest.raises(NotConvertible, match="shared"):
        getattr(network, change)()
    assert network.float() is network.cpu() is network
    assert kept() == before


@pytest.mark.parametrize("model_type", ["llama", "t5"])
def test_an_adapter_that_translates_is_refused(model_type: str) -> None:
    made = tiny_model(model_type, n_blocks=1)
    head = HeadConfig(task_type="translation", source_language="en", target_languages=("sw",))
    attach_random(made, "task/en-sw", AdapterConfig(method=LoraConfig(rank=2), head=head))
    with pytest.raises(NotConvertible, match=r"model\.translate"):
        adaptkit.as_transformers(made, "en-sw")


def test_what_cannot_be_is_refused(model: AdaptedModel) -> None:
    with pytest.raises(UnknownAdapter):
        adaptkit.as_transformers(model, "ha > topics")
    network = adaptkit.as_transformers(model, "sw > topics")
    with pytest.raises(ConfigError, match="the head is for classification, and the data for tagging"):
        network.rows(adaptkit.read_labelled([{"tokens": ["Rain"], "tags": ["O"]}] * 2, task_type="tagging"))
    with pytest.raises(UnknownLabel):
        network.rows(read([{"text": "Rain", "label": "sports"}, {"text": "Sun", "label": "health"}]))
    choices = adaptkit.as_transformers(model, "choice")
    with pytest.raises(ConfigError, match="a batch holds examples of 2 and 3 rows"):
        choices.collate(choices.rows([("Rain", ("wet", "dry")), ("Sun", ("wet", "dry", "hot"))]))


def test_a_head_that_is_swapped_for_another_is_noticed() -> None:
    made = prefixed_model("")
    config = AdapterConfig(method=LoraConfig(rank=2), head=HEADS["topics"])
    made.attach(random_adapter(made, config, kind="task", name="topics"))
    network = in_use(made, "topics")
    rows = network.collate(network.rows(["Rain"]))
    other = AdapterConfig(method=LoraConfig(rank=2), head=HeadConfig(task_type="classification", labels=("a", "b")))
    made.swap(random_adapter(made, other, kind="task", name="topics"))
    with pytest.raises(ConfigError, match="was swapped for another one"), torch.no_grad():
        network(**rows)
