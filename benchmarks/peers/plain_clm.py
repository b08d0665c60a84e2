"""A peer: causal language modelling with peft's LoRA, as its documentation has it. Imports nothing of ours.

Run in a process of its own; prints one JSON line.
"""

import argparse
import json
import random
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForLanguageModeling

from benchmarks.peers.bits_per_byte import bits_per_byte
from benchmarks.peers.plain_loop import batches_of, report, train
from benchmarks.peers.training_options import training_parser


def main() -> None:
    parser = training_parser(__doc__)
    parser.add_argument("--learning-rate", type=float, required=True)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    data = json.loads(Path(options.data).read_text(encoding="utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(options.backbone)
    whole = AutoModelForCausalLM.from_pretrained(options.backbone, dtype=torch.float32)
    config = LoraConfig(r=options.rank, lora_alpha=4 * options.rank, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(whole, config).to(options.device)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    rows: list[list[int]] = tokenizer(data["training"], truncation=True, max_length=options.max_length)["input_ids"]

    def loss_of(batch: list[int]) -> Tensor:
        inputs = collate([{"input_ids": rows[row]} for row in batch]).to(options.device)
        loss: Tensor = model(**inputs).loss
        return loss

    def logits_of(ids: Tensor) -> Tensor:
        logits: Tensor = model(input_ids=ids.to(options.device)).logits
        return logits

    model.eval()
    before = bits_per_byte(logits_of, tokenizer, data["heldout"])
    loop = argparse.Namespace(**vars(options), group_by_length=False, bf16=False)
    batches = batches_of([len(row) for row in rows], loop)
    measured = train(model, batches, loss_of, loop, learning_rate=options.learning_rate)
    model.eval()
    report(
        {
            **measured,
            "tokens": sum(len(rows[row]) for batch in batches for row in batch),
            "bits_per_byte": [before, bits_per_byte(logits_of, tokenizer, data["heldout"])],
        }
    )


if __name__ == "__main__":
    main()
