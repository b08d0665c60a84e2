"""The peer: transformers with bitsandbytes as its documentation has it. Prints one JSON line."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer, BitsAndBytesConfig

from benchmarks.process_memory import forget_peak, peak_bytes, resident_bytes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--bits", type=int, required=True)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    lines = options.text.read_text(encoding="utf-8").splitlines()
    settings: dict[str, Any] = {}
    if options.bits == 4:
        settings["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True
        )
    elif options.bits == 8:
        settings["quantization_config"] = BitsAndBytesConfig(load_in_8bit=True)  # type: ignore[no-untyped-call]
    torch.ones(64, 64) @ torch.ones(64, 64)
    if options.bits < 16:
        import bitsandbytes  # noqa: F401 - so that its import is no part of loading

    # What importing for a tokenizer takes is no part of loading; ours is measured so too.
    kept = AutoTokenizer.from_pretrained(options.backbone)
    if AutoConfig.from_pretrained(options.backbone).model_type in ("bert", "xlm-roberta"):
        settings["add_pooling_layer"] = False
    started, baseline = time.perf_counter(), forget_peak()
    network = AutoModel.from_pretrained(options.backbone, dtype=torch.float32, device_map=options.device, **settings)
    tokenizer = AutoTokenizer.from_pretrained(options.backbone)
    measured: dict[str, Any] = {"load_s": round(time.perf_counter() - started, 2), "tokenizer_pieces": len(kept)}
    measured["peak_while_loading_bytes"] = peak_bytes() - baseline
    started, n_tokens = time.perf_counter(), 0
    by_length = sorted(f"query: {line}" for line in lines)
    by_length.sort(key=len)
    with torch.inference_mode():
        for start in range(0, len(by_length), 32):
            batch = tokenizer(
                by_length[start : start + 32], padding=True, truncation=True, max_length=128, return_tensors="pt"
            ).to(options.device)
            network(**batch)
            n_tokens += int(batch["attention_mask"].sum())
    measured |= {
        "sentences": len(lines),
        "inference_tokens_per_s": round(n_tokens / (time.perf_counter() - started), 1),
        "tensors_after_sentences_bytes": network.get_memory_footprint(),
    }
    held = resident_bytes()
    del network
    measured["given_back_with_the_network_bytes"] = held - resident_bytes()
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
