"""Attention that is always given its mask: the same states, and no look at what is padded."""

import pytest
import torch

from adaptkit.backbones.masked_attention import ALWAYS_MASKED
from tests.tiny import ARCHITECTURES, ENCODER_DECODERS, states_of, tiny_model
from tests.unwaited import AskingNothing, Waited


@pytest.mark.parametrize("model_type", [*ARCHITECTURES, *ENCODER_DECODERS])
@pytest.mark.parametrize("n_padded", [0, 3])
def test_states_are_those_of_fused_attention(model_type: str, n_padded: int) -> None:
    model = tiny_model(model_type)
    network = model.backbone.network
    if network.config._attn_implementation != "sdpa":
        pytest.skip(f"{model_type} has no fused attention")
    ids, mask = torch.randint(5, 300, (3, 12)), torch.ones(3, 12, dtype=torch.long)
    if n_padded:
        ids[1, -n_padded:], mask[1, -n_padded:] = 1, 0
    expected = states_of(model, ids, mask)
    network.set_attn_implementation(ALWAYS_MASKED)
    with torch.no_grad(), AskingNothing():
        found = states_of(model, ids, mask)
    real = mask.bool()
    torch.testing.assert_close(found[real], expected[real], rtol=1e-5, atol=1e-5)


def test_fused_attention_itself_looks() -> None:
    model = tiny_model("bert")
    ids = torch.randint(5, 300, (2, 6))
    with torch.no_grad(), pytest.raises(Waited), AskingNothing():
        model(ids, torch.ones_like(ids))
