"""What a card shows, and that no text in it can break out of its place."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.task_types import TASK_TYPES
from adaptkit.terminal.plain_text import markdown_text, one_line
from tests.adapters import random_adapter

PIPELINE_TAGS = {
    *("text-classification", "token-classification", "question-answering", "sentence-similarity", "translation"),
    *("multiple-choice", "feature-extraction", "text-generation"),
}
"""Of those that the hub knows, some for text."""

SCORE = Evaluation(
    task="topics",
    metric="accuracy",
    n_examples=204,
    score_without=66.7,
    score_with=75.5,
    low=4.1,
    high=13.2,
    conditions="head trained on English",
)


@pytest.fixture
def adapter(model: AdaptedModel) -> Adapter:
    made = random_adapter(model, AdapterConfig(method=LoraConfig(rank=2)))
    return replace(made, card=Card(source="verses", n_lines=3, licence="CC-BY-NC-4.0", evaluations=(SCORE,)))


def front_matter(card: str) -> dict[str, Any]:
    start, content, _ = card.split("---\n", 2)
    assert start == ""
    found: dict[str, Any] = yaml.safe_load(content)
    return found


def test_front_matter_is_what_a_hub_reads(adapter: Adapter) -> None:
    named = replace(adapter, origin=replace(adapter.origin, name="FacebookAI/xlm-roberta-base"))
    result = {
        "task": {"type": "feature-extraction"},
        "dataset": {"name": "topics", "type": "other"},
        "metrics": [
            {
                "type": "accuracy",
                "value": 75.5,
                "name": "accuracy with the adapter; without 66.7, gain +8.8 (+4.1 to +13.2)",
            }
        ],
    }
    assert front_matter(named.render_card()) == {
        "library_name": "adaptkit",
        "base_model": "FacebookAI/xlm-roberta-base",
        "language": ["sw"],
        "license": "cc-by-nc-4.0",
        "metrics": ["accuracy"],
        "pipeline_tag": "feature-extraction",
        "tags": ["adaptkit", "adapter", "language", "lora"],
        "model-index": [{"name": "language/sw", "results": [result]}],
    }
    assert "base_model" not in front_matter(adapter.render_card())


def test_the_hubs_own_reader_takes_the_card(adapter: Adapter) -> None:
    data = ModelCard(adapter.render_card()).data
    assert isinstance(data, ModelCardData)
    assert data.model_name == "language/sw"
    assert [found.metric_value for found in data.eval_results or []] == [75.5]


def test_a_benchmark_and_a_data_set_are_named_as_hubs_name_them(adapter: Adapter) -> None:
    named = replace(SCORE, task="SIB-200, sw")
    card = Card(source="wikimedia/wikipedia:20231101.sw", evaluations=(named, replace(SCORE, metric="points")))
    found = front_matter(replace(adapter, card=card).render_card())
    assert found["datasets"] == ["wikimedia/wikipedia"]
    assert found["metrics"] == ["accuracy"]
    (index,) = found["model-index"]
    tasks = [(each["task"]["type"], each["dataset"]["type"]) for each in index["results"]]
    assert tasks == [("text-classification", "Davlan/sib200"), ("feature-extraction", "other")]
    assert "datasets" not in front_matter(replace(adapter, card=replace(card, private=True)).render_card())


def test_what_an_adapter_does_is_told_as_hubs_name_it() -> None:
    assert {row.hub_task for row in TASK_TYPES.values()} <= PIPELINE_TAGS


@pytest.mark.parametrize(
    ("licence", "found"),
    [
        ("CC0 1.0", {"license": "cc0-1.0"}),
        ("not stated", {"license": "unknown"}),
        ("public domain", {"license": "other", "license_name": "public domain"}),
    ],
)
def test_a_licence_is_named_as_hubs_name_it(adapter: Adapter, licence: str, found: dict[str, str]) -> None:
    card = front_matter(replace(adapter, card=Card(licence=licence)).render_card())
    assert {name: value for name, value in card.items() if name.startswith("license")} == found


def test_scores_stand_beside_without_and_their_interval(adapter: Adapter) -> None:
    card = adapter.render_card()
    assert "| topics | 204 | accuracy | 66.7 | 75.5 | +8.8 (+4.1 to +13.2) |" in card
    assert "- topics: head trained on English" in card
    assert "no interval" in replace(adapter, card=Card(evaluations=(replace(SCORE, low=None),))).render_card()
    assert "there are no scores" in replace(adapter, card=Card()).render_card()


def test_language_family_and_script(adapter: Adapter) -> None:
    assert "- Language: Swahili (Kiswahili), sw; script: Latin; family: Atlantic-Congo > " in adapter.render_card()
    wolaytta = replace(adapter, language="wal-Latn").render_card()
    assert "wal-Latn; script: Latin; family: Ta-Ne-Omotic > Ometo > " in wolaytta
    assert "; family: none known" in replace(adapter, language="tlh").render_card()
    assert "; family: not in Glottolog 5.3" in replace(adapter, language="art").render_card()


HOSTILE = "ok\n---\nlicense: mit\n# <script>alert(1)</script>\x1b[31m | \u202ered\x00"


def test_hostile_text_stays_in_its_line(adapter: Adapter) -> None:
    evil = replace(SCORE, task=HOSTILE, metric=HOSTILE, conditions=HOSTILE)
    card = Card(source=HOSTILE, licence=HOSTILE, evaluations=(evil,))
    origin = replace(adapter.origin, name=HOSTILE, release=HOSTILE)
    text = replace(adapter, card=card, origin=origin).render_card()
    assert front_matter(text)["license"] == "other"
    assert text.count("\n---\n") == 1
    assert not {"\x1b", "\x00", "\u202e"} & set(text)
    assert "<script" not in text.split("\n---\n")[1]


def test_a_text_is_one_line_of_characters() -> None:
    text = "a\tb\r\n c \u2028 d | <b> & \x07"
    assert markdown_text(one_line(text)) == "a b c d \\| &lt;b> &amp; \ufffd"
