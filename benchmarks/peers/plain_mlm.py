"""A peer: masked language modelling as its documentation has it, the whole vocabulary at every position.

Run in a process of its own, by the interpreter of the library's own environment; prints one JSON line.
"""

import json

import torch
import torch.nn.functional as F
from transformers import AutoModelForMaskedLM, AutoTokenizer, DataCollatorForLanguageModeling

from benchmarks.peers.plain_loop import batches_of, options_of, report, train, with_adapter


def main() -> None:
    options = options_of(__doc__)
    data = json.loads(options.data.read_text(encoding="utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(options.backbone)
    model = AutoModelForMaskedLM.from_pretrained(options.backbone, torch_dtype=torch.float32)
    model = with_adapter(model, options, trained_head="cls.predictions.transform")
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)

    def tokenised(lines: list[str]) -> list[list[int]]:
        prefixed = ["query: " + line for line in lines]
        rows: list[list[int]] = tokenizer(prefixed, truncation=True, max_length=options.max_length)["input_ids"]
        return rows

    rows, heldout = tokenised(data["training"]), tokenised(data["heldout"])
    batches = batches_of([len(row) for row in rows], options)

    def loss_of(batch: list[int]) -> torch.Tensor:
        loss: torch.Tensor = model(**collate([{"input_ids": rows[row]} for row in batch])).loss
        return loss

    measured = train(model, batches, loss_of, options)
    measured["tokens"] = sum(len(rows[row]) for batch in batches for row in batch)
    kept = torch.tensor(data["vocabulary"])
    place = torch.full((model.config.vocab_size,), -100)
    place[kept] = torch.arange(len(kept))
    place = torch.cat([place, torch.tensor([-100])])  # the collator's own -100 picks the last one
    model.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for row in heldout * 2:
            inputs = collate([{"input_ids": row}])
            labels = place[inputs.pop("labels")].reshape(-1)
            logits = model(**inputs).logits.reshape(len(labels), -1)[:, kept]
            total += float(F.cross_entropy(logits, labels, reduction="sum", ignore_index=-100))
            count += int((labels >= 0).sum())
    measured["heldout_loss"] = total / count
    report(measured)


if __name__ == "__main__":
    main()
