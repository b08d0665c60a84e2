"""A backbone of some precision in a process of its own: memory and speed. Prints one JSON line."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

import adaptkit
from adaptkit.backbones import vocabulary_of
from adaptkit.backbones.bitsandbytes_package import bitsandbytes
from benchmarks.process_memory import forget_peak, peak_bytes, resident_bytes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--bits", type=int, required=True)
    parser.add_argument("--embeddings")
    parser.add_argument("--trimmed", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--train-steps", type=int, required=True)
    options = parser.parse_args()
    lines = options.text.read_text(encoding="utf-8").splitlines()
    bitsandbytes()
    # What the first multiplication allocates is no weight.
    torch.ones(64, 64) @ torch.ones(64, 64)

    vocabulary = vocabulary_of(lines, languages=["sw"], backbone=options.backbone) if options.trimmed else None
    # Held while the model loads its own: a tokenizer's memory, and what importing for it takes, are measured apart.
    before = resident_bytes()
    kept = AutoTokenizer.from_pretrained(options.backbone)
    tokenizer_bytes = resident_bytes() - before
    load_model = adaptkit.load_model  # imported here, so that the peak is not that of importing
    started, baseline = time.perf_counter(), forget_peak()
    model = load_model(
        options.backbone, bits=options.bits, embeddings=options.embeddings, vocabulary=vocabulary, device=options.device
    )
    measured: dict[str, Any] = {
        "load_s": round(time.perf_counter() - started, 2),
        "tokenizer_bytes": tokenizer_bytes,
        "tokenizer_pieces": len(kept),
    }
    measured["peak_while_loading_bytes"] = peak_bytes() - baseline
    measured["tensors_after_loading_bytes"] = model.memory().total
    started = time.perf_counter()
    model.encode(lines, max_length=128)
    elapsed = time.perf_counter() - started
    n_tokens = sum(len(row) for row in model.backbone.tokenize(lines, max_length=128))
    measured |= {
        "sentences": len(lines),
        "inference_tokens_per_s": round(n_tokens / elapsed, 1),
        "tensors_after_sentences_bytes": model.memory().total,
        "memory_by_part": dict(model.memory()),
    }
    if options.train_steps:
        measured |= _train(model, lines, options.train_steps)
    held = resident_bytes()
    tokenizer = model.backbone.tokenizer
    del model
    measured["given_back_with_the_network_bytes"] = held - resident_bytes()
    if options.device != "cpu":
        measured["gpu_peak_bytes"] = torch.cuda.max_memory_allocated()
    assert len(tokenizer) == measured["tokenizer_pieces"]
    print(json.dumps(measured))


def _train(model: adaptkit.AdaptedModel, lines: list[str], steps: int) -> dict[str, float]:
    baseline = forget_peak()
    adapter = adaptkit.train_adapter(
        lang="sw",
        text=lines[:1000],
        objective=adaptkit.Mlm(head_warmup=0),
        backbone=model,
        run=adaptkit.Run(max_steps=steps, batch_size=16, progress=False),
    )
    facts = adapter.card.training
    assert facts is not None
    return {
        "training_tokens_per_s": round(facts.tokens_per_s, 1),
        "peak_while_training_bytes": peak_bytes(),
        "before_training_bytes": baseline,
    }


if __name__ == "__main__":
    main()
