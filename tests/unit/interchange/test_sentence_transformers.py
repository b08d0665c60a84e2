"""A stack inside sentence-transformers gives the vectors of `encode`."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers.base.modules import Normalize

import adaptkit
from adaptkit.errors import ConfigError, NotConvertible, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.interchange.stack_module import SentenceTransformer, StackModule
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from tests.adapters import attach_random, random_adapter
from tests.pieces import OWN_PIECES, invented_sentences
from tests.tiny import prefixed_model, tiny_model, unigram_model

TEXTS = ["The goat sleeps in the house.", "Rain", "", "Habari ya asubuhi, rafiki yangu", "Akuya tana barci. " * 40]
METHODS = {
    "lora": AdapterConfig(method=LoraConfig(rank=4)),
    "bottleneck and invertible": AdapterConfig(
        method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig()
    ),
}


def close(found: object, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(torch.as_tensor(found), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("model_type", ["bert", "deberta-v2", "llama"])
def test_vectors_are_those_of_encode(model_type: str, config: AdapterConfig) -> None:
    model = tiny_model(model_type)
    attach_random(model, "language/sw", config).eval()
    encoder = adaptkit.as_sentence_transformer(model, "sw")
    wanted = model.encode(TEXTS, stack="sw")
    assert not torch.allclose(wanted, model.encode(TEXTS))
    for batch_size in (1, 2, 32):
        close(encoder.encode(TEXTS, batch_size=batch_size), wanted)
    close(encoder.encode(TEXTS[0]), wanted[0])
    close(encoder.encode_query(TEXTS), wanted)
    close(encoder.similarity(encoder.encode(TEXTS), encoder.encode(TEXTS)).diagonal(), torch.ones(len(TEXTS)))
    assert encoder.get_embedding_dimension() == wanted.shape[1]


def test_the_prefix_is_put_before_every_text_and_a_prompt_in_its_place() -> None:
    model, bare = prefixed_model("query: "), tiny_model()
    encoder = adaptkit.as_sentence_transformer(model)
    close(encoder.encode(TEXTS), model.encode(TEXTS))
    assert not torch.allclose(model.encode(TEXTS), bare.encode(TEXTS))
    close(encoder.encode(TEXTS, prompt="passage: "), bare.encode([f"passage: {text}" for text in TEXTS]))
    close(encoder.encode(TEXTS, prompt=""), model.encode(TEXTS))


def test_length_is_bounded(model: AdaptedModel) -> None:
    encoder = adaptkit.as_sentence_transformer(model, max_length=8)
    close(encoder.encode(TEXTS), model.encode(TEXTS, max_length=8))
    encoder.max_seq_length = 5
    close(encoder.encode(TEXTS), model.encode(TEXTS, max_length=5))
    assert adaptkit.as_sentence_transformer(model).max_seq_length == model.backbone.max_length
    with pytest.raises(ConfigError, match="max_length must be between"):
        adaptkit.as_sentence_transformer(model, max_length=model.backbone.max_length + 1)


def test_other_modules_may_follow_and_hidden_states_are_there(model: AdaptedModel) -> None:
    encoder = SentenceTransformer(modules=[StackModule(model), Normalize()], device="cpu")
    close(encoder.encode(TEXTS), torch.nn.functional.normalize(model.encode(TEXTS), dim=-1))
    (tokens,) = encoder.encode(["The goat"], output_value="token_embeddings")
    close(tokens.mean(dim=0), model.encode(["The goat"])[0])


def test_a_swap_acts_from_the_next_call_on(model: AdaptedModel) -> None:
    model.attach(random_adapter(model, METHODS["lora"], seed=1))
    encoder = adaptkit.as_sentence_transformer(model, "sw")
    before = encoder.encode(TEXTS)
    model.swap(random_adapter(model, METHODS["lora"], seed=2))
    close(encoder.encode(TEXTS), model.encode(TEXTS, stack="sw"))
    assert not torch.allclose(torch.as_tensor(before), model.encode(TEXTS, stack="sw"))


def test_what_cannot_be_is_refused(model: AdaptedModel, tmp_path: Path) -> None:
    with pytest.raises(UnknownAdapter):
        adaptkit.as_sentence_transformer(model, "sw")
    encoder: Any = adaptkit.as_sentence_transformer(model)
    with pytest.raises(NotConvertible, match="was not saved"):
        encoder.save(str(tmp_path / "saved"))
    with pytest.raises(ConfigError, match="reads texts"):
        encoder[0].preprocess([("a", "pair")])
    with pytest.raises(ConfigError, match="without options"):
        encoder.encode(TEXTS, processing_kwargs={"text": {"max_length": 3}})


def test_without_the_package_the_error_says_what_to_install(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent: Any = None
    monkeypatch.setitem(sys.modules, "sentence_transformers", absent)
    monkeypatch.delitem(sys.modules, "adaptkit.interchange.stack_module", raising=False)
    with pytest.raises(ConfigError, match=r"adaptkit-nlp\[sentence-transformers\]"):
        adaptkit.as_sentence_transformer(model)


def test_texts_are_read_by_the_pieces_that_an_adapter_brings() -> None:
    model = unigram_model()
    model.attach(random_adapter(model, OWN_PIECES, name="dz"))
    texts = [*invented_sentences(3), "The goat sleeps."]
    encoder = SentenceTransformer(modules=[StackModule(model, "dz")])
    close(encoder.encode(texts), model.encode(texts, stack="dz"))
    prefixed = model.encode([f"the {text}" for text in texts], stack="dz")
    close(encoder.encode(texts, prompt="the "), prefixed)
