"""Cases: figures of the embedded backbone on the device, and its vectors against those of the CPU."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

import adaptkit
from adaptkit.backbones.hardware import wait_for
from adaptkit.model import AdaptedModel
from benchmarks.cuda import limits
from benchmarks.cuda.case import Case, Outcome, compared
from benchmarks.cuda.place import Place
from tests.calls import train_adapter

_COMPARED = 24
_ENCODED = {"cuda": 4096, "cpu": 64}
_STEPS = {"cuda": 60, "cpu": 4}


def _sentences(count: int = 0) -> list[str]:
    """Sentences of the package's own sample; so many, again and again, or each once."""
    texts = [sentence for language in ("sw", "en", "ha") for _, sentence in adaptkit.sample_pairs(language)]
    return [texts[number % len(texts)] for number in range(count)] if count else texts


def _encoding(place: Place, bits: Any) -> Outcome:  # noqa: ANN401
    started = time.perf_counter()
    model = adaptkit.load_model(bits=bits, device=place.device)
    wait_for(place.device)
    loaded = time.perf_counter()
    # What is computed in fewer bits is compared with full precision, so that its limit counts for both.
    exact = adaptkit.load_model(bits=bits, device="cpu", dtype=torch.float32)
    texts = _sentences(_COMPARED)
    with place.meanwhile():
        checks = compared({"vectors": model.encode(texts)}, {"vectors": exact.encode(texts)}, _limit(bits, model))
    return Outcome(
        tuple(checks),
        {
            "load_s": loaded - started,
            "held_bytes": float(model.memory().total),
            **_speed(model, place, _ENCODED.get(place.device.type, 64)),
        },
    )


def _limit(bits: int, model: AdaptedModel) -> float:
    return limits.of_form(bits, bf16=model.network.dtype != torch.float32)


def _speed(model: AdaptedModel, place: Place, n: int) -> dict[str, float]:
    ids = model.backbone.tokenize(_sentences(n))
    model.encode_ids(ids[: 4 * _COMPARED], batch_size=256)  # kernels are chosen, and rows paged in
    seconds = _timed(place, lambda: model.encode_ids(ids, batch_size=256))
    return {"encoded_tokens_per_s": sum(map(len, ids)) / seconds}


def _timed(place: Place, work: Callable[[], object]) -> float:
    wait_for(place.device)
    started = time.perf_counter()
    work()
    wait_for(place.device)
    return time.perf_counter() - started


def _training(place: Place, bits: Any, precision: Any, checkpointing: bool = False, **asked: Any) -> Outcome:  # noqa: ANN401
    model = adaptkit.load_model(bits=bits, device=place.device)
    with place.meanwhile():
        adapter = train_adapter(
            lang="sw",
            backbone=model,
            max_steps=_STEPS.get(place.device.type, 4),
            batch_size=64 if place.device.type == "cuda" else 8,
            precision=precision,
            gradient_checkpointing=checkpointing,
            progress=False,
            **asked,
        )
    facts = adapter.card.training
    assert facts is not None
    before, after = facts.heldout_loss_before, facts.heldout_loss_after
    gained = torch.tensor(float(after < before))
    return Outcome(
        tuple(compared({"the held-out loss falls": gained}, {"the held-out loss falls": torch.ones(())}, 0.0)),
        {
            "trained_tokens_per_s": facts.tokens_per_s,
            "peak_memory_bytes": float(facts.peak_memory_bytes),
            "heldout_loss_before": before,
            "heldout_loss_after": after,
        },
    )


def cases() -> Iterator[Case]:
    """All of these."""
    for bits in (32, 16, 8, 4):
        yield Case(f"real: load and encode, {bits} bits", partial(_encoding, bits=bits), real=True)
    text: dict[str, Any] = {"text": [text for _, text in adaptkit.sample_pairs("sw")]}
    parallel: dict[str, Any] = {"parallel": adaptkit.sample_pairs("sw")}
    runs: list[tuple[str, dict[str, Any]]] = [
        ("mlm, 32 bits, fp32", {"bits": 32, "precision": "fp32", **text}),
        ("mlm, 32 bits, bf16", {"bits": 32, "precision": "auto", **text}),
        ("mlm, 4 bits, bf16", {"bits": 4, "precision": "auto", **text}),
        ("mlm, 4 bits, bf16, gradient checkpointing", {"bits": 4, "precision": "auto", "checkpointing": True, **text}),
        ("distill, 32 bits, bf16", {"bits": 32, "precision": "auto", **parallel}),
    ]
    for name, options in runs:
        yield Case(f"real: train by {name}", partial(_training, **options), real=True)
