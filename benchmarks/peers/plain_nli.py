"""A peer: a task adapter on pairs of sentences as its documentation has it.

Run in a process of its own, by the interpreter of the library's own environment; prints one JSON line.
"""

import json
from itertools import chain

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from benchmarks.peers.plain_loop import batches_of, options_of, report, train, with_adapter


def main() -> None:
    options = options_of(__doc__)
    data = json.loads(options.data.read_text(encoding="utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(options.backbone)
    model = AutoModelForSequenceClassification.from_pretrained(
        options.backbone, num_labels=len(data["labels"]), torch_dtype=torch.float32
    )
    task = {"task_type": "SEQ_CLS"} if options.library == "peft" else {}
    model = with_adapter(model, options, trained_head="classifier", **task)

    def tokenised(examples: list[list[str]]) -> list[dict[str, list[int]]]:
        found = tokenizer(
            ["query: " + first for first, _, _ in examples],
            [second for _, second, _ in examples],
            truncation=True,
            max_length=options.max_length,
        )
        return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]

    rows, heldout = tokenised(data["training"]), tokenised(data["heldout"])
    labels = torch.tensor([data["labels"].index(label) for _, _, label in data["training"]])
    batches = batches_of([len(row["input_ids"]) for row in rows], options)

    def loss_of(batch: list[int]) -> torch.Tensor:
        inputs = tokenizer.pad([rows[row] for row in batch], return_tensors="pt")
        loss: torch.Tensor = model(**inputs, labels=labels[batch]).loss
        return loss

    measured = train(model, batches, loss_of, options)
    pairs = list(chain.from_iterable(batches))
    measured |= {"pairs": len(pairs), "tokens": sum(len(rows[row]["input_ids"]) for row in pairs)}
    model.eval()
    correct = 0
    with torch.inference_mode():
        for start in range(0, len(heldout), 32):
            found = model(**tokenizer.pad(heldout[start : start + 32], return_tensors="pt")).logits.argmax(-1).tolist()
            wanted = [data["labels"].index(label) for _, _, label in data["heldout"][start : start + 32]]
            correct += sum(a == b for a, b in zip(found, wanted, strict=True))
    measured["heldout_accuracy"] = correct / len(heldout)
    report(measured)


if __name__ == "__main__":
    main()
