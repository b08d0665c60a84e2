"""Adapter folders: read, and proven on the backbone that they were made for."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random

from torch import Tensor

from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from fuzz.folder_mutation import changed_folder
from fuzz.parcel import lay_out, pack, parcel_of, unpack
from fuzz.soundness import TEXTS, check_adapter, check_untouched, weights_size
from fuzz.target import Target
from fuzz.watch import SCRATCH
from tests.tiny import tiny_model

FOLDER = SCRATCH / "folder"
_GOLDEN = Path(__file__).parents[2] / "tests" / "golden"


@cache
def golden_folders() -> list[bytes]:
    """A golden adapter of every method and version."""
    return [pack(parcel_of(record.parent)) for record in sorted(_GOLDEN.glob("v*/*/adaptkit.json"))]


def lay_out_folder(data: bytes) -> None:
    """Write the folder that the bytes are."""
    lay_out(unpack(data), FOLDER)


def changed(data: bytes, random: Random) -> bytes:
    """Another folder."""
    return changed_folder(data, random, golden_folders())


@cache
def tiny(model_type: str) -> tuple[AdaptedModel, Tensor]:
    """A tiny model with what it gives when nothing is attached."""
    model = tiny_model(model_type)
    return model, model.encode(TEXTS)


def _load(_data: bytes) -> Callable[[], None]:
    return partial(check_adapter, load_adapter(FOLDER), weights_size(FOLDER))


def _verify(_data: bytes) -> Callable[[], None]:
    adapter = load_adapter(FOLDER)
    model, before = tiny("llama" if adapter.origin.shape.model_type == "llama" else "bert")
    try:
        model.attach(adapter)
        model.detach(adapter.id)
    finally:
        check_untouched(model, before)
    return lambda: None


LOAD = Target(seeds=golden_folders, mutate=changed, prepare=lay_out_folder, read=_load)
VERIFY = Target(seeds=golden_folders, mutate=changed, prepare=lay_out_folder, read=_verify)
