"""What each of two processes does in `test_several.py`: every case once, and a JSON file of what it saw.

A process of its own costs seconds to start, so that all cases share one launch.
"""

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from adaptkit.data.alignment import Linked, linked_words
from adaptkit.data.tokens import TokenStore
from adaptkit.errors import AdaptkitError
from adaptkit.model import AdaptedModel
from adaptkit.training import frozen_vectors
from adaptkit.training.objectives import alignment
from adaptkit.training.processes import Processes
from tests.calls import train_adapter
from tests.recorded import trainings_recorded
from tests.runs import SWAHILI, Watching, opener
from tests.several.cases import CASES, DROPPED, GLOSSARY, INTERRUPTED_AFTER
from tests.tiny import tiny_model

FOLDER = Path(sys.argv[1])
PROCESSES = Processes(torch.device("cpu"))


class CtrlCInTheOther(Watching):
    """Ctrl-C reaches the process that does not write."""

    def step(self, progress: Any, total_steps: int, loss: float) -> None:  # noqa: ANN401, ARG002
        if progress.step == INTERRUPTED_AFTER and not PROCESSES.is_main:
            signal.raise_signal(signal.SIGINT)


def trained(name: str, **more: Any) -> str:  # noqa: ANN401
    with trainings_recorded(torch.device("cpu")):
        adapter = train_adapter(**{**CASES[name], "backbone": tiny_model(), "progress": False, **more})
    return adapter.weights_sha256


def whole() -> dict[str, object]:
    return {name: trained(name, output=FOLDER / name) for name in CASES}


def interrupted() -> dict[str, object]:
    output = FOLDER / "interrupted"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adaptkit.recipes.train.open_display", opener(CtrlCInTheOther()))
        error = failing(lambda: trained(DROPPED, output=output))
    there = (FOLDER / "interrupted.checkpoint").exists()
    return {"error": error, "there": there, "resumed": trained(DROPPED, output=output, resume=True)}


def left_for_one() -> dict[str, object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adaptkit.recipes.train.open_display", opener(CtrlCInTheOther()))
        return {"error": failing(lambda: trained(DROPPED, output=FOLDER / "left"))}


def failing_save() -> dict[str, object]:
    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adaptkit.storage.Adapter.save", full_disk)
        return {"error": failing(lambda: trained("mlm", output=FOLDER / "unsaved"))}


def other_text() -> dict[str, object]:
    text = SWAHILI if PROCESSES.is_main else SWAHILI[:-1]
    return {"error": failing(lambda: trained("mlm", text=text))}


def no_text() -> dict[str, object]:
    text = SWAHILI if PROCESSES.is_main else FOLDER / "nowhere.txt"
    return {"error": failing(lambda: trained("mlm", text=text))}


def learned() -> dict[str, object]:
    """How often each process learns what words mean, and what both are told where that fails."""
    calls = [0]

    def counting(pairs: list[tuple[str, str]]) -> Linked:
        calls[0] += 1
        return linked_words(pairs)

    def full(_: object) -> Linked:
        raise OSError(12, "Cannot allocate memory")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "linked_words", counting)
        trained(GLOSSARY)
        patch.setattr(alignment, "linked_words", full)
        return {"times": calls[0], "error": failing(lambda: trained(GLOSSARY))}


def encoded() -> dict[str, object]:
    """How many rows of vectors each process computes."""
    rows = [0]
    forward: Callable[..., torch.Tensor] = AdaptedModel.__call__

    def counting(self: AdaptedModel, ids: torch.Tensor, *more: Any, **options: Any) -> torch.Tensor:  # noqa: ANN401
        rows[0] += len(ids)
        return forward(self, ids, *more, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frozen_vectors, "_BATCH", 10)
        model = tiny_model()
        store = TokenStore(model.backbone.tokenize(SWAHILI))
        patch.setattr(AdaptedModel, "__call__", counting)
        vectors = frozen_vectors.frozen_vectors(model, store, bf16=False, keep=False, what="them", note=lambda _: None)
    return {"rows": rows[0], "error_of_vectors": float((vectors - model.encode(SWAHILI)).abs().max())}


def failing_encoding() -> dict[str, object]:
    """The memory of one process runs out while each makes its part of the vectors."""

    def seen_where(index: int) -> str:
        def full(*_: object) -> torch.Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(frozen_vectors, "_BATCH", 10)
            if PROCESSES.index == index:
                patch.setattr(frozen_vectors, "pool_texts", full)
            return failing(lambda: trained("mlm"))

    return {f"in process {index}": seen_where(index) for index in range(2)}


def other_hardware() -> dict[str, object]:
    """Only one process has the hardware for bf16."""

    def vectors() -> object:
        model = tiny_model()
        store = TokenStore(model.backbone.tokenize(SWAHILI))
        return frozen_vectors.frozen_vectors(
            model, store, bf16=PROCESSES.is_main, keep=False, what="them", note=lambda _: None
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adaptkit.backbones.precision.has_fast_bfloat16", lambda _: PROCESSES.is_main)
        return {
            "vectors": failing(vectors),
            "run": failing(lambda: trained("mlm", precision="auto", anchor=0.0)),
        }


def failing(act: Callable[[], object]) -> str:
    try:
        act()
    except (AdaptkitError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing failed"


ACTS = (
    whole,
    interrupted,
    left_for_one,
    failing_save,
    other_text,
    no_text,
    learned,
    encoded,
    failing_encoding,
    other_hardware,
)
seen = {act.__name__: act() for act in ACTS}
(FOLDER / f"{PROCESSES.index}.json").write_text(json.dumps(seen))
PROCESSES.meet()
PROCESSES.end()
