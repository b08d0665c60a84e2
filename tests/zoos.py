"""Small zoos, as folders and packed."""

import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation
from adaptkit.methods import BottleneckConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter

LORA = AdapterConfig(method=LoraConfig(rank=2, sites=("attention.query",)))
SCORE = Evaluation(
    task="SIB-200", metric="accuracy", n_examples=9, score_without=50.0, score_with=60.0, low=1.0, high=19.0
)
TOPICS = AdapterConfig(
    method=BottleneckConfig(reduction_factor=16, blocks=(0,)),
    head=HeadConfig(task_type="classification", labels=("goats", "rain")),
)


def made_zoo(folder: Path, model: AdaptedModel) -> Path:
    """Three language adapters, one of them under a second name, and one for a task."""
    for seed, (name, language) in enumerate([("sw", "sw"), ("sw-news", "sw"), ("wal-Latn", "wal-Latn")]):
        card = Card(source="verses", licence="CC0-1.0" if seed else "CC-BY-NC-4.0", evaluations=(SCORE,))
        adapter = replace(random_adapter(model, LORA, name=name, seed=seed), language=language, card=card)
        adapter.save(folder / "tiny-bert" / "language" / name)
    random_adapter(model, TOPICS, kind="task", name="topics").save(folder / "tiny-bert" / "task" / "topics")
    return folder


def zipped(folder: Path, path: Path, *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                packed.write(file, file.relative_to(folder).as_posix())
    return path


def tarred(folder: Path, path: Path, *, mode: str = "w:") -> Path:
    with tarfile.open(path, mode) as packed:  # type: ignore[call-overload]  # the mode is a text
        packed.add(folder, ".")
    return path
