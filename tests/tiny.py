"""Tiny random backbones of every architecture row, and a tokenizer trained on adaptkit's own sample."""

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

from adaptkit.backbones import Backbone
from adaptkit.data.sample import sample_sentences
from adaptkit.format import architectures
from adaptkit.format.architectures import architecture_of
from adaptkit.model import AdaptedModel
from tests.copied import copied

VOCABULARY_SIZE = 400
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
_SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY_SIZE,
    "max_position_embeddings": 140,
    "pad_token_id": 1,
}
# What networks of a family have when they are published, and need not have.
_AS_PUBLISHED: dict[str, dict[str, Any]] = {
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "share_att_key": True},
    # Sliding windows that these short texts fill, and blocks without them.
    "gemma3_text": {"sliding_window": 8, "sliding_window_pattern": 2, "query_pre_attn_scalar": 20},
    "phi3": {"sliding_window": 8},
    "smollm3": {"no_rope_layer_interval": 2},
    # One of three layers sees all tokens, the others no further than two; the first has no norm of its own.
    "modernbert": {"local_attention": 4, "bos_token_id": 0, "cls_token_id": 0, "eos_token_id": 2, "sep_token_id": 2},
    "electra": {"embedding_size": 20},
    "albert": {"embedding_size": 20, "hidden_act": "gelu"},
}
WIDENING = {"electra": "embeddings_project", "albert": "embedding_hidden_mapping_in"}
"""What widens narrow embeddings: a linear layer that is no site."""
ARCHITECTURES = tuple(name for name, row in architectures.ARCHITECTURES.items() if row.decoder is None)
ENCODERS = tuple(name for name in ARCHITECTURES if not architecture_of(name).causal)
ENCODER_DECODERS = tuple(name for name, row in architectures.ARCHITECTURES.items() if row.decoder is not None)
_AS_ANOTHER = ("roberta", "camembert", "mistral", "electra")
"""Their blocks are those of xlm-roberta, llama and bert."""
CONFORMING = (*(name for name in ARCHITECTURES if name not in _AS_ANOTHER), "t5", "m2m_100")
"""Those that every method is tried on: one of each kind of block. mt5 and umt5 have those of t5, with gates."""
REPRESENTATIVES = ("xlm-roberta", "deberta-v2", "albert", "phi", "phi3", "gemma3_text", "nomic_bert", "t5")
"""One of each feature that hooks, weights held in few bits and backward can tell: norms behind and before, two inputs
to one query, one block run again, branches side by side, projections in one weight, norms within attention, two sides.
What multiplies with other things (precisions, forms, threads) is tried on them all; on the others once."""
DECODERS = tuple(name for name in ARCHITECTURES if architecture_of(name).causal)
POST_NORM = tuple(name for name in ARCHITECTURES if architecture_of(name).post_norm)


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


@cache
def _unigram_tokenizer() -> str:
    """The same pieces, each with a score: the tokenizer's own learner gives other ones every time."""
    learned = Tokenizer.from_str(_trained_tokenizer())
    pieces = sorted(learned.get_vocab().items(), key=lambda entry: entry[1])
    scored = [(piece, 0.0 if piece in SPECIAL else -2 - number / 100) for piece, number in pieces[:-7]]
    tokenizer = Tokenizer(models.Unigram(scored, SPECIAL.index("<unk>")))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = learned.post_processor
    content: str = tokenizer.to_str()
    return content


@cache
def _byte_tokenizer() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(
        [text for sentence in sample_sentences() for text in sentence.texts.values()], trainer
    )
    content: str = tokenizer.to_str()
    return content


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One whose tokens are bytes of text, as those of decoders are: a letter may be spread over several."""
    return deepcopy(_wrapped(_byte_tokenizer()))


def unigram_tokenizer() -> PreTrainedTokenizerFast:
    """One that takes more pieces."""
    return deepcopy(_wrapped(_unigram_tokenizer()))


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    return deepcopy(_wrapped(_trained_tokenizer()))


@cache  # of which each test gets a copy, as of networks
def _wrapped(content: str) -> PreTrainedTokenizerFast:
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer.from_str(content),
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


def tiny_config(model_type: str, *, n_blocks: int = 2, tied: bool = True) -> PreTrainedConfig:
    """Two heads; where the family lets them, they share one key head, and are wider than hidden_size / n_heads."""
    row = architecture_of(model_type)
    options = {"hidden_size": 32, "num_hidden_layers": n_blocks, "num_attention_heads": 2, row.ffn_width_field: 64}
    if row.blocks_field != "num_hidden_layers":
        # Two layers share each block.
        options |= {row.blocks_field: n_blocks, "num_hidden_layers": 2 * n_blocks}
    if row.decoder is not None:
        # The sides differ where the family lets them.
        options |= {row.decoder.n_blocks_field: n_blocks + 1, "decoder_start_token_id": 1}
        options |= {"d_kv": 20} if row.decoder.ffn_width_field == row.ffn_width_field else {"decoder_ffn_dim": 48}
        options |= {} if "d_kv" in options else {"decoder_attention_heads": 4}
    if row.shared_keys:
        options |= {"num_key_value_heads": 1, "tie_word_embeddings": tied, "bos_token_id": 0, "eos_token_id": 2}
        options |= {"head_dim": 20} if "head_dim" in AutoConfig.for_model(model_type).to_dict() else {}
    return AutoConfig.for_model(model_type, **_SIZES, **options, **_AS_PUBLISHED.get(model_type, {}))


def tiny_network(model_type: str = "bert", *, seed: int = 0, n_blocks: int = 2) -> PreTrainedModel:
    return copied(_network(model_type, seed, n_blocks))


@cache
def _network(model_type: str, seed: int, n_blocks: int) -> PreTrainedModel:
    row, config = architecture_of(model_type), tiny_config(model_type, n_blocks=n_blocks)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network: PreTrainedModel = AutoModel.from_config(config, **row.bare_options)  # type: ignore[no-untyped-call]
        # Freshly made biases and norms are all zeros and ones, where nothing could tell two backbones apart.
        for parameter in network.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
        if not row.post_norm:
            # As in trained decoders, what a block adds is small beside what flows past it.
            network.get_parameter(row.table).data *= 5
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


def states_of(model: AdaptedModel, ids: Tensor, mask: Tensor, **more: Any) -> Tensor:  # noqa: ANN401 - of forward
    """Hidden states that every block has had a part in: of an encoder-decoder, the decoder's behind the same ids."""
    decoded = {} if model.backbone.architecture.decoder is None else {"decoder_ids": ids}
    states: Tensor = model(ids, mask, **decoded, **more)
    return states


def unigram_model(model_type: str = "bert", *, seed: int = 0) -> AdaptedModel:
    """One whose tokenizer takes more pieces, and whose table has rows that no text asks for."""
    return AdaptedModel(replace(tiny_backbone(model_type, seed=seed), tokenizer=unigram_tokenizer()))


def prefixed_model(prefix: str, model_type: str = "bert") -> AdaptedModel:
    """One that reads a prefix before every text."""
    return AdaptedModel(replace(tiny_backbone(model_type), text_prefix=prefix))
