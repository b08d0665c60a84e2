"""peft's rows: the same passes and trainings by transformers with peft, as their pages have them."""

from collections.abc import Iterator
from functools import partial
from itertools import cycle, islice
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import AutoModel, AutoModelForMaskedLM

from benchmarks.gpu_speed.clock import forget_peak, median_ms, peak_mb, seconds_of
from benchmarks.gpu_speed.place import Place
from benchmarks.gpu_speed.serving import RANK, shares
from benchmarks.gpu_speed.training import BATCH, STEPS, training_ids
from benchmarks.peers.plain_loop import LINEAR_LAYERS

_models: dict[tuple[Place, str], Any] = {}
# Without the projection, which is the table of embeddings and stays frozen on both sides.
_HEADS = {"bert": ["cls.predictions.transform"], "xlm-roberta": ["lm_head.dense", "lm_head.layer_norm"]}


def _lora(**more: Any) -> LoraConfig:  # noqa: ANN401
    return LoraConfig(r=RANK, lora_alpha=RANK, target_modules=LINEAR_LAYERS, **more)


def _served(place: Place, shape: str, form: str) -> Any:  # noqa: ANN401
    """The model, wrapped by peft as soon as an adapter is asked for."""
    key = (place, shape)
    if key not in _models or (form == "bare" and hasattr(_models[key], "peft_config")):
        _models.clear()
        loaded = AutoModel.from_pretrained(place.backbone(shape), dtype=torch.bfloat16, add_pooling_layer=False)
        _models[key] = loaded.to(place.device).eval()
    if form != "bare" and not hasattr(_models[key], "peft_config"):
        wrapped = get_peft_model(_models[key], _lora(init_lora_weights="gaussian"), adapter_name="x0")
        _models[key] = wrapped.to(place.device).eval()
    return _models[key]


def _inputs(place: Place, vocabulary_size: int) -> dict[str, Tensor]:
    ids, mask = place.batch(vocabulary_size)
    return {"input_ids": ids, "attention_mask": mask}


def passes(place: Place, shape: str, form: str) -> dict[str, float]:
    """Milliseconds of a pass of the backbone, bare or with one adapter that is not merged."""
    model = _served(place, shape, form)
    given = _inputs(place, model.config.vocab_size)
    with torch.inference_mode():
        ms = median_ms(partial(model, **given), place.device, place.repeats(30))
    return {"ms": ms, "tokens_per_s": round(given["input_ids"].numel() / ms * 1000)}


def many(place: Place, shape: str, adapters: int, form: str) -> dict[str, float]:
    """Each row under one of so many adapters, by `adapter_names`."""
    model = _served(place, shape, form)
    count = 2 if place.tiny else adapters
    for number in range(len(model.peft_config), count):
        model.add_adapter(f"x{number}", _lora(init_lora_weights="gaussian"))
    model.to(place.device).eval()
    given = _inputs(place, model.config.vocab_size)
    names = list(islice(cycle(f"x{number}" for number in range(count)), place.rows))
    with torch.inference_mode():
        ms = median_ms(partial(model, **given, adapter_names=names), place.device, place.repeats(3), warm_up=1)
    return {"ms": ms, "rows": place.rows}


def busy(place: Place, shape: str, form: str) -> dict[str, float]:
    """The share of a pass in which the device computes."""
    model = _served(place, shape, form)
    with torch.inference_mode():
        return shares(partial(model, **_inputs(place, model.config.vocab_size)), place)


def mlm(place: Place, shape: str, bits: int, lengths: str) -> dict[str, float]:  # noqa: ARG001 - 32
    """Tokens a second of masked language modelling under bfloat16 autocast, the whole vocabulary everywhere."""
    _models.clear()
    loaded = AutoModelForMaskedLM.from_pretrained(place.backbone(shape), dtype=torch.float32)
    wrapped = get_peft_model(loaded, _lora(modules_to_save=_HEADS[loaded.config.model_type]))
    model: Any = wrapped.to(place.device).train()
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-3)
    rows = training_ids(place, lengths, model.config.vocab_size)
    batches = list(_batches(rows, 4 if place.tiny else BATCH))[: 3 if place.tiny else 3 + STEPS]

    def train(some: list[list[list[int]]]) -> None:
        for batch in some:
            ids, mask, labels = (tensor.to(place.device) for tensor in _masked(batch, model.config.vocab_size))
            with torch.autocast(place.device.type, torch.bfloat16):
                loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    train(batches[:2])
    forget_peak(place.device)
    taken = seconds_of(lambda: train(batches[2:]), place.device)
    n_tokens = sum(len(row) for batch in batches[2:] for row in batch)
    steps = len(batches) - 2
    return {
        "tokens_per_s": round(n_tokens / taken),
        "steps_per_s": round(steps / taken, 2),
        "ms_per_step": round(1000 * taken / steps, 2),
        "peak_mb": peak_mb(place.device),
    }


def _batches(rows: list[list[int]], size: int) -> Iterator[list[list[int]]]:
    """As they come: rows of unlike lengths are padded to the longest."""
    for start in range(0, len(rows) - size + 1, size):
        yield rows[start : start + size]


def _masked(rows: list[list[int]], vocabulary_size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and labels, 15 % of the tokens masked as transformers' collator does. Shape: (batch, seq) each."""
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=1)
    mask = (ids != 1).long()
    asked = (torch.rand(ids.shape) < 0.15) & (ids > 2)
    dice = torch.rand(ids.shape)
    labels = ids.where(asked, torch.tensor(-100))
    random = torch.randint(3, vocabulary_size, ids.shape)
    # The mask token of a tiny backbone is the last special one; its number makes no difference to the time.
    masked = torch.where(dice < 0.8, torch.tensor(4), torch.where(dice < 0.9, random, ids))
    return masked.where(asked, ids), mask, labels
