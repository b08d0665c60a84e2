"""Vectors that are kept from run to run are those that would be made, and nothing that is broken is taken."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from adaptkit.data.tokens import TokenStore
from adaptkit.errors import OutOfMemory
from adaptkit.model import AdaptedModel
from adaptkit.training import frozen_vectors as module
from adaptkit.training.frozen_vectors import frozen_vectors
from tests.calls import train_adapter
from tests.runs import PAIRS, Watching, opener
from tests.tiny import tiny_model

ROWS = [[2, *range(10, 10 + length), 3] for length in (3, 7, 5, 9)]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ADAPTKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_WORTH_KEEPING", 10)
    return tmp_path / "cache" / "vectors"


def vectors(model: AdaptedModel, rows: list[list[int]] = ROWS, **options: Any) -> tuple[torch.Tensor, list[str]]:  # noqa: ANN401
    told: list[str] = []
    arguments = {"bf16": False, "keep": True, **options}
    return frozen_vectors(model, TokenStore(rows), what="them", note=told.append, **arguments), told


@pytest.mark.parametrize("blocks", [(), (0, 1)])
def test_a_second_run_takes_what_the_first_made(blocks: tuple[int, ...], cache: Path) -> None:
    model = tiny_model()
    made, told = vectors(model, blocks=blocks)
    assert told == ["encoding them with the frozen backbone"]
    torch.testing.assert_close(made, model.encode_ids(ROWS, blocks=blocks))
    taken, told = vectors(tiny_model(), blocks=blocks)
    assert told == [f"taking the vectors of them from an earlier run ({cache})"]
    assert torch.equal(taken, made)
    assert len(list(cache.iterdir())) == 1


def test_whatever_makes_a_difference_has_vectors_of_its_own(cache: Path) -> None:
    cases: list[tuple[AdaptedModel, list[list[int]], dict[str, Any]]] = [
        (tiny_model(), ROWS, {}),
        (tiny_model(seed=5), ROWS, {}),
        (tiny_model(), ROWS[::-1], {}),
        (tiny_model(), ROWS, {"blocks": (0,)}),
        (tiny_model(), ROWS, {"bf16": True}),
    ]
    for number, (model, rows, options) in enumerate(cases, start=1):
        _, told = vectors(model, rows, **options)
        assert "encoding" in told[0]
        assert len(list(cache.iterdir())) == number


@pytest.mark.parametrize("content", [b"", b"no vectors", "half", "shape", "nan"])
def test_what_is_broken_is_made_again(content: bytes | str, cache: Path) -> None:
    made, _ = vectors(tiny_model())
    (file,) = cache.iterdir()
    if content == "half":
        file.write_bytes(file.read_bytes()[:200])
    elif isinstance(content, bytes):
        file.write_bytes(content)
    else:
        module._write(file, made[:2] if content == "shape" else made * float("nan"))
    again, told = vectors(tiny_model())
    assert told == ["encoding them with the frozen backbone"]
    assert torch.equal(again, made)
    assert vectors(tiny_model())[1][0].startswith("taking")


def test_memory_that_is_not_enough_names_the_options_to_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    model = tiny_model()
    monkeypatch.setattr(module, "pool_texts", full)
    with pytest.raises(OutOfMemory, match=r"not enough for encoding them \(2\.00 GiB more\)\. .*a smaller max_length"):
        vectors(model)


def test_little_text_and_private_text_are_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors(tiny_model(), keep=False)
    monkeypatch.setattr(module, "_WORTH_KEEPING", 1000)
    vectors(tiny_model())
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_said_and_no_more(cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("in the way")
    made, told = vectors(tiny_model())
    assert made.shape == (4, 32)
    assert "could not be kept" in told[1]


def test_a_full_disk_is_said_and_no_more(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise SafetensorError("no space left")

    monkeypatch.setattr(module, "save_file", full)
    made, told = vectors(tiny_model())
    assert made.shape == (4, 32)
    assert "no space left" in told[1]
    assert not list(cache.iterdir())


def test_what_a_killed_run_left_behind_goes(cache: Path) -> None:
    cache.mkdir(parents=True)
    for name, age in ((".new-old", 100_000), (".new-young", 10)):
        (cache / name).write_text("half")
        os.utime(cache / name, (time.time() - age, time.time() - age))
    vectors(tiny_model())
    assert {file.name for file in cache.iterdir() if file.name.startswith(".")} == {".new-young"}


def test_vectors_above_the_bound_are_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 100)
    vectors(tiny_model())
    assert not cache.exists()


def test_the_longest_unused_go(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 0
    for seed in range(4):
        vectors(tiny_model(seed=seed))
        size = size or next(cache.iterdir()).stat().st_size
        monkeypatch.setattr(module, "_MOST_BYTES", 2 * size)
    assert len(list(cache.iterdir())) == 2
    assert vectors(tiny_model(seed=3))[1][0].startswith("taking")
    assert vectors(tiny_model(seed=0))[1][0].startswith("encoding")


def test_adapters_do_not_depend_on_who_made_the_vectors(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display = Watching()
    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(display))
    options: dict[str, Any] = {"lang": "sw", "parallel": PAIRS, "source_lang": "en", "max_steps": 3, "batch_size": 8}
    first = train_adapter(**options, backbone=tiny_model())
    second = train_adapter(**options, backbone=tiny_model())
    assert sum("from an earlier run" in line for line in display.notes) == 2  # the translations and pairs of them
    assert second.weights_sha256 == first.weights_sha256
    train_adapter(**options, private=True, backbone=tiny_model())
    assert sum("from an earlier run" in line for line in display.notes) == 2  # the translations and pairs of them
    assert len(list(cache.iterdir())) == 2
