"""The peer: peft serving many LoRA adapters on transformers' model, by `set_adapter` and by `adapter_names`.

Run in a process of its own; prints one JSON line.
"""

import argparse
import json
import time
from functools import partial

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModel

from benchmarks.peers.plain_loop import LINEAR_LAYERS
from benchmarks.peers.timing import ROWS, median_of, random_batch


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--bf16", action="store_true")
    options = parser.parse_args()
    config = LoraConfig(
        r=options.rank, lora_alpha=options.rank, target_modules=LINEAR_LAYERS, init_lora_weights="gaussian"
    )
    dtype = torch.bfloat16 if options.bf16 else torch.float32
    backbone = AutoModel.from_pretrained(options.backbone, dtype=dtype, add_pooling_layer=False)
    found: dict[str, float] = {}
    inputs = {f"{ROWS} x {tokens}": as_inputs(*random_batch(backbone.config.vocab_size, tokens)) for tokens in (32, 8)}
    with torch.inference_mode():
        for shape, given in inputs.items():
            found[f"{shape}: bare"] = median_of(partial(backbone, **given), options.repeats)
        model = get_peft_model(backbone, config, adapter_name="x0").eval()
        found["activate with 1 attached"] = median_of(partial(model.set_adapter, "x0"), options.repeats)
        for shape, given in inputs.items():
            found[f"{shape}: one adapter"] = median_of(partial(model, **given), options.repeats)
        started = time.perf_counter()
        for number in range(1, 64):
            model.add_adapter(f"x{number}", config)
        found["attach 64"] = (time.perf_counter() - started) * 64 / 63
        model.eval()
        found["activate with 64 attached"] = median_of(partial(model.set_adapter, "x0"), options.repeats)
        for shape, given in inputs.items():
            for count in (32, 64):
                names = [f"x{number % count}" for number in range(ROWS)]
                found[f"{shape}: {count} adapters"] = median_of(
                    partial(model, **given, adapter_names=names), options.repeats
                )
    print(json.dumps(found))


def as_inputs(ids: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"input_ids": ids, "attention_mask": mask}


if __name__ == "__main__":
    main()
