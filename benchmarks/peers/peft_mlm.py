"""The peer: transformers' masked-LM model with peft LoRA on all linear layers, fp32, as its documentation has it.

Run in a process of its own; prints one JSON line.
"""

import argparse
import json
import random
import resource
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForMaskedLM, AutoTokenizer, DataCollatorForLanguageModeling

LINEAR_LAYERS = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--group-by-length", action="store_true")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    random.seed(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(options.backbone)
    backbone = AutoModelForMaskedLM.from_pretrained(options.backbone, dtype=torch.float32)
    model = get_peft_model(backbone, LoraConfig(r=options.rank, lora_alpha=options.rank, target_modules=LINEAR_LAYERS))
    model.train()
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    lines = ["query: " + line for line in options.text.read_text(encoding="utf-8").splitlines()]
    rows = tokenizer(lines, truncation=True, max_length=options.max_length)["input_ids"]
    random.shuffle(rows)
    if options.group_by_length:
        rows.sort(key=len)
    batches = [rows[i : i + options.batch_size] for i in range(0, len(rows), options.batch_size)]
    random.shuffle(batches)

    tokens, started = 0, time.perf_counter()
    for batch in batches:
        inputs = collate([{"input_ids": row} for row in batch])
        loss = model(**inputs).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        tokens += sum(map(len, batch))
    elapsed_s = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"tokens": tokens, "steps": len(batches), "elapsed_s": elapsed_s, "peak_memory_bytes": peak}))


if __name__ == "__main__":
    main()
