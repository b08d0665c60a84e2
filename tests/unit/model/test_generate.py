"""Generated text is what the plain network gives step by step, whatever is attached and whatever else is written."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from adaptkit import Average, Sampling, Stack
from adaptkit.attaching import AdapterLayers
from adaptkit.backbones import Backbone
from adaptkit.errors import ConfigError, OutOfMemory, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, DoraConfig, FusionConfig, Ia3Config, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel, Generated, StackLike
from adaptkit.model.generation.token_choice import TokenChoice
from tests.adapters import attach_random, random_adapter
from tests.tiny import DECODERS, VOCABULARY_SIZE, byte_tokenizer, tiny_backbone, tiny_model
from tests.tolerance import ROUNDINGS

PROMPTS = ["Habari ya", "The goat sleeps in the house", "A", "Watoto wanakwenda", "", "Maji"]
LORA = AdapterConfig(method=LoraConfig(rank=4))
ATTACHED = {
    "language/sw": LORA,
    "language/ha": AdapterConfig(method=BottleneckConfig(reduction_factor=8)),
    "language/yo": AdapterConfig(method=LoraConfig(rank=2), invertible=InvertibleConfig()),
    "language/ig": AdapterConfig(method=DoraConfig(rank=2)),
    "domain/news": AdapterConfig(method=Ia3Config()),
    "domain/mix": AdapterConfig(method=FusionConfig(fuses=("language/sw", "language/ha"))),
}
STACKS: list[StackLike] = [
    None,
    "sw",
    "ha > news",
    "yo",
    "ig",
    Stack(Average({"language/sw": 0.3, "language/ha": 0.7}), "domain/news"),
]
SAMPLED = Sampling(temperature=1.0, top_k=60, top_p=0.95, repetition_penalty=1.2, seed=3)


def with_adapters(model: AdaptedModel) -> AdaptedModel:
    for seed, (name, config) in enumerate(ATTACHED.items()):
        attach_random(model, name, config, seed=seed)
    for parameter in model.adapters.parameters():
        # Random weights at full strength make attention jump at every rounding.
        parameter.data *= 0.5
    return model.eval()


@pytest.fixture(params=[name for name in DECODERS if name not in ("mistral", "qwen2")])  # whose blocks are llama's
def every(request: pytest.FixtureRequest) -> AdaptedModel:
    return with_adapters(tiny_model(request.param))


@pytest.fixture
def decoder() -> AdaptedModel:
    return with_adapters(byte_model())


def byte_model() -> AdaptedModel:
    return AdaptedModel(replace(tiny_backbone("llama"), tokenizer=byte_tokenizer()))


def plain_logits(model: AdaptedModel, ids: Sequence[int], stack: StackLike) -> torch.Tensor:
    """Of the next token, by a pass over all tokens; the output projection is the table of word embeddings."""
    with torch.no_grad(), model.active(stack):
        states = model(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long))[:, -1]
        if stack == "yo":
            invertible = cast(AdapterLayers, model.adapters["language/yo"]).invertible
            assert invertible is not None
            states = invertible.inverse(states)
        logits: torch.Tensor = states @ model.network.get_parameter("embed_tokens.weight").T
    return logits[0]


def step_by_step(model: AdaptedModel, prompt: str, stack: StackLike, n_tokens: int) -> tuple[list[int], list[float]]:
    """Greedy tokens and their log probabilities, without a cache."""
    ids = model.backbone.tokenize_openings([prompt])[0]
    chosen: list[int] = []
    told: list[float] = []
    while len(chosen) < n_tokens and chosen[-1:] != [model.backbone.special_id("eos")]:
        logits = torch.log_softmax(plain_logits(model, [*ids, *chosen], stack), dim=-1)
        chosen.append(int(logits.argmax()))
        told.append(float(logits.max()))
    return chosen, told


def ids_of(generated: Sequence[Generated]) -> list[tuple[int, ...]]:
    return [each.ids for each in generated]


@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_equals_the_plain_forward_without_a_cache(every: AdaptedModel, stack: StackLike) -> None:
    found = every.generate(PROMPTS[:2], stack=stack, max_new_tokens=6, log_probabilities=True)
    for prompt, generated in zip(PROMPTS, found, strict=False):
        ids, told = step_by_step(every, prompt, stack, 6)
        assert list(generated.ids) == ids
        # Logits are sums of 32 terms about as large as these, through two blocks, and one more sum makes them one.
        assert generated.log_probabilities == pytest.approx(
            told, abs=4 * ROUNDINGS * torch.finfo(torch.float32).eps * 20
        )


def test_a_fusion_of_adapters_writes_too(every: AdaptedModel) -> None:
    assert list(every.generate(["A"], stack="mix", max_new_tokens=6)[0].ids) == step_by_step(every, "A", "mix", 6)[0]


def own_head(network: PreTrainedModel) -> PreTrainedModel:
    """The network, not copied, in transformers' own class that generates."""
    with torch.device("meta"):
        whole: Any = AutoModelForCausalLM.from_config(network.config)  # type: ignore[no-untyped-call]
    whole.model = network
    whole.lm_head.weight = network.get_input_embeddings().weight
    if whole.lm_head.bias is not None:
        # A tiny backbone brings none.
        whole.lm_head.bias = torch.nn.Parameter(torch.zeros(network.config.vocab_size))
    return whole.eval()  # type: ignore[no-any-return]


