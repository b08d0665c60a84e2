"""Tiny random backbones of every architecture row, and a tokenizer trained on adaptkit's own sample."""

from dataclasses import replace
from functools import cache
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModel,
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertModel,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from adaptkit.backbones import Backbone
from adaptkit.data.sample import sample_sentences
from adaptkit.model import AdaptedModel

VOCABULARY_SIZE = 400
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
_SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY_SIZE,
    "max_position_embeddings": 140,
    "pad_token_id": 1,
}
_WIDTHS: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
ENCODERS = ("bert", "roberta", "xlm-roberta", "distilbert", "deberta-v2")
DECODERS = ("llama", "qwen2", "qwen3")
ARCHITECTURES = (*ENCODERS, *DECODERS)


@cache
def _trained_tokenizer() -> str:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY_SIZE, special_tokens=SPECIAL, show_progress=False)
    texts = [text for sentence in sample_sentences() for text in sentence.texts.values()]
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    content: str = tokenizer.to_str()
    return content


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer.from_str(_trained_tokenizer()),
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=128,
    )
    return tokenizer


def decoder_config(model_type: str, *, n_blocks: int = 2, tied: bool = True) -> PreTrainedConfig:
    """Two heads that share one key head; where the family lets it, heads wider than hidden_size / n_heads."""
    free_width = {} if model_type == "qwen2" else {"head_dim": 20}
    widths = {**_WIDTHS, "num_hidden_layers": n_blocks, "num_key_value_heads": 1, "tie_word_embeddings": tied}
    return AutoConfig.for_model(model_type, **_SIZES, **widths, **free_width)


def tiny_network(model_type: str = "bert", *, seed: int = 0, n_blocks: int = 2) -> PreTrainedModel:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        widths = {**_WIDTHS, "num_hidden_layers": n_blocks}
        network: PreTrainedModel
        if model_type == "bert":
            network = BertModel(BertConfig(**_SIZES, **widths), add_pooling_layer=False)
        elif model_type == "roberta":
            network = RobertaModel(RobertaConfig(**_SIZES, **widths), add_pooling_layer=False)
        elif model_type == "xlm-roberta":
            network = XLMRobertaModel(XLMRobertaConfig(**_SIZES, **widths), add_pooling_layer=False)
        elif model_type == "distilbert":
            network = DistilBertModel(DistilBertConfig(**_SIZES, dim=32, n_layers=n_blocks, n_heads=2, hidden_dim=64))
        elif model_type in DECODERS:
            network = AutoModel.from_config(decoder_config(model_type, n_blocks=n_blocks))  # type: ignore[no-untyped-call]
        else:
            relative: dict[str, Any] = {
                "relative_attention": True,
                "pos_att_type": ["c2p", "p2c"],
                "share_att_key": True,
            }
            network = DebertaV2Model(DebertaV2Config(**_SIZES, **widths, **relative))
        # Freshly made biases and norms are all zeros and ones, where nothing could tell two backbones apart.
        for parameter in network.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
        if model_type in DECODERS:
            # As in trained decoders, what a block adds is small beside what flows past it.
            network.get_parameter("embed_tokens.weight").data *= 5
    network.train(mode=False)
    network.requires_grad_(requires_grad=False)
    return network


def tiny_backbone(model_type: str = "bert", *, seed: int = 0, n_blocks: int = 2) -> Backbone:
    return Backbone(
        name=f"tiny-{model_type}",
        release="random",
        text_prefix="",
        network=tiny_network(model_type, seed=seed, n_blocks=n_blocks),
        tokenizer=tiny_tokenizer(),
    )


def tiny_model(model_type: str = "bert", *, seed: int = 0, n_blocks: int = 2) -> AdaptedModel:
    return AdaptedModel(tiny_backbone(model_type, seed=seed, n_blocks=n_blocks))


def prefixed_model(prefix: str, model_type: str = "bert") -> AdaptedModel:
    """One that reads a prefix before every text."""
    return AdaptedModel(replace(tiny_backbone(model_type), text_prefix=prefix))
