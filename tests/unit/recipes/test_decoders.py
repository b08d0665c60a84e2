"""Language and task adapters on a decoder."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

import adaptkit
from adaptkit.backbones.backbone import Backbone
from adaptkit.config import LINEAR_SITES
from adaptkit.data.sample import sample_pairs
from adaptkit.errors import ArchitectureMismatch, ConfigError, CorruptBackbone
from adaptkit.heads.batch import Batch
from adaptkit.model import AdaptedModel
from adaptkit.training.objectives import CausalObjective
from tests.calls import train_adapter
from tests.saved import saved_backbone
from tests.tiny import DECODERS, tiny_config, tiny_model, tiny_tokenizer
from tests.tolerance import rounded

PAIRS = sample_pairs("sw")[:120]
TEXT = [text for _, text in PAIRS]
QUICK: dict[str, Any] = {"lang": "sw", "max_steps": 12, "batch_size": 8, "progress": False, "learning_rate": 2e-3}


def untied(folder: Path, model_type: str = "llama", *, seed: int = 0) -> Path:
    """A decoder with an output projection of its own, as causal-LM checkpoints have it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = AutoModelForCausalLM.from_config(tiny_config(model_type, tied=False))  # type: ignore[no-untyped-call]
        for parameter in network.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
    network.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("model_type", DECODERS)
def test_text_trains_a_decoder_by_clm(model_type: str, tmp_path: Path) -> None:
    model = tiny_model(model_type)
    adapter = train_adapter(**QUICK, text=TEXT, backbone=model, output=tmp_path / "sw")
    facts = adapter.card.training
    assert facts is not None
    assert facts.objective == "clm"
    assert facts.heldout_loss_after < facts.heldout_loss_before
    assert facts.pseudo_perplexity_after == pytest.approx(math.exp(facts.heldout_loss_after))
    model.attach(adaptkit.load_adapter(tmp_path / "sw"))
    assert set(adapter.config.method.sites) == set(LINEAR_SITES) & set(model.backbone.architecture.sites)


@pytest.mark.parametrize("method", ["lora", "bottleneck"])
@pytest.mark.parametrize("bits", [32, 8, 4])
def test_every_method_trains_at_every_precision(method: Any, bits: Any, tmp_path: Path) -> None:  # noqa: ANN401
    folder = saved_backbone(tmp_path / "tiny", "qwen2")
    invertible = method == "bottleneck"
    adapter = train_adapter(**QUICK, text=TEXT, method=method, invertible=invertible, backbone=str(folder), bits=bits)
    assert adapter.card.training is not None
    assert adapter.card.training.heldout_loss_after < adapter.card.training.heldout_loss_before


@pytest.mark.parametrize("embeddings", ["resident", "paged"])
@pytest.mark.parametrize("model_type", DECODERS)
def test_the_loss_is_that_of_transformers(model_type: str, embeddings: str, tmp_path: Path) -> None:
    """With the full vocabulary, an untrained adapter has the held-out loss of the plain causal language model."""
    folder = untied(tmp_path / "llm", model_type)
    model = adaptkit.load_model(folder, embeddings=embeddings)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXT[:4]))
    objective = CausalObjective(
        output_rows=model.backbone.output_rows(),
        output_offsets=model.backbone.output_offsets(),
        n_ids=model.backbone.shape.vocabulary_size,
        n_opening=1,
    )
    batch = objective.prepare(Batch(ids=ids, mask=mask))
    whole = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        ours = objective(model(ids, mask), batch)
        theirs = whole(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100)).loss
    assert float(ours) == rounded(float(theirs))


@pytest.mark.parametrize("bits", [32, 4])
def test_an_output_projection_of_its_own_is_read_row_by_row(bits: Any, tmp_path: Path) -> None:  # noqa: ANN401
    model = adaptkit.load_model(untied(tmp_path / "llm"), bits=bits)
    ids = torch.tensor([3, 4, 90, 399])
    every = model.backbone.output_rows()
    assert torch.equal(model.backbone.output_rows(ids), every[ids])
    assert not torch.equal(every, adaptkit.backbones.embedding_rows(model.network))
    adapter = train_adapter(**QUICK, text=TEXT, backbone=model)
    assert adapter.card.training is not None
    assert adapter.card.training.heldout_loss_after < adapter.card.training.heldout_loss_before