@pytest.mark.parametrize("stack", STACKS[:3], ids=str)
def test_equals_what_transformers_generates(every: AdaptedModel, stack: StackLike) -> None:
    ids = every.backbone.tokenize_openings(PROMPTS[:1])
    with torch.no_grad(), every.active(stack):
        theirs: Any = own_head(every.network).generate(  # type: ignore[operator]
            torch.tensor(ids), do_sample=False, max_new_tokens=12, pad_token_id=1, repetition_penalty=1.3
        )
    ours = every.generate(PROMPTS[:1], stack=stack, max_new_tokens=12, sampling=Sampling(repetition_penalty=1.3))
    assert list(ours[0].ids) == theirs[0, len(ids[0]) :].tolist()


@pytest.mark.parametrize("sampling", [Sampling(), SAMPLED], ids=["greedy", "sampled"])
def test_rows_under_stacks_of_their_own_are_what_each_is_alone(every: AdaptedModel, sampling: Sampling) -> None:
    together = every.generate(PROMPTS, stacks=STACKS, max_new_tokens=6, sampling=sampling, batch_size=4)
    alone = [
        every.generate([prompt], stack=stack, max_new_tokens=6, sampling=sampling)[0]
        for prompt, stack in zip(PROMPTS, STACKS, strict=True)
    ]
    assert together == alone


def test_rows_that_end_leave_the_others_as_they_are(every: AdaptedModel) -> None:
    stacks = [STACKS[number] for number in (1, 3, 1, 2, 3, 5)]
    whole = every.generate(PROMPTS, stacks=stacks, max_new_tokens=16, sampling=SAMPLED)
    # A string that some texts have and others have not, at different places.
    letters = {letter for one in whole for letter in one.text}
    stop = next(letter for letter in sorted(letters) if 1 < sum(letter in one.text for one in whole) < len(whole))
    stopped = every.generate(PROMPTS, stacks=stacks, max_new_tokens=16, sampling=replace(SAMPLED, stop=stop))
    assert {one.stopped for one in stopped} >= {"stop", "length"}
    assert [one.text for one in stopped] == [one.text.partition(stop)[0] for one in whole]


def test_the_end_token_ends_a_text_and_is_no_part_of_it(decoder: AdaptedModel) -> None:
    ids = decoder.generate(["Habari"], stack="sw", max_new_tokens=8)[0].ids
    decoder.network.config.eos_token_id = [VOCABULARY_SIZE - 1, ids[4]]
    ended = decoder.generate(["Habari"], stack="sw", max_new_tokens=8)[0]
    place = ids.index(ids[4])
    assert (ended.stopped, ended.ids, ended.n_tokens) == ("end", ids[: place + 1], place + 1)
    assert ended.text == decoder.backbone.tokenizer.decode(list(ids[:place]))


def test_pieces_are_the_whole_text(decoder: AdaptedModel) -> None:
    whole = decoder.generate(PROMPTS, stacks=STACKS, max_new_tokens=12, sampling=SAMPLED)
    pieces = list(decoder.generate_stream(PROMPTS, stacks=STACKS, max_new_tokens=12, sampling=SAMPLED))
    assert len(pieces) > 2 * len(PROMPTS)
    for number, generated in enumerate(whole):
        own = [piece for piece in pieces if piece.prompt == number]
        assert "".join(map(str, own)) == generated.text == str(generated)
        assert [piece.generated for piece in own] == [*[None] * (len(own) - 1), generated]


