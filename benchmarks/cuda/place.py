"""Where a case runs: on a device, with tiny backbones on disk that all cases share."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

import adaptkit
from adaptkit.data.sample import sample_pairs
from adaptkit.model import AdaptedModel
from tests.saved import saved_backbone
from tests.tiny import tiny_config, tiny_tokenizer

PAIRS = sample_pairs("sw")[:48]
SWAHILI = [sentence for _, sentence in PAIRS]
TEXTS = [*SWAHILI[:6], "Maji", "The goat sleeps.", "Rain fills the barrel behind the house every night.", "A"]
UNTIED = "llama, untied"
"""A decoder with an output projection of its own."""


@dataclass(frozen=True)
class Place:
    """A device and a folder. `meanwhile` is open while something runs on the device that is looked at."""

    device: torch.device
    folder: Path
    meanwhile: Callable[[], AbstractContextManager[object]] = field(default=nullcontext)

    @property
    def cpu(self) -> "Place":
        """The CPU beside it."""
        return replace(self, device=torch.device("cpu"), meanwhile=nullcontext)

    def backbone(self, model_type: str = "bert") -> Path:
        """A tiny random backbone as a transformers folder, written once."""
        path = self.folder / "backbones" / model_type
        if path.exists():
            return path
        if model_type != UNTIED:
            return saved_backbone(path, model_type)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = AutoModelForCausalLM.from_config(tiny_config("llama", tied=False))  # type: ignore[no-untyped-call]
        network.save_pretrained(path)
        tiny_tokenizer().save_pretrained(path)
        return path

    def model(self, model_type: str = "bert", *, trimmed: bool = False, **options: Any) -> AdaptedModel:  # noqa: ANN401
        """Such a backbone on this device; `trimmed` leaves out tokens that some of the texts use."""
        path = self.backbone(model_type)
        if trimmed:
            options["vocabulary"] = adaptkit.vocabulary_of(SWAHILI[:2], languages=["sw"], backbone=path)
        return adaptkit.load_model(path, device=self.device, **options)
