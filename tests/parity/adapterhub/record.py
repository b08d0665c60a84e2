"""Records what AdapterHub's `adapters` computes on a tiny BERT into `recorded.json`.

adapters 1.3.0 needs transformers 4.57, so it runs in an environment of its own, where adaptkit is not installed.
From the root of the repository, with any folder for ENV:

    python -m venv ENV
    ENV/bin/pip install torch==2.13.0
    ENV/bin/pip install adapters==1.3.0
    ENV/bin/python -m tests.parity.adapterhub.record

`tests/parity/test_adapterhub.py` compares adaptkit with the recorded numbers. All weights come from `formula.py`; a
change there needs a new recording.
"""

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import BertConfig, BertModel

from tests.parity.adapterhub.formula import (
    ALPHA,
    BERT,
    INPUTS,
    RANK,
    REDUCTION_FACTOR,
    adapter_values,
    fill_backbone,
)

RECORDED = Path(__file__).with_name("recorded.json")
_ADAPTKIT_NAMES = {
    ".lora_A": ".lora_A.weight",
    ".lora_B": ".lora_B.weight",
    ".adapter_down.0.": ".LayerNorm.down.",
    ".adapter_up.": ".LayerNorm.up.",
}


def main() -> None:
    import adapters  # type: ignore[import-not-found]
    from adapters.composition import Average, Stack  # type: ignore[import-not-found]

    network: Any = BertModel(BertConfig(**BERT), add_pooling_layer=False)
    fill_backbone(network)
    adapters.init(network)
    attention = adapters.LoRAConfig(r=RANK, alpha=ALPHA, attn_matrices=["q", "k", "v"])
    everywhere = attention.replace(intermediate_lora=True, output_lora=True)
    # The placement of adaptkit's bottleneck: after the layer norm, which is not applied again.
    bottleneck = adapters.BnConfig(
        mh_adapter=True,
        output_adapter=True,
        reduction_factor=REDUCTION_FACTOR,
        non_linearity="relu",
        original_ln_before=True,
        original_ln_after=False,
        residual_before_ln=False,
        adapter_residual_before_ln=False,
    )
    configs = {
        "lora_a": attention,
        "lora_b": attention,
        "lora_wide_a": everywhere,
        "lora_wide_b": everywhere,
        "bottleneck_a": bottleneck,
        "bottleneck_b": bottleneck,
    }
    for name, config in configs.items():
        network.add_adapter(name, config=config)
        _fill_adapter(network, name)
    network.add_adapter("lora_fresh", config=attention)
    network.eval()

    setups: dict[str, Any] = {
        "bare": None,
        **{name: name for name in configs if name != "lora_wide_b"},
        "stack(lora_a, lora_b)": Stack("lora_a", "lora_b"),
        "stack(lora_a, lora_fresh)": Stack("lora_a", "lora_fresh"),
        "stack(bottleneck_a, bottleneck_b)": Stack("bottleneck_a", "bottleneck_b"),
        "average(lora_a)": Average("lora_a", weights=[1.0]),
        "average(lora_a, lora_b)": Average("lora_a", "lora_b", weights=[0.5, 0.5]),
    }
    versions = {
        "adapters": adapters.__version__,
        "transformers": transformers.__version__,
        "torch": torch.__version__.partition("+")[0],
    }
    errors = {"stack(lora_wide_a, lora_wide_b)": _error(network, Stack("lora_wide_a", "lora_wide_b"))}
    # One line an output.
    outputs = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(_outputs(network, setup))}" for name, setup in setups.items()
    )
    RECORDED.write_text(
        f'{{"versions": {json.dumps(versions)},\n"errors": {json.dumps(errors)},\n"outputs": {{\n{outputs}\n}}}}\n',
        encoding="utf-8",
    )


@torch.no_grad()
def _fill_adapter(network: nn.Module, adapter: str) -> None:
    for name, parameter in network.named_parameters():
        for kind in (f".loras.{adapter}", f".adapters.{adapter}"):
            if kind in name:
                ours = name.replace(kind, "")
                for theirs, replacement in _ADAPTKIT_NAMES.items():
                    ours = ours.replace(theirs, replacement)
                parameter.copy_(adapter_values(adapter, ours, parameter.shape))


def _outputs(network: Any, setup: object) -> list[list[list[float]]]:  # noqa: ANN401 - patched by adapters
    """Hidden states of the real tokens of each input, to 7 significant digits."""
    network.set_active_adapters(setup)
    longest = max(map(len, INPUTS))
    ids = torch.tensor([[*row, *[BERT["pad_token_id"]] * (longest - len(row))] for row in INPUTS])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in INPUTS])
    with torch.no_grad():
        states = network(input_ids=ids, attention_mask=mask).last_hidden_state
    return [
        [[float(f"{number:.7g}") for number in token] for token in sentence[: len(row)].tolist()]
        for sentence, row in zip(states, INPUTS, strict=True)
    ]


def _error(network: Any, setup: object) -> str:  # noqa: ANN401 - patched by adapters
    try:
        _outputs(network, setup)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("adapters computes this setup now: record its outputs")


if __name__ == "__main__":
    main()