def test_a_missing_output_projection_is_told_and_distillation_works(tmp_path: Path) -> None:
    model = AdaptedModel(bare_untied(tmp_path))
    with pytest.raises(CorruptBackbone, match="lm_head"):
        train_adapter(**QUICK, text=TEXT, backbone=model)
    assert model.attached == ()
    facts = train_adapter(**QUICK, parallel=PAIRS, backbone=model).card.training
    assert facts is not None
    assert facts.objective == "distill"


def bare_untied(tmp_path: Path) -> Backbone:
    network = AutoModelForCausalLM.from_config(tiny_config("llama", tied=False)).get_decoder()  # type: ignore[no-untyped-call]
    network.save_pretrained(tmp_path / "bare")
    tiny_tokenizer().save_pretrained(tmp_path / "bare")
    return adaptkit.backbones.load_backbone(tmp_path / "bare")


@pytest.mark.parametrize(("model_type", "objective"), [("bert", "clm"), ("llama", "mlm")])
def test_an_objective_of_the_other_family_is_refused(model_type: str, objective: Any) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match="does not go with"):
        train_adapter(**QUICK, text=TEXT, objective=objective, backbone=tiny_model(model_type))


def test_a_site_of_the_other_family_is_refused() -> None:
    with pytest.raises(ArchitectureMismatch, match=r"ffn\.gate"):
        train_adapter(**QUICK, text=TEXT, sites=("ffn.gate",), backbone=tiny_model("bert"))
    with pytest.raises(ArchitectureMismatch, match=r"attention\.residual"):
        train_adapter(
            **QUICK, text=TEXT, method="bottleneck", sites=("attention.residual",), backbone=tiny_model("llama")
        )


def test_a_task_is_trained_and_stacked() -> None:
    model = tiny_model("llama")
    lower = train_adapter(**QUICK, text=TEXT, backbone=model)
    examples = [{"text": text, "label": "long" if len(text) > 40 else "short"} for text in TEXT]
    few: dict[str, Any] = {"max_steps": 4, "batch_size": 8, "progress": False}
    upper = train_adapter(task="length", data=examples, on=[lower], **few, backbone=model)
    model.attach(lower, upper)
    answers = model.predict(TEXT[:3], stack="language/sw > task/length")
    assert {answer.label for answer in answers} <= {"long", "short"}


@pytest.mark.parametrize("model_type", ["llama", "phi"])
def test_a_merged_decoder_keeps_its_output_projection(model_type: str, tmp_path: Path) -> None:
    model = adaptkit.load_model(untied(tmp_path / "llm", model_type))
    adapter = train_adapter(**QUICK, text=TEXT, backbone=model)
    model.attach(adapter)
    merged = adaptkit.merge(model, "sw")
    merged.save(tmp_path / "merged")
    whole = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert torch.equal(whole.lm_head.weight, model.backbone.output_rows())
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXT[:3]))
    with torch.no_grad(), model.active("sw"):
        offsets = model.backbone.output_offsets()
        expected = model(ids, mask) @ model.backbone.output_rows().T + (0 if offsets is None else offsets)
        found = whole(input_ids=ids, attention_mask=mask).logits
    real = mask.bool()
    torch.testing.assert_close(found[real], expected[real], rtol=1e-4, atol=1e-5)
    assert torch.equal(adaptkit.load_model(tmp_path / "merged").encode(TEXT[:3]), merged.model.encode(TEXT[:3]))


@pytest.mark.parametrize("model_type", ["llama", "gemma3_text", "phi", "phi3", "smollm3"])
def test_no_token_sees_a_later_one_and_padding_does_not_matter(model_type: str) -> None:
    model = tiny_model(model_type)
    rows = model.backbone.tokenize(TEXT[:6])
    together, alone = model.encode_ids(rows), torch.cat([model.encode_ids([row]) for row in rows])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    ids, mask = model.backbone.pad([rows[0]])
    changed = ids.clone()
    changed[0, -1] = 77
    with torch.no_grad():
        assert torch.equal(model(ids, mask)[0, :-1], model(changed, mask)[0, :-1])


