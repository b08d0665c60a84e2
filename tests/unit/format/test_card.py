"""What a card shows, and that no text in it can break out of its place."""

import json
from dataclasses import replace

import pytest

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation, one_line
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from tests.adapters import random_adapter

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


def front_matter(card: str) -> dict[str, object]:
    lines = card.split("\n---\n")[0].splitlines()[1:]
    return {name: json.loads(value) for name, _, value in (line.partition(": ") for line in lines)}


def test_front_matter_is_what_a_hub_reads(adapter: Adapter) -> None:
    named = replace(adapter, origin=replace(adapter.origin, name="FacebookAI/xlm-roberta-base"))
    assert front_matter(named.render_card()) == {
        "library_name": "adaptkit",
        "base_model": "FacebookAI/xlm-roberta-base",
        "language": ["sw"],
        "license": "cc-by-nc-4.0",
        "tags": ["adaptkit", "adapter", "language", "lora"],
    }
    assert "base_model" not in front_matter(adapter.render_card())


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


def test_one_line() -> None:
    assert one_line("a\tb\r\n c \u2028 d | <b> & \x07") == "a b c d \\| &lt;b&gt; &amp; \ufffd"
