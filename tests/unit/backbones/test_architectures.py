from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import AutoModel, BertConfig, GPT2Config

from adaptkit.backbones import blocks_of, embedding_rows, memory_of, shape_of
from adaptkit.errors import ConfigError, UnsupportedArchitecture
from adaptkit.format.architectures import ARCHITECTURES as TABLE
from adaptkit.format.architectures import Architecture, architecture_of
from tests.tiny import ARCHITECTURES, VOCABULARY_SIZE, tiny_backbone, tiny_config, tiny_network

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "add-an-architecture.md"


EVERYWHERE = {"attention.output", "ffn.activation", "ffn.output", "block.output", "embeddings"}
APART = {"attention.query", "attention.key", "attention.value"}


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_every_row_has_every_kind_of_site(model_type: str) -> None:
    row, sites = architecture_of(model_type), tiny_backbone(model_type).shape.sites()
    there = {address.site for address in sites}
    assert there >= EVERYWHERE
    assert ("attention.qkv" in there) != (there >= APART)
    assert ("ffn.gate_input" in there) != ("ffn.input" in there)
    assert row.post_norm <= ("attention.residual" in there)
    # In decoders, the table is all that there is before the blocks.
    assert ("embeddings.words" in there) == (not row.causal)
    assert ("network.output" in there) == (not row.causal and model_type != "albert")
    outside = {site for site in there if site.startswith(("embeddings", "network"))}
    assert len(sites) == 2 * (len(there) - len(outside)) + len(outside)
    # What the network gives is what the last block gives, where no norm follows it.
    modules = {place.module for address, place in sites.items() if address.site != "network.output" or row.last_norm}
    assert len(modules) == len(sites) - ("network.output" in there and not row.last_norm)


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_widths_computed_from_the_config_are_those_of_the_modules(model_type: str) -> None:
    network = tiny_network(model_type)
    for address, place in shape_of(network.config).sites().items():
        module = network.get_submodule(place.module)
        if isinstance(module, nn.Linear):
            assert (place.in_width, place.out_width) == (module.in_features, module.out_features), address
        elif isinstance(module, nn.LayerNorm):
            assert module.normalized_shape == (place.in_width,) == (place.out_width,), address
        elif address.site == "embeddings.words":
            assert isinstance(module, nn.Embedding)
            assert (place.in_width, place.out_width) == (module.num_embeddings, module.embedding_dim), address
        else:
            assert address.site in ("embeddings", "ffn.activation", "attention.residual", "block.output")


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_widths_are_those_that_pass_through_the_modules(model_type: str) -> None:
    backbone = tiny_backbone(model_type)
    seen: dict[str, int] = {}
    for place in backbone.shape.sites().values():
        module = backbone.network.get_submodule(place.module)
        module.register_forward_hook(lambda *args, path=place.module: seen.update({path: args[2].shape[-1]}))
    ids, mask = backbone.pad(backbone.tokenize(["Habari ya asubuhi"]))
    with torch.no_grad():
        backbone.network(input_ids=ids, attention_mask=mask)
    assert seen == {place.module: place.out_width for place in backbone.shape.sites().values()}


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_the_last_site_of_the_last_block_is_the_output(model_type: str) -> None:
    backbone = tiny_backbone(model_type)
    paths = {(a.block, a.site): place.module for a, place in backbone.shape.sites().items()}
    outputs = []
    last = backbone.network.get_submodule(paths[1, "block.output"])
    last.register_forward_hook(lambda *args: outputs.append(args[2]))
    ids, mask = backbone.pad(backbone.tokenize(["Habari ya asubuhi"]))
    with torch.no_grad():
        found = backbone.network(input_ids=ids, attention_mask=mask).last_hidden_state
        # Where norms stand before the sublayers, there is one more at the end.
        ends = ("norm", "final_norm", "final_layernorm", "encoder.LayerNorm")
        norms = [module for path, module in backbone.network.named_modules() if path in ends]
        assert bool(norms) != architecture_of(model_type).post_norm
        assert torch.equal(found, norms[0](outputs[-1]) if norms else outputs[-1])


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_blocks_and_word_embeddings_are_found(model_type: str) -> None:
    network = tiny_network(model_type, n_blocks=3)
    assert len(blocks_of(network)) == shape_of(network.config).n_blocks == 3
    table = network.state_dict()[f"{architecture_of(model_type).word_embeddings}.weight"]
    assert table.shape == (VOCABULARY_SIZE, shape_of(network.config).word_width)
    assert embedding_rows(network).data_ptr() == table.data_ptr()
    assert torch.equal(embedding_rows(network, torch.tensor([5, 2])), table[[5, 2]])


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_a_pooler_is_made_only_where_the_row_says_so_and_nobody_forbids_it(model_type: str) -> None:
    unasked = AutoModel.from_config(tiny_config(model_type))  # type: ignore[no-untyped-call]
    assert (getattr(unasked, "pooler", None) is not None) == architecture_of(model_type).pooler
    assert not [name for name in tiny_network(model_type).state_dict() if "pooler" in name]


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_as_many_tokens_are_read_as_there_are_positions(model_type: str) -> None:
    backbone, row = tiny_backbone(model_type), architecture_of(model_type)
    ids, mask = backbone.pad([[5] * backbone.max_length])
    with torch.no_grad():
        assert backbone.network(ids, mask).last_hidden_state.shape == (1, backbone.max_length, 32)
        if row.counts_from_padding:
            with pytest.raises((IndexError, RuntimeError)):
                backbone.network(*backbone.pad([[5] * (backbone.max_length + 1)]))
        else:
            assert backbone.max_length == backbone.shape.n_positions


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_the_memory_of_attention_is_that_of_its_linear_layers_and_norms(model_type: str) -> None:
    backbone = tiny_backbone(model_type)
    linears = {*APART, "attention.qkv", "attention.output"}
    widths = [(p.in_width, p.out_width) for a, p in backbone.shape.sites().items() if a.site in linears]
    of_linears = sum(4 * n_in * n_out for n_in, n_out in widths)
    # Biases, a norm after them, or norms of queries and keys.
    assert of_linears <= memory_of(backbone.network)["attention"] <= of_linears + 2 * 4 * 8 * 32
    assert sum(memory_of(backbone.network).values()) >= sum(4 * w.numel() for w in backbone.network.parameters())


def test_the_page_on_architectures_explains_every_field_of_a_row() -> None:
    explained = PAGE.read_text()
    assert not [field.name for field in fields(Architecture) if f"`{field.name}`" not in explained]


def test_a_family_of_a_known_layout_is_one_row() -> None:
    assert replace(architecture_of("llama"), name="mine").sites == architecture_of("llama").sites
    with pytest.raises(ConfigError, match="architecture 'bert' is there already"):
        TABLE.register(replace(architecture_of("bert")))


def test_the_shape_of_a_config() -> None:
    config = BertConfig(hidden_size=24, num_hidden_layers=5, num_attention_heads=3, intermediate_size=40, vocab_size=9)
    shape = shape_of(config)
    assert (shape.hidden_width, shape.n_blocks, shape.n_heads) == (24, 5, 3)
    assert (shape.ffn_width, shape.vocabulary_size, shape.n_positions) == (40, 9, 512)


def test_a_model_type_without_a_row_is_refused() -> None:
    with pytest.raises(UnsupportedArchitecture) as caught:
        shape_of(GPT2Config())
    assert caught.value.asked == "gpt2"
    assert caught.value.supported == tuple(TABLE)
    with pytest.raises(UnsupportedArchitecture):
        architecture_of("bert2")