def test_a_tokenizer_without_special_tokens() -> None:
    """As most decoders have it: no opening, no closing and no padding token."""
    model = tiny_model("llama")
    tokenizer = model.backbone.tokenizer
    tokenizer.backend_tokenizer.post_processor = None
    tokenizer.pad_token = None
    assert model.backbone.prefix_length == 0
    assert model.backbone.tokenize([""]) == [[tokenizer.eos_token_id]]
    assert all(len(row) in (9, 17, 30) for row in model.backbone.probe_inputs())
    adapter = train_adapter(**QUICK, text=TEXT, backbone=model)
    model.attach(adapter)
    assert torch.isfinite(model.encode(["", "Habari"], stack="sw")).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [({"use_bidirectional_attention": True}, "sees the later ones"), ({"final_logit_softcapping": 30.0}, "bounds its")],
)
def test_what_is_no_plain_decoder_is_not_trained_by_clm(options: dict[str, Any], said: str) -> None:
    model = tiny_model("gemma3_text")
    for name, value in options.items():
        setattr(model.network.config, name, value)
    with pytest.raises(ConfigError, match=said):
        train_adapter(**QUICK, text=TEXT, backbone=model)


def test_an_input_is_scaled_and_the_output_projection_is_not(tmp_path: Path) -> None:
    """Gemma multiplies what enters the first block by the root of the width, and predicts by the table as it is."""
    folder = saved_backbone(tmp_path / "tiny", "gemma3_text")
    for options in ({}, {"embeddings": "paged"}, {"bits": 16}, {"bits": 8}, {"bits": 4, "embeddings": "nf4"}):
        model = adaptkit.load_model(folder, **options)
        ids = torch.tensor([3, 7, 200])
        entering, rows = model.network.get_submodule("embed_tokens")(ids), model.backbone.output_rows(ids)
        torch.testing.assert_close(entering, rows * rows.new_tensor(32**0.5))


def test_a_window_hides_what_lies_before_it() -> None:
    """The first block looks 8 tokens back, the second at all."""
    model = tiny_model("gemma3_text")
    assert model.network.config.layer_types == ["sliding_attention", "full_attention"]
    ids, mask = model.backbone.pad([list(range(20, 50))])
    changed = ids.clone()
    changed[0, 0] = 77
    with torch.no_grad():
        states, others = (model(each, mask, blocks=[0, 1])[0].chunk(2, dim=-1) for each in (ids, changed))
    assert not torch.equal(states[0][:8], others[0][:8])
    assert torch.equal(states[0][8:], others[0][8:])
    assert not torch.equal(states[1][8:], others[1][8:])


@pytest.mark.parametrize(("size", "asked", "full"), [(100_000, None, True), (100_001, None, False), (9, False, False)])
def test_all_tokens_are_compared_where_they_are_few(size: int, asked: bool | None, full: bool) -> None:
    assert adaptkit.Clm(full_vocabulary=asked).decided(size) is full


def test_the_plan_says_which_tokens_the_loss_compares(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    size = model.backbone.shape.vocabulary_size
    short: dict[str, Any] = {**QUICK, "max_steps": 1, "text": TEXT, "backbone": model}
    adapter = train_adapter(**short)
    assert adapter.card.training is not None
    assert adapter.card.training.settings["full_vocabulary"] is True
    monkeypatch.setattr("adaptkit.objectives.clm.FULL_UP_TO", size - 1)
    fewer = adaptkit.estimate_adapter(lang="sw", text=TEXT, backbone=model, run=adaptkit.Run(max_steps=1))
    assert f"the backbone has {size:,}, and with full_vocabulary=True the loss compares all" in str(fewer)
    assert train_adapter(**short).card.training.settings["full_vocabulary"] is False  # type: ignore[union-attr]


def test_a_backbone_with_some_of_its_tokens_compares_those_of_the_text(tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "tiny", "llama")
    part = adaptkit.load_model(folder, vocabulary=adaptkit.vocabulary_of(TEXT, backbone=folder))
    adapter = train_adapter(**{**QUICK, "max_steps": 1}, text=TEXT, backbone=part)
    assert adapter.card.training is not None
    assert adapter.card.training.settings["full_vocabulary"] is False
