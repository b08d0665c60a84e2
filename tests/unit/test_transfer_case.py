"""The transfer benchmark: task adapters that an earlier call kept."""

from argparse import Namespace
from pathlib import Path

import pytest

from adaptkit.data.tasks import TaskData
from adaptkit.labelled import read_labelled
from benchmarks.cases.transfer import _task_adapter
from tests.tiny import tiny_model


def labelled(path: Path) -> TaskData:
    rows = [f"The {animal} number {n} sleeps.\t{animal}" for n in range(15) for animal in ("goat", "hen")]
    path.write_text("\n".join(["text\tlabel", *rows]))
    return read_labelled(path, language="en")


def test_a_kept_adapter_must_be_what_the_run_says_it_is(tmp_path: Path) -> None:
    options = Namespace(task="topics", method="head", keep=tmp_path, zoo=tmp_path, on_source=False, max_steps=1)
    model = tiny_model()
    data = {"en": labelled(tmp_path / "animals.tsv")}
    made = _task_adapter(options, model, data, 0)
    assert _task_adapter(options, model, data, 0).weights_sha256 == made.weights_sha256
    with pytest.raises(SystemExit, match="was trained with"):
        _task_adapter(options, model, {"en": labelled(tmp_path / "others.tsv")}, 0)
    with pytest.raises(SystemExit, match="was trained with"):
        _task_adapter(Namespace(**{**vars(options), "max_steps": 2}), model, data, 0)
