"""What a sentence pays for not being where its translation is: the losses of decision 4, on pairs of news alone.

`python -m benchmarks.run distill_losses [--language ha] [--losses "squared error;direction and distance"] [--seeds 0]
[--max-steps 300] [--scale 1.6] [--pairs N] [--limit N]`

Topics of the sentences of SIB-200's train and dev splits, by a head trained on English without any adapter. Each row
also says how far out the vectors lie, as a share of where English ones lie on the bare backbone, and how many sentences
are taken for politics, which the news is about. The scaled row moves the vectors of the squared error away from the
centre of the training targets after training. `--limit N` scores the first N sentences.
"""

import argparse
import random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import adaptkit
from adaptkit.data.tokens import TokenStore
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.heads.batch import Batch
from adaptkit.layers.pooling import pool_texts
from adaptkit.methods import LoraConfig
from adaptkit.objectives import OBJECTIVES
from adaptkit.training import TrainingData, TrainingRun, TrainingSettings
from adaptkit.training.display import Silent
from adaptkit.training.objectives import DistillObjective
from benchmarks.sib200 import ZeroShot, parallel_pairs, read_topics
from benchmarks.write_results import write_result

_STACK = "language/being-trained"
_TOPIC = "politics"


class SquaredError(DistillObjective):
    """The usual loss of multilingual distillation (Reimers and Gurevych 2020, arXiv:2004.09813)."""

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """Shape: hidden (batch, seq, hidden_width), result ()."""
        vectors, targets = self.both(hidden, batch)
        return (vectors - targets).pow(2).sum(dim=-1).mean() / self.get_buffer("variance").sum()

    def both(self, hidden: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Vectors and targets, from the centre. Shape: both (batch, hidden_width)."""
        assert batch.targets is not None
        centre = self.get_buffer("centre")[0]
        return pool_texts(hidden, batch.mask, batch.first_lengths, self._pool) - centre, batch.targets - centre


class SquaredErrorAndContrast(SquaredError):
    """And a contrast with the other targets of the batch, at temperature 0.05."""

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """Shape: hidden (batch, seq, hidden_width), result ()."""
        vectors, targets = self.both(hidden, batch)
        cosines = F.normalize(vectors, dim=-1) @ F.normalize(targets, dim=-1).t()
        own = torch.arange(len(vectors), device=vectors.device)
        return super().forward(hidden, batch) + F.cross_entropy(cosines / 0.05, own)


LOSSES: dict[str, type[DistillObjective]] = {
    "squared error": SquaredError,
    "direction and distance": DistillObjective,
    "squared error and contrast": SquaredErrorAndContrast,
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--language", default="ha")
    parser.add_argument("--losses", default=";".join(LOSSES))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--max-steps", type=int, default=300)
    parser.add_argument("--scale", type=float, default=1.6)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    measure = ZeroShot(adaptkit.load_model())
    _, pairs = parallel_pairs(options.language)
    random.Random(0).shuffle(pairs)
    pairs = pairs[: options.pairs]
    trial = _Trial(measure, options.language, pairs, options.max_steps, options.limit)
    measured: dict[str, Any] = {"no adapter": trial.bare()}
    print("no adapter", measured["no adapter"], flush=True)
    for loss in options.losses.split(";"):
        scale = options.scale if loss == "squared error" else None
        for seed in seeds:
            for name, row in trial.measured(loss, seed, scale).items():
                measured.setdefault(name, []).append(row)
                print(name, row, flush=True)
    config = {name: vars(options)[name] for name in ("language", "max_steps", "limit")} | {"pairs": len(pairs)}
    print(write_result("distill_losses", seeds=seeds, config=config, measured=measured))


class _Trial:
    """The text, what it is pulled towards, and how vectors are scored."""

    def __init__(
        self, measure: ZeroShot, language: str, pairs: list[tuple[str, str]], max_steps: int, limit: int | None
    ) -> None:
        self._measure, self._model, self._max_steps = measure, measure.model, max_steps
        self._texts, self._topics = (column[:limit] for column in read_topics(language, "development"))
        self._sentences = TokenStore(self._model.backbone.tokenize([text for _, text in pairs], max_length=128))
        self._targets = self._model.encode([text for text, _ in pairs])
        self._english_spread = _spread(self._model.encode(read_topics("en", "development")[0][:limit]))

    def bare(self) -> dict[str, float]:
        """Of the bare backbone."""
        return self._row(self._model.encode(self._texts))

    def measured(self, loss: str, seed: int, scale: float | None) -> dict[str, dict[str, float]]:
        """What a loss gives, and what it gives with vectors scaled from the centre of the targets."""
        vectors, centre = self._vectors_by(LOSSES[loss], seed), self._targets.mean(dim=0)
        scaled = {} if scale is None else {f"{loss}, vectors scaled by {scale:g}": centre + scale * (vectors - centre)}
        return {name: self._row(found) for name, found in {loss: vectors, **scaled}.items()}

    def _vectors_by(self, loss: type[DistillObjective], seed: int) -> Tensor:
        torch.manual_seed(seed)
        data = TrainingData(self._sentences, self._targets, seed)
        rate = OBJECTIVES["distill"].learning_rate
        settings = TrainingSettings(max_steps=self._max_steps, learning_rate=rate, seed=seed)
        objective = loss.for_targets(self._targets, pool=self._model.sentences.pooled)
        layers = self._model.attach_layers(_STACK, AdapterConfig(method=LoraConfig()))
        try:
            TrainingRun(self._model, layers, objective, data, settings, stack=_STACK).run(Silent())
            layers.eval()
            return self._model.encode(self._texts, stack=_STACK)
        finally:
            self._model.detach(_STACK)

    def _row(self, vectors: Tensor) -> dict[str, float]:
        found = self._measure.head.topics_of(vectors).tolist()
        right = sum(one == other for one, other in zip(found, self._topics, strict=True))
        return {
            "accuracy": round(100 * right / len(found), 2),
            "spread": round(_spread(vectors) / self._english_spread, 3),
            f"taken for {_TOPIC}": found.count(_TOPIC),
            f"are {_TOPIC}": self._topics.count(_TOPIC),
        }


def _spread(vectors: Tensor) -> float:
    """The mean distance from the centre. Shape: vectors (n, hidden_width)."""
    return float((vectors - vectors.mean(dim=0)).norm(dim=-1).mean())
