"""Held-out bits a byte of a causal language model, whoever trained it. Imports nothing of ours."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def bits_per_byte(logits_of: Callable[[Tensor], Tensor], tokenizer: Any, lines: Sequence[str]) -> float:  # noqa: ANN401
    """Bits that the tokens of these lines cost, the first of each line apart, over the bytes that those tokens are.

    Shape: logits_of takes ids (1, seq), and gives (1, seq, vocabulary).
    """
    n_bits = n_bytes = 0.0
    with torch.inference_mode():
        for line in lines:
            ids = torch.tensor([tokenizer(line)["input_ids"]])
            logits = logits_of(ids)[0, :-1].float().cpu()
            n_bits += float(F.cross_entropy(logits, ids[0, 1:], reduction="sum")) / math.log(2)
            n_bytes += len(line.encode()) - len(tokenizer.decode(ids[0, :1]).encode())
    return n_bits / n_bytes