def test_sampling_is_repeatable_by_seed_and_differs_between_seeds(decoder: AdaptedModel) -> None:
    def texts(prompts: list[str], **fields: Any) -> list[tuple[int, ...]]:  # noqa: ANN401
        return ids_of(decoder.generate(prompts, max_new_tokens=12, sampling=replace(SAMPLED, **fields)))

    assert texts(PROMPTS) == texts(PROMPTS)
    assert texts(["Maji"]) != texts(["Maji"], seed=4)
    # Neither the place in the list nor the neighbours matter; a prompt given again is sampled again.
    assert texts(["Maji", "A"]) == texts(["A", "Maji"])[::-1]
    first, second = texts(["Maji", "Maji"])
    assert (first, second != first) == (texts(["Maji"])[0], True)


def test_samples_come_as_often_as_they_are_probable(decoder: AdaptedModel) -> None:
    probable = plain_logits(decoder, decoder.backbone.tokenize_openings(["A"])[0], None).softmax(dim=-1)
    rows = decoder.generate(["A"] * 800, max_new_tokens=1, sampling=Sampling(temperature=1.0), batch_size=800)
    counted = torch.bincount(torch.tensor([row.ids[0] for row in rows]), minlength=VOCABULARY_SIZE) / 800
    # Half the sum of the differences, of so many samples among so many tokens, is about 0.28 of a uniform choice.
    assert (counted - probable).abs().sum() / 2 < 0.3
    assert set(counted.nonzero().flatten().tolist()) <= set(probable.nonzero().flatten().tolist())


def test_top_k_and_top_p_leave_the_others_out(decoder: AdaptedModel) -> None:
    best = plain_logits(decoder, decoder.backbone.tokenize_openings(["A"])[0], None).topk(3).indices.tolist()
    drawn = {
        name: {row.ids[0] for row in decoder.generate(["A"] * 64, max_new_tokens=1, batch_size=64, sampling=sampling)}
        for name, sampling in {
            "top_k": Sampling(temperature=9.0, top_k=3),
            "top_p": Sampling(temperature=9.0, top_p=1e-6),
        }.items()
    }
    assert drawn == {"top_k": set(best), "top_p": {best[0]}}


def test_a_swap_or_a_detach_does_not_change_what_has_begun() -> None:
    model = byte_model()
    old, new = (random_adapter(model, LORA, seed=seed) for seed in (1, 2))
    model.attach(old)
    expected = model.generate(PROMPTS, stack="sw", max_new_tokens=10)
    begun = model.generate_stream(PROMPTS, stack="sw", max_new_tokens=10)
    pieces = [next(begun) for _ in range(3)]
    model.swap(new)
    assert ids_of(model.generate(PROMPTS, stack="sw", max_new_tokens=10)) != ids_of(expected)
    pieces += [next(begun) for _ in range(3)]
    model.detach("sw")
    pieces += begun
    assert {piece.prompt: piece.generated for piece in pieces if piece.generated} == dict(enumerate(expected))
    with pytest.raises(UnknownAdapter):
        model.generate(PROMPTS, stack="sw")


def test_nothing_acts_on_the_caller_between_two_pieces(decoder: AdaptedModel) -> None:
    bare = decoder.encode(PROMPTS)
    for _ in decoder.generate_stream(["A"], stack="sw", max_new_tokens=2):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        assert torch.equal(decoder.encode(PROMPTS), bare)


def test_detached_the_backbone_is_as_loaded() -> None:
    model = byte_model()
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    with_adapters(model).generate(PROMPTS, stacks=STACKS, max_new_tokens=4)
    model.detach(*model.attached)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.network.state_dict().items())
    assert not any(module._forward_hooks for module in model.network.modules())


def test_one_string_gives_its_text_alone(decoder: AdaptedModel) -> None:
    assert (
        decoder.generate("Maji", stack="sw", max_new_tokens=6)
        == decoder.generate(["Maji"], stack="sw", max_new_tokens=6)[0]
    )
    with pytest.raises(ConfigError, match="one for each of 1 inputs"):
        decoder.generate_stream("Maji", stacks=["sw", "sw"])


@pytest.mark.parametrize("prompts", [[], ()])
def test_no_prompts_give_no_texts(decoder: AdaptedModel, prompts: Sequence[str]) -> None:
    assert decoder.generate(prompts, stack="sw") == []
    with pytest.raises(UnknownAdapter):
        decoder.generate(prompts, stack="nothing")


