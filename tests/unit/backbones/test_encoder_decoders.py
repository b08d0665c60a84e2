"""Backbones with two lists of blocks: their sites on both sides, and what each side reads."""

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForSeq2SeqLM

import adaptkit
from adaptkit.backbones import all_blocks_of, blocks_of, embedding_rows, memory_of
from adaptkit.backbones.precision import bfloat16_blocks
from adaptkit.config import SiteName
from adaptkit.data.sample import sample_pairs
from adaptkit.errors import ArchitectureMismatch, ConfigError, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.architectures import architecture_of
from adaptkit.format.shapes import SiteAddress
from adaptkit.holding import Bits
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, load_adapter
from tests.adapters import attach_random, random_adapter
from tests.calls import train_adapter
from tests.saved import saved_backbone
from tests.tiny import ENCODER_DECODERS, states_of, tiny_backbone, tiny_model, tiny_network

TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida."]
LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=8))
EVERYWHERE: tuple[SiteName, ...] = (
    "attention.query",
    "cross_attention.key",
    "cross_attention.output",
    "ffn.input",
    "ffn.output",
)
BOTH_SIDES = AdapterConfig(method=LoraConfig(rank=4, alpha=8, sites=EVERYWHERE))


EVERY = pytest.mark.parametrize("family", ENCODER_DECODERS)


