"""Write the golden adapters of today's format version: `python -m tests.golden.make`.

Run it once, when a version of the format is new. The golden files of an older version are never written again.
"""

import json
from pathlib import Path

import torch
from torch import Tensor

from adaptkit.config import AdapterConfig, BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, Card, TrainingFacts
from adaptkit.storage.adapter import Origin
from adaptkit.storage.format import FORMAT_VERSION
from adaptkit.storage.probes import record
from tests.tiny import tiny_model

CONFIGS = {
    "lora": AdapterConfig(
        method=LoraConfig(
            rank=2, alpha=4.0, scaling="rank_stabilized", sites=("attention.query", "ffn.output"), blocks=(1,)
        )
    ),
    "bottleneck": AdapterConfig(
        method=BottleneckConfig(reduction_factor=16, activation="gelu"), invertible=InvertibleConfig(reduction_factor=8)
    ),
}
CARD = Card(
    source="golden",
    n_lines=3,
    licence="CC0-1.0",
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
        "size": method.rank if isinstance(method, LoraConfig) else method.reduction_factor,
        "scale": method.scale if isinstance(method, LoraConfig) else None,
        "invertible": adapter.config.invertible is not None,
        "n_parameters": adapter.n_parameters,
        "sums": {name: float(tensor.double().sum()) for name, tensor in adapter.tensors.items()},
        "last": {name: float(tensor.flatten()[-1]) for name, tensor in adapter.tensors.items()},
        "probe_ids": [sum(probe.ids) for probe in adapter.probes],
        "settings": dict(adapter.card.training.settings) if adapter.card.training else None,
    }


def make(name: str, model: AdaptedModel) -> Adapter:
    layers = model.attach_layers(f"language/{name}", CONFIGS[name])
    with torch.no_grad():
        for number, tensor in enumerate(layers.named_tensors().values()):
            tensor.copy_(_wave(tensor, number))
    inputs = model.probe_inputs()
    return Adapter(
        kind="language",
        name=name,
        language="sw",
        config=CONFIGS[name],
        origin=Origin.of(model.backbone),
        tensors={name: tensor.detach().clone() for name, tensor in layers.named_tensors().items()},
        probes=record(inputs, model.encode_ids(inputs, stack=f"language/{name}")),
        card=CARD,
    )


def _wave(tensor: Tensor, number: int) -> Tensor:
    """Numbers that every machine and every version of torch makes alike: sixty-fourths."""
    return ((torch.arange(tensor.numel()) * 37 + number * 11) % 33 - 16).reshape(tensor.shape) / 64


def main() -> None:
    folder = Path(__file__).parent / f"v{FORMAT_VERSION}"
    expected = {}
    for name in CONFIGS:
        adapter = make(name, tiny_model())
        adapter.save(folder / name, overwrite=True)
        expected[name] = facts(adapter)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
