"""Fused attention that is always given its mask.

transformers leaves the mask out where nothing is padded, and to know that it waits for the GPU in every pass.
"""

from typing import Any

from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

ALWAYS_MASKED = "adaptkit_always_masked"
"""Its name among transformers' implementations of attention."""


def _always(*args: Any, **options: Any) -> Tensor | None:  # noqa: ANN401 - as transformers calls it
    mask: Tensor | None = sdpa_mask(
        *args, **{**options, "allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
    )
    return mask


AttentionInterface.register(ALWAYS_MASKED, sdpa_attention_forward)
AttentionMaskInterface.register(ALWAYS_MASKED, _always)