@pytest.fixture(params=["mt5", "m2m_100"])
def family(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def model(family: str) -> AdaptedModel:
    return tiny_model(family)


def batch(model: AdaptedModel) -> tuple[Tensor, Tensor]:
    return model.backbone.pad(model.backbone.tokenize(TEXTS))


def states(model: AdaptedModel, stack: str | None = None) -> Tensor:
    with torch.no_grad(), model.active(stack):
        return states_of(model, *batch(model))


@EVERY
def test_the_decoder_s_blocks_are_numbered_behind_the_encoder_s(model: AdaptedModel) -> None:
    shape = model.backbone.shape
    assert (shape.n_blocks, shape.n_all_blocks) == (2, 5)
    assert len(blocks_of(model.network)) == 2
    assert len(all_blocks_of(model.network)) == 5
    sites = shape.sites()
    assert len({place.module for place in sites.values()}) == len(sites)
    for block in range(5):
        here = {at.site for at in sites if at.block == block}
        assert ("cross_attention.key" in here) == (block >= 2)
        assert sites[SiteAddress(block, "block.output")].in_last_block == (block in (1, 4))
        assert ("ffn.gate" in here) == (shape.model_type in ("mt5", "umt5"))


@EVERY
def test_widths_are_those_that_pass_through_the_modules(model: AdaptedModel) -> None:
    seen: dict[str, tuple[int, int]] = {}
    sites = model.backbone.shape.sites()
    for place in sites.values():
        module = model.network.get_submodule(place.module)
        if isinstance(module, nn.Linear):
            assert (place.in_width, place.out_width) == (module.in_features, module.out_features)

        def note(_: object, args: tuple[Any, ...], output: Tensor, path: str = place.module) -> None:
            seen[path] = (args[0].shape[-1] if args else 32, output.shape[-1])

        module.register_forward_hook(note)
    states(model)
    assert seen.keys() == {place.module for place in sites.values()}
    for at, place in sites.items():
        if at.block >= 0:
            assert seen[place.module] == (place.in_width, place.out_width), at


@EVERY
def test_states_are_those_of_transformers(model: AdaptedModel) -> None:
    ids, mask = batch(model)
    decoder_ids = ids[:, :4].flip(0)
    with torch.no_grad():
        encoded = model.network.get_encoder()(ids, mask).last_hidden_state
        whole = model.network(ids, mask, decoder_input_ids=decoder_ids, use_cache=False).last_hidden_state
        assert torch.equal(model(ids, mask), encoded)
        assert torch.equal(model(ids, mask, decoder_ids=decoder_ids), whole)
        # What pads the decoder's side stands behind, where no token before it sees it.
        padded = torch.cat([decoder_ids, torch.ones_like(decoder_ids)], dim=1)
        torch.testing.assert_close(model(ids, mask, decoder_ids=padded)[:, :4], whole)
    last = blocks_of(model.network)[-1]
    assert model(ids, mask, blocks=(0, 1)).shape[-1] == 64
    assert last is not all_blocks_of(model.network)[-1]


def test_decoder_ids_need_a_decoder() -> None:
    model = tiny_model()
    with pytest.raises(ConfigError, match="one list of blocks"):
        model(*batch(model), decoder_ids=batch(model)[0])


def test_dropout_of_the_blocks_stays_off_where_activations_are_recomputed(model: AdaptedModel) -> None:
    plain = states(model)
    model.gradient_checkpointing(on=True)
    attach_random(model, "language/sw", LORA)
    assert torch.equal(states(model), plain)
    with torch.enable_grad():
        assert torch.equal(states_of(model, *batch(model)), plain)


def test_blocks_compute_in_sixteen_bits_for_a_while(model: AdaptedModel) -> None:
    plain = states(model)
    with bfloat16_blocks(model.network):
        coarse = states(model)
    assert coarse.dtype == torch.bfloat16
    assert float((coarse - plain).norm() / plain.norm()) < 0.05
    assert torch.equal(states(model), plain)


def test_rows_of_the_table_are_not_scaled(family: str) -> None:
    network = tiny_network(family)
    table = network.get_parameter("shared.weight")
    assert torch.equal(embedding_rows(network, torch.tensor([5, 9])), table[[5, 9]])
    assert memory_of(network)["embeddings"] >= 4 * table.numel()
    assert sum(memory_of(network).values()) < 4 * sum(weight.numel() for weight in network.parameters()) + 150_000


def test_peft_gives_the_same_states(model: AdaptedModel, tmp_path: Path) -> None:
    adapter = random_adapter(model, BOTH_SIDES)
    loaded = load_adapter(adapter.save(tmp_path / "sw"))
    assert loaded.config == adapter.config
    network = peft.PeftModel.from_pretrained(tiny_network(model.backbone.shape.model_type), tmp_path / "sw").eval()
    model.attach(loaded)
    ids, mask = batch(model)
    with torch.no_grad():
        theirs = network(input_ids=ids, attention_mask=mask, decoder_input_ids=ids).last_hidden_state
    torch.testing.assert_close(theirs, states(model, "sw"))
    assert not torch.allclose(theirs, states(model), atol=1e-3)


def test_a_lora_of_peft_is_imported(model: AdaptedModel, tmp_path: Path) -> None:
    torch.manual_seed(3)
    config = peft.LoraConfig(init_lora_weights=False, r=4, lora_alpha=8, target_modules="all-linear")
    network: Any = peft.get_peft_model(tiny_network(model.backbone.shape.model_type), config).eval()
    network.save_pretrained(str(tmp_path / "peft"))
    model.attach(adaptkit.import_peft(tmp_path / "peft", lang="sw", backbone=model))
    ids, mask = batch(model)
    with torch.no_grad():
        theirs = network(input_ids=ids, attention_mask=mask, decoder_input_ids=ids).last_hidden_state
    torch.testing.assert_close(theirs, states(model, "sw"), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["t5", "m2m_100"])
@pytest.mark.parametrize(("bits", "embeddings"), [(16, None), (8, "nf4"), (4, None)])
def test_quantised(family: str, bits: Bits, embeddings: str | None, tmp_path: Path) -> None:
    exact = tiny_model(family)
    model = adaptkit.load_model(saved_backbone(tmp_path / "tiny", family), bits=bits, embeddings=embeddings)
    bare = states(model)
    assert float((bare.float() - states(exact)).norm() / states(exact).norm()) < (0.05 if bits == 16 else 0.5)
    config = AdapterConfig(method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig(activation="silu"))
    layers = attach_random(model, "language/sw", config)
    layers.requires_grad_(requires_grad=True)
    with model.active("sw"):
        loss = (states_of(model, *batch(model)).float() * torch.linspace(-1, 1, 32)).sum()
    torch.autograd.backward(loss)
    assert not [name for name, weight in layers.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert torch.equal(states(model), bare)
    # Trained at full precision, verified at this one.
    model.detach("sw")
    model.attach(random_adapter(exact, AdapterConfig(method=LoraConfig(rank=4, alpha=2))))
    assert not torch.equal(states(model, "sw"), bare)


def test_a_probe_sees_the_decoder_s_layers(model: AdaptedModel) -> None:
    adapter = random_adapter(model, BOTH_SIDES)
    changed = {
        name: tensor * (3 if ".4." in name or "decoder." in name else 1) for name, tensor in adapter.tensors.items()
    }
    wrong = Adapter(
        kind="language",
        name="sw",
        language="sw",
        config=adapter.config,
        origin=adapter.origin,
        tensors=changed,
        probes=adapter.probes,
    )
    with pytest.raises(adaptkit.errors.ProbeMismatch):
        model.attach(wrong)
    model.attach(adapter)


def test_a_backbone_is_saved_and_loaded_again(family: str, tmp_path: Path) -> None:
    """A projection of its own comes along, as in mT5."""
    torch.manual_seed(0)
    whole: Any = AutoModelForSeq2SeqLM.from_config(tiny_network(family).config)  # type: ignore[no-untyped-call]
    whole.lm_head = nn.Linear(32, whole.config.vocab_size, bias=False)
    whole.save_pretrained(tmp_path / "one")
    tiny_backbone(family).tokenizer.save_pretrained(tmp_path / "one")
    model = adaptkit.load_model(tmp_path / "one")
    assert model.backbone.output_table is not None
    assert torch.equal(model.backbone.output_rows(), whole.lm_head.weight)
    model.backbone.save(tmp_path / "two")
    again = adaptkit.load_model(tmp_path / "two")
    assert torch.equal(again.backbone.output_rows(torch.tensor([3, 7])), whole.lm_head.weight[[3, 7]])
    assert torch.equal(states(again), states(model))
    assert again.backbone.fingerprint.compare(model.backbone.fingerprint) == "identical"


def test_a_training_of_the_encoder_has_layers_in_the_encoder(model: AdaptedModel) -> None:
    pairs = sample_pairs("sw")[:30]
    quick: dict[str, Any] = {"max_steps": 2, "batch_size": 8, "progress": False, "private": True}
    sw = train_adapter(backbone=model, lang="sw", parallel=pairs, **quick)
    assert sw.config.method.blocks == (0, 1)
    assert not [name for name in sw.tensors if name.startswith("decoder.")]
    model.attach(sw)
    labelled = [{"text": target, "label": "ab"[n % 2]} for n, (_, target) in enumerate(pairs)]
    task = train_adapter(backbone=model, task="side", data=labelled, lang="sw", on=[sw], **quick)
    model.attach(task)
    assert model.predict(["Mbuzi analala."], stack="sw > side")[0].label in "ab"


def test_what_has_no_sense_on_an_encoder_decoder_is_refused(model: AdaptedModel, tmp_path: Path) -> None:
    text = [target for _, target in sample_pairs("sw")[:30]]
    asked: dict[str, Any] = {"backbone": model, "lang": "sw", "progress": False, "text": text}
    with pytest.raises(ConfigError, match="'clm' does not go with an encoder"):
        train_adapter(**asked, objective="clm")
    with pytest.raises(ConfigError, match="blocks 3 are those of the decoder"):
        train_adapter(**asked, blocks=(1, 3))
    with pytest.raises(ArchitectureMismatch, match="has no site in the blocks 0, 1"):
        train_adapter(**asked, sites=("cross_attention.key",))
    with pytest.raises(ArchitectureMismatch, match="blocks end at 4"):
        attach_random(model, "language/x", AdapterConfig(method=LoraConfig(blocks=(5,))))
    with pytest.raises(NotConvertible, match="one list of blocks"):
        adaptkit.export_onnx(model, None, tmp_path / "onnx")


def test_the_row_says_which_side_has_which_site(family: str) -> None:
    row = architecture_of(family)
    (_, of_encoder), (_, of_decoder) = row.sides
    assert {site for site in of_decoder if site not in of_encoder} == {
        f"cross_attention.{part}" for part in ("query", "key", "value", "output")
    }
    assert row.generates
    assert not row.causal