def test_a_full_window_ends_a_text(decoder: AdaptedModel) -> None:
    window = decoder.backbone.max_length
    prompt = str(decoder.backbone.tokenizer.decode([300] * (window - 3)))
    n_tokens = len(decoder.backbone.tokenize_openings([prompt])[0])
    (generated,) = decoder.generate([prompt], max_new_tokens=50)
    assert (generated.stopped, generated.n_tokens) == ("window", window - n_tokens)
    with pytest.raises(
        ConfigError, match=rf"row 2 of the prompts has .* tokens, and tiny-llama reads {window} with what it writes"
    ):
        decoder.generate(["A", prompt * 2])


def test_an_encoder_is_refused(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match=r"tiny-bert is an encoder \(bert\).*by a decoder.*model\.predict"):
        model.generate(["Habari"])
    with pytest.raises(ConfigError, match=r"tiny-t5 is an encoder-decoder \(t5\).*model\.translate"):
        tiny_model("t5").generate(["Habari"])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"prompts": ["A", None]}, "row 2 of the prompts is None"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1, found 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"stacks": ["sw", "sw"]}, "one for each of 1 inputs, found 2"),
        ({"stack": "sw", "stacks": ["sw"]}, "both given"),
    ],
)
def test_what_is_asked_wrongly_is_refused(decoder: AdaptedModel, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        decoder.generate_stream(**{"prompts": ["A"], **asked})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temperature": -1.0}, "temperature must"),
        ({"temperature": 1.0, "top_p": 0.0}, "top_p must"),
        ({"temperature": 1.0, "top_k": 0}, "top_k must"),
        ({"temperature": 1e-7}, r"temperature is 1e-07, .* or at least 1e-06"),
        ({"top_k": 5}, r"top_k says among which.*temperature=0\.8"),
        ({"repetition_penalty": 0.0}, "repetition_penalty must"),
        ({"stop": ("a", "")}, "stop has an empty string"),
        ({"stop": 5}, "stop takes"),
    ],
)
def test_a_sampling_that_cannot_be_right_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Sampling(**fields)


@pytest.mark.parametrize("wrong", [[float("nan"), 1.0], [float("inf"), 1.0], [float("-inf")] * 2])
@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=1.0)])
def test_no_token_is_chosen_of_logits_that_are_not_finite(wrong: list[float], sampling: Sampling) -> None:
    choice, randoms = TokenChoice(sampling), [np.random.default_rng(row) for row in range(2)]
    assert choice(torch.tensor([[0.0, float("-inf")]] * 2), [[0], [0]], randoms).tokens == [0, 0]
    with pytest.raises(ConfigError, match=r"logits are not finite .* no token can be chosen: adapters"):
        choice(torch.tensor([[0.0, 1.0], wrong]), [[0], [0]], randoms)


def test_a_penalty_by_which_logits_overflow_is_refused(decoder: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="repetition_penalty=1e-44 is too far from 1"):
        decoder.generate(["AB"], sampling=Sampling(repetition_penalty=1e-44))


def test_an_adapter_that_overflows_writes_nothing(decoder: AdaptedModel) -> None:
    next(iter(decoder.adapters["language/sw"].parameters())).data.fill_(float("nan"))
    with pytest.raises(ConfigError, match="logits are not finite"):
        decoder.generate(["A"], stack="sw")


def test_memory_that_is_not_enough_is_said_with_what_to_do(
    decoder: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(decoder.network, "forward", full)
    with pytest.raises(OutOfMemory, match=r"smaller batch_size \(it is 5\), shorter prompts, or fewer max_new_tokens"):
        decoder.generate(["A"], batch_size=5)


def test_half_precision_writes_what_its_own_plain_forward_gives() -> None:
    model = with_adapters(byte_model())
    torch.nn.Module.to(model.network, torch.bfloat16)
    (generated,) = model.generate(["Habari ya"], stack="sw", max_new_tokens=1)
    logits = plain_logits(model, model.backbone.tokenize_openings(["Habari ya"])[0], "sw")
    assert generated.ids[0] in logits.topk(2).indices.tolist()


def test_rows_of_the_table_that_are_no_token_are_never_written() -> None:
    backbone: Backbone = tiny_backbone("llama")
    model = AdaptedModel(replace(backbone, tokenizer=byte_tokenizer()))
    model.backbone.__dict__["n_ids"] = 3
    rows = model.generate(["A"] * 40, max_new_tokens=1, sampling=Sampling(temperature=50.0), batch_size=40)
    assert {row.ids[0] for row in rows} == {0, 1, 2}
