"""The peer: transformers' `generate` under peft's LoRA adapters, by `set_adapter` and by `adapter_names`.

Run in a process of its own; prints one JSON line.
"""

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.peers.generation_prompts import PROMPTS, timed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--adapters", type=Path, required=True)
    parser.add_argument("--new-tokens", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    options = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(options.backbone, padding_side="left")
    whole: Any = AutoModelForCausalLM.from_pretrained(options.backbone, dtype=torch.float32)
    whole.generation_config.eos_token_id = None
    folders = sorted(options.adapters.iterdir())
    # Tensors that it does not find, it warns of, and goes on with random ones.
    warnings.filterwarnings("error", message="Found missing adapter keys")
    model = PeftModel.from_pretrained(whole, folders[0], adapter_name=folders[0].name)
    model.set_adapter(folders[0].name)
    model.eval()

    @torch.inference_mode()
    def write(prompts: list[str], **chosen: Any) -> list[list[int]]:  # noqa: ANN401
        given = tokenizer(prompts, return_tensors="pt", padding=True)
        found = model.generate(
            **given, do_sample=False, max_new_tokens=options.new_tokens, pad_token_id=tokenizer.pad_token_id, **chosen
        )
        rows: list[list[int]] = found[:, given["input_ids"].shape[1] :].tolist()
        return rows

    def bare(prompts: list[str]) -> list[list[int]]:
        with model.disable_adapter():
            return write(prompts)

    found = timed(
        {
            "1 row, no adapter": lambda: bare(PROMPTS[:1]),
            "1 row, one adapter": lambda: write(PROMPTS[:1]),
            "16 rows, no adapter": lambda: bare(PROMPTS),
            "16 rows, one adapter": lambda: write(PROMPTS),
        },
        options.repeats,
    )
    for folder in folders[1:]:
        model.load_adapter(folder, adapter_name=folder.name)
    names = [folder.name for folder in folders]
    more = timed({"16 rows, 16 adapters": lambda: write(PROMPTS, adapter_names=names)}, options.repeats)
    print(json.dumps({what: {**found[what], **more[what]} for what in found}))


if __name__ == "__main__":
    main()
