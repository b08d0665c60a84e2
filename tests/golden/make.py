"""Write the golden adapters of today's format version: `python -m tests.golden.make`.

Run it once, when a version of the format is new. The golden files of an older version are never written again.
"""

import json
from pathlib import Path

import torch
from torch import Tensor

from adaptkit.config import DEFAULT_ANSWER_TOKENS, Kind
from adaptkit.data.survey import SharedLines
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation, TrainingFacts
from adaptkit.format.card_sources import SourceFacts
from adaptkit.methods import (
    BottleneckConfig,
    BottleneckMadxConfig,
    FusionConfig,
    HeadOnlyConfig,
    LoraConfig,
    MethodConfig,
)
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.storage.identity import origin_of
from adaptkit.storage.probes import probes_of
from tests.tiny import tiny_model

VERSION_7 = {"mix": AdapterConfig(method=LoraConfig(rank=2, alpha=4.0, sites=("attention.query",)))}


def _source(name: str, n: int, licence: str) -> SourceFacts:
    return SourceFacts(
        name=name,
        languages="en to sw",
        licence=licence,
        lines=n,
        sha256=f"{n}" * 64,
        weight=0.5 * n,
        share=n / 3,
        median_words=8.5,
        p90_words=12.0,
        full_sentences=0.75,
    )


CARD = Card(
    source="golden",
    n_lines=3,
    licence="CC0-1.0",
    n_tokens=64,
    text_sha256="ab" * 32,
    losses=("1 of 3 (33.3%) examples are cut at 8 tokens",),
    sources=(_source("news", 1, "CC0-1.0"), _source("health", 2, "CC-BY-4.0")),
    shared=(SharedLines(0, 1, 1),),
    evaluations=(
        Evaluation(
            task="topics",
            metric="accuracy",
            n_examples=8,
            score_without=50.0,
            score_with=62.5,
            low=-12.5,
            high=37.5,
            conditions="a test that never was",
        ),
    ),
    adaptkit_version="0.1.0",
    training=TrainingFacts(
        objective="masked",
        steps=10,
        tokens=640,
        elapsed_s=1.5,
        tokens_per_s=426.0,
        peak_memory_bytes=2**28,
        heldout_loss_before=5.5,
        heldout_loss_after=5.25,
        pseudo_perplexity_before=None,
        pseudo_perplexity_after=None,
        stopped_because="all steps done",
        hardware="a tiny machine",
        watts=20.0,
        settings={"rank": 2, "learning_rate": 1e-4, "sample": False, "scaling": "rank_stabilized", "blocks": None},
    ),
)


def facts(adapter: Adapter) -> dict[str, object]:
    """What a reader must find, in numbers."""
    method = adapter.config.method
    return {
        "id": adapter.id,
        "language": adapter.language,
        "method": adapter.config.method_name,
        "sites": list(method.sites),
        "blocks": None if method.blocks is None else list(method.blocks),
        "size": _size(method),
        "scale": method.scale if isinstance(method, LoraConfig) else None,
        "invertible": adapter.config.invertible is not None,
        **_of_version_2(adapter.config),
        "n_parameters": adapter.n_parameters,
        "sums": {name: float(tensor.double().sum()) for name, tensor in adapter.tensors.items()},
        "last": {name: float(tensor.flatten()[-1]) for name, tensor in adapter.tensors.items()},
        "probe_ids": [sum(probe.ids) for probe in adapter.probes],
        "settings": dict(adapter.card.training.settings) if adapter.card.training else None,
        **_of_version_4(adapter.card),
        **({"losses": list(adapter.card.losses)} if adapter.card.losses else {}),
        **(
            {"lines": {entry.language: entry.n_lines for entry in adapter.card.languages}}
            if adapter.card.languages
            else {}
        ),
        **_of_version_7(adapter.card),
    }


def _of_version_7(card: Card) -> dict[str, object]:
    if not card.sources:
        return {}
    sources = [list(vars(source).values()) for source in card.sources]
    return {"sources": sources, "shared": [list(vars(pair).values()) for pair in card.shared]}


def _of_version_4(card: Card) -> dict[str, object]:
    if card.training is None or not card.text_sha256:
        return {}
    intervals = [[it.low, it.high, it.conditions] for it in card.evaluations]
    return {"text": [card.n_tokens, card.text_sha256], "power": card.training.watts, "intervals": intervals}


def _size(method: MethodConfig) -> int:
    if isinstance(method, LoraConfig):
        return method.rank
    if isinstance(method, HeadOnlyConfig):
        return 0
    if isinstance(method, BottleneckConfig):
        return method.reduction_factor
    assert isinstance(method, FusionConfig | BottleneckMadxConfig)
    return method.width


def _of_version_2(config: AdapterConfig) -> dict[str, object]:
    if config.head is not None:
        head = config.head
        described: list[object] = [head.task_type, list(head.labels), head.dropout, head.allows_no_answer, head.pairs]
        described += [] if head.max_answer_tokens == DEFAULT_ANSWER_TOKENS else [head.max_answer_tokens]
        return {"head": described, "hides_top_block": config.hides_top_block}
    return {"fuses": list(config.method.fuses)} if isinstance(config.method, FusionConfig) else {}


def make(name: str, config: AdapterConfig, model: AdaptedModel) -> Adapter:
    kind: Kind = "language" if config.head is None else "task"
    layers = model.attach_layers(f"{kind}/{name}", config)
    with torch.no_grad():
        for number, tensor in enumerate(layers.named_tensors().values()):
            tensor.copy_(_wave(tensor, number))
    inputs = model.backbone.probe_inputs(0 if config.pieces is None else len(config.pieces))
    return Adapter(
        kind=kind,
        name=name,
        language="sw",
        config=config,
        origin=origin_of(model.backbone),
        tensors={name: tensor.detach().clone() for name, tensor in layers.named_tensors().items()},
        probes=probes_of(inputs, model.encode_ids(inputs, stack=f"{kind}/{name}", whole=True)),
        card=CARD,
    )


def _wave(tensor: Tensor, number: int) -> Tensor:
    """Numbers that every machine and every version of torch makes alike: sixty-fourths."""
    return ((torch.arange(tensor.numel()) * 37 + number * 11) % 33 - 16).reshape(tensor.shape) / 64


def main() -> None:
    folder = Path(__file__).parent / "v7"
    model = tiny_model()
    expected = {}
    for name, config in VERSION_7.items():
        adapter = make(name, config, model)
        adapter.save(folder / name, overwrite=True)
        expected[name] = facts(adapter)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
