import copy

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel, PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.backbones.fingerprint import fingerprint_of, tokenizer_hash
from adaptkit.errors import ConfigError
from adaptkit.format.fingerprint import Fingerprint, Verdict
from tests.tiny import ARCHITECTURES, tiny_network, tiny_tokenizer

MATRICES = (
    "embeddings.word_embeddings.weight",
    "embeddings.position_embeddings.weight",
    "encoder.layer.0.attention.self.query.weight",
    "encoder.layer.1.output.dense.weight",
    "encoder.layer.1.output.dense.bias",
    "encoder.layer.1.output.LayerNorm.weight",
)
SAME_WEIGHTS: Verdict = "same weights at another precision"


def at(dtype: torch.dtype, network: PreTrainedModel) -> Fingerprint:
    return fingerprint_of(nn.Module.to(copy.deepcopy(network), dtype))


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_the_same_weights_are_identical(model_type: str) -> None:
    ours, theirs = (fingerprint_of(tiny_network(model_type)) for _ in range(2))
    assert ours == theirs
    assert ours.compare(theirs) == "identical"
    assert ours.id == theirs.id


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_every_tensor_is_sampled(model_type: str) -> None:
    network = tiny_network(model_type)
    assert fingerprint_of(network).samples.keys() == {name for name, _ in network.named_parameters()}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("seed", range(5))
def test_rounded_weights_are_recognised(dtype: torch.dtype, seed: int) -> None:
    network = tiny_network(seed=seed)
    ours, theirs = fingerprint_of(network), at(dtype, network)
    assert ours.compare(theirs) == theirs.compare(ours) == SAME_WEIGHTS
    assert ours.differing(theirs) == []


@pytest.mark.parametrize("seed", range(5))
def test_two_roundings_of_one_network_are_recognised(seed: int) -> None:
    network = tiny_network(seed=seed)
    assert at(torch.float16, network).compare(at(torch.bfloat16, network)) == SAME_WEIGHTS


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_other_weights_are_different_at_any_precision(dtype: torch.dtype) -> None:
    ours, theirs = fingerprint_of(tiny_network()), at(dtype, tiny_network(seed=1))
    assert ours.compare(theirs) == "different"
    assert set(ours.differing(theirs)) == ours.samples.keys()


@pytest.mark.parametrize("name", MATRICES)
def test_one_changed_tensor_is_noticed_and_named(name: str) -> None:
    network = tiny_network()
    before = fingerprint_of(network)
    network.get_parameter(name).data *= 1.001
    after = fingerprint_of(network)
    assert before.compare(after) == "different"
    assert before.differing(after) == [name]


def test_a_merged_lora_is_noticed() -> None:
    network = tiny_network()
    before = fingerprint_of(network)
    weight = network.get_parameter("encoder.layer.1.attention.self.value.weight")
    weight.data += 1e-3 * torch.randn(32, 2) @ torch.randn(2, 32)
    assert before.compare(fingerprint_of(network)) == "different"


def test_another_number_of_blocks_is_different() -> None:
    assert fingerprint_of(tiny_network()).compare(fingerprint_of(tiny_network(n_blocks=1))) == "different"


def test_a_pooler_does_not_count() -> None:
    network = tiny_network()
    assert isinstance(network.config, BertConfig)
    pooled = BertModel(network.config)
    pooled.load_state_dict(network.state_dict(), strict=False)
    assert fingerprint_of(pooled).compare(fingerprint_of(network)) == "identical"


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ConfigError, match="float8"):
        Fingerprint(precision="float8", samples={}).compare(Fingerprint(precision="float8", samples={}))


def test_the_tokenizer_hash_is_of_its_content() -> None:
    ours, theirs = tiny_tokenizer(), tiny_tokenizer()
    ours(["Habari", "Habari ya asubuhi"], padding=True, truncation=True, max_length=3)
    assert tokenizer_hash(ours) == tokenizer_hash(theirs)
    ours.add_tokens(["asubuhi"])
    assert tokenizer_hash(ours) != tokenizer_hash(theirs)


def test_a_slow_tokenizer_is_refused() -> None:
    with pytest.raises(ConfigError, match="slow tokenizer"):
        tokenizer_hash(PreTrainedTokenizerBase())  # type: ignore[no-untyped-call]
