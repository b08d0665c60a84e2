"""adaptkit's rows: training by masked words and by translations, and texts that a decoder writes."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

import adaptkit
from adaptkit.attaching import CudaSteps, RecordedSteps
from adaptkit.backbones.precision import run_type
from adaptkit.config import Precision
from adaptkit.data.batch_shapes import FixedBuckets
from adaptkit.data.tokens import TokenStore
from adaptkit.holding import Graphs
from adaptkit.model import AdaptedModel
from adaptkit.training import TrainingData, TrainingRun, TrainingSettings
from adaptkit.training.display import Silent
from adaptkit.training.objectives import MaskingRule, masked_objective
from benchmarks.gpu_speed.clock import forget_peak, peak_mb, seconds_of
from benchmarks.gpu_speed.place import Place
from benchmarks.gpu_speed.rows import FULL
from benchmarks.gpu_speed.serving import LORA, model_of, shares, with_adapters
from benchmarks.gpu_speed.texts import drawn_ids
from tests.recorded import StepsAgain, trainings_recorded

BATCH, LONGEST, STEPS = 32, 128, 20
STEPS_RECORDED = 300
"""Recordings are made within a run, and take as long as some steps each."""
_NAME = "language/trained"
_ANCHOR = 20.0
_PRECISION: Precision = "bf16"


def training_ids(place: Place, lengths: str, vocabulary_size: int) -> list[list[int]]:
    """What both sides train on. Shape: some more rows than they read."""
    count, longest = (40, 16) if place.tiny else (BATCH * (STEPS + 8), LONGEST)
    return drawn_ids(lengths, count, longest, vocabulary_size)


def mlm(place: Place, shape: str, bits: int, lengths: str, form: str = "hooks") -> dict[str, float]:
    """Tokens a second of masked language modelling in bfloat16, with anchors, as `train_adapter` does it.

    By hooks, or on recorded steps; these are recorded within the time that is taken.
    """
    recorded = form == "recorded"
    steps = 2 if place.tiny else STEPS_RECORDED if recorded else STEPS
    model = model_of(place, shape, bits)
    ids = training_ids(place, lengths, model.backbone.shape.vocabulary_size)
    targets = torch.nn.functional.normalize(torch.randn(len(ids), model.backbone.shape.hidden_width), dim=-1)
    data = TrainingData(TokenStore(ids), targets, seed=0)
    _trained(place, model, data, steps=2, graphs=_graphs(recorded=recorded))
    forget_peak(place.device)
    found = _trained(place, model, data, steps=steps, graphs=_graphs(recorded=recorded))
    return {**found, "peak_mb": peak_mb(place.device)}


def _trained(place: Place, model: AdaptedModel, data: TrainingData, *, steps: int, graphs: Graphs) -> dict[str, float]:
    layers = model.attach_layers(_NAME, LORA)
    try:
        objective = masked_objective(
            model.backbone,
            layers,
            rule=MaskingRule(),
            vocabulary=torch.from_numpy(data.sentences.vocabulary()),
            anchor_weight=_ANCHOR,
            dtype=run_type(_PRECISION, place.device),
        )
        settings = TrainingSettings(
            max_steps=steps,
            batch_size=_batch(place),
            precision=_PRECISION,
            graphs=graphs,
            evaluate_every=1000,
            patience=None,
        )
        with trainings_recorded(place.device):
            found = TrainingRun(model, layers, objective, data, settings, stack=_NAME).run(Silent())
    finally:
        model.detach(_NAME)
    return {
        "tokens_per_s": round(found.tokens / found.elapsed_s),
        "steps_per_s": round(found.steps / found.elapsed_s, 2),
        "ms_per_step": round(1000 * found.elapsed_s / found.steps, 2),
    }


def step(place: Place, shape: str, form: str) -> dict[str, float]:
    """Forward and backward of one batch through the network alone, down to the adapter's weights."""
    model = model_of(place, shape)
    rows = training_ids(place, FULL, model.backbone.shape.vocabulary_size)[: _batch(place)]
    ids = torch.tensor(rows, device=place.device)
    mask = torch.ones_like(ids)
    mask[0, -1] = 0  # or other kernels would run where masks are looked at than where they are recorded
    model.attach_layers(_NAME, LORA)
    try:
        network = _network(model, form, ids, mask)

        def once() -> None:
            torch.autograd.backward(network(ids, mask).float().square().mean())
            model.zero_grad()

        return shares(once, place)
    finally:
        model.detach(_NAME)


def _network(model: AdaptedModel, form: str, ids: Tensor, mask: Tensor) -> Any:  # noqa: ANN401
    if form == "hooks":

        def hooked(ids: Tensor, mask: Tensor) -> Tensor:
            with model.active(_NAME):
                states: Tensor = model(ids, mask)
            return states

        return hooked
    bound: Any = model.bound(_NAME)
    if form == "recorded":
        record = CudaSteps(model.device) if model.device.type == "cuda" else StepsAgain()
        return partial(RecordedSteps(record, FixedBuckets(len(ids)), model.backbone.max_length).states, bound)
    if form == "graph" and model.device.type == "cuda":
        bound = torch.cuda.make_graphed_callables(bound, (ids, mask), allow_unused_input=True)
    return bound


def _graphs(*, recorded: bool) -> Graphs:
    return "always" if recorded else "never"


def _batch(place: Place) -> int:
    return 4 if place.tiny else BATCH


def distill(place: Place, shape: str, form: str = "hooks") -> dict[str, float]:
    """Steps a second of distillation from the package's own translations, by hooks or on recorded steps."""
    model = model_of(place, shape, 32)
    recorded = form == "recorded"
    steps = 2 if place.tiny else STEPS_RECORDED if recorded else STEPS
    run = adaptkit.Run(
        max_steps=steps,
        batch_size=_batch(place),
        precision="auto",
        graphs=_graphs(recorded=recorded),
        patience=0,
        progress=False,
    )
    forget_peak(place.device)
    with trainings_recorded(place.device):
        adapter = adaptkit.train_adapter(
            lang="sw", parallel=adaptkit.sample_pairs("sw"), backbone=model, method=adaptkit.Lora(rank=8), run=run
        )
    facts = adapter.card.training
    assert facts is not None
    return {
        "steps_per_s": round(facts.steps / facts.elapsed_s, 2),
        "tokens_per_s": round(facts.tokens / facts.elapsed_s),
        "peak_mb": peak_mb(place.device),
    }


def generate(place: Place, shape: str) -> dict[str, float]:
    """Tokens a second that a decoder writes behind 1 and 16 prompts, bare and under an adapter."""
    model = model_of(place, shape)
    # Nothing ends before its length.
    model.network.config.eos_token_id = None
    model.tokenizer.eos_token = None
    with_adapters(model, 1)
    new, prompts = (4, 2) if place.tiny else (32, 16)
    texts = [english for english, _ in adaptkit.sample_pairs("sw")][:prompts]
    found = {}
    for name, rows, stack in (("1, bare", 1, None), ("16, bare", prompts, None), ("16, adapter", prompts, "x0")):

        def write(rows: int = rows, stack: str | None = stack) -> None:
            model.generate(texts[:rows], stack=stack, max_new_tokens=new, batch_size=prompts)

        seconds_of(write, place.device)
        found[f"tokens_per_s {name}"] = round(rows * new / seconds_of(write, place.device), 1)
    return found
