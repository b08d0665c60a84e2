"""Tiny backbones of five families by formula, and ids for the embedded one: the same in every environment.

Imports nothing that adaptkit or adapters bring, as it runs beside transformers 4.57 (in `record_folders.py`) and beside
adaptkit (in the test).
"""

from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel

from tests.parity.adapterhub.formula import BERT, values

_DISTILBERT: dict[str, Any] = {
    "vocab_size": 400,
    "dim": 32,
    "n_layers": 2,
    "n_heads": 2,
    "hidden_dim": 64,
    "max_position_embeddings": 40,
    "pad_token_id": 1,
}
_RELATIVE: dict[str, Any] = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "share_att_key": True}
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": BERT,
    "roberta": BERT,
    "xlm-roberta": BERT,
    "distilbert": _DISTILBERT,
    "deberta-v2": {**BERT, **_RELATIVE},
}
EMBEDDED_INPUTS = [[0, *[5 + 7919 * n * n % 250_000 for n in range(1, length)], 2] for length in (7, 12)]
"""Token ids that look random, between the special tokens of the embedded backbone."""


def configured(family: str) -> Any:  # noqa: ANN401 - transformers is typed otherwise in every version
    return AutoConfig.for_model(family, **FAMILIES[family])


def network_of(family: str) -> Any:  # noqa: ANN401
    bare = {"add_pooling_layer": False} if family in ("bert", "roberta", "xlm-roberta") else {}
    made: Any = AutoModel  # transformers types it in one of the two versions only
    network = made.from_config(configured(family), attn_implementation="eager", **bare)
    fill(network)
    return network.eval()


@torch.no_grad()
def fill(network: nn.Module) -> None:
    for name, parameter in network.named_parameters():
        around = 1.0 if name.lower().replace("_", "").endswith("layernorm.weight") else 0.0
        parameter.copy_(around + values(name, parameter.shape, size=0.2))
