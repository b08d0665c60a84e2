"""Where checkpoints of masked language models have the way from hidden states to tokens."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MlmHead:
    """Names in a checkpoint: `logits = decoder(norm(activation(dense(state)))) + bias`.

    `decoder` is the table of word embeddings where the checkpoint has no weight of its own under that name. The
    activation function is what the config says in `activation_field`, else `activation`; the norm's epsilon is in
    `epsilon_field`, or 1e-12 where the config has none.
    """

    dense: str
    norm: str
    bias: str
    decoder: str
    activation: str = "gelu"
    activation_field: str = ""
    epsilon_field: str = "layer_norm_eps"

    @property
    def tensors(self) -> tuple[str, ...]:
        """The names of all tensors that it may have."""
        layers = (f"{module}.{part}" for module in (self.dense, self.norm) for part in ("weight", "bias"))
        return (*layers, self.bias, f"{self.decoder}.weight")


BERT = MlmHead(
    dense="cls.predictions.transform.dense",
    norm="cls.predictions.transform.LayerNorm",
    bias="cls.predictions.bias",
    decoder="cls.predictions.decoder",
    activation_field="hidden_act",
)
ROBERTA = MlmHead(dense="lm_head.dense", norm="lm_head.layer_norm", bias="lm_head.bias", decoder="lm_head.decoder")
DISTILBERT = MlmHead(
    dense="vocab_transform",
    norm="vocab_layer_norm",
    bias="vocab_projector.bias",
    decoder="vocab_projector",
    activation_field="activation",
)
DEBERTA_V2 = MlmHead(
    dense="lm_predictions.lm_head.dense",
    norm="lm_predictions.lm_head.LayerNorm",
    bias="lm_predictions.lm_head.bias",
    decoder="lm_predictions.lm_head.decoder",
    activation_field="hidden_act",
)
MODERN_BERT = MlmHead(
    dense="head.dense",
    norm="head.norm",
    bias="decoder.bias",
    decoder="decoder",
    activation_field="classifier_activation",
    epsilon_field="norm_eps",
)
ELECTRA = MlmHead(
    dense="generator_predictions.dense",
    norm="generator_predictions.LayerNorm",
    bias="generator_lm_head.bias",
    decoder="generator_lm_head",
)
ALBERT = MlmHead(
    dense="predictions.dense",
    norm="predictions.LayerNorm",
    bias="predictions.bias",
    decoder="predictions.decoder",
    activation_field="hidden_act",
)
NOMIC_BERT = MlmHead(
    dense="cls.predictions.transform.dense",
    norm="cls.predictions.transform.layer_norm",
    bias="cls.predictions.bias",
    decoder="cls.predictions.decoder",
    activation_field="hidden_act",
)
