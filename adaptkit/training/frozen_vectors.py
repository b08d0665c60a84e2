"""Vectors of a frozen backbone, kept on disk by what they are vectors of: seeds and settings share them."""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from adaptkit.backbones.kept_folder import cache_folder
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.backbones.precision import bfloat16_blocks, types_as_said
from adaptkit.data.batching import chunks
from adaptkit.data.tokens import TokenStore
from adaptkit.format.folder import whole_file
from adaptkit.layers.pooling import pool_texts
from adaptkit.model import AdaptedModel
from adaptkit.terminal.asking import as_typed
from adaptkit.training.processes import Processes

_BATCH = 64
"""Not the run's batch size: the last digits depend on it, and runs of all batch sizes share what is kept."""
_WORTH_KEEPING = 20_000
"""Tokens; fewer are encoded in seconds."""
_MOST_BYTES = 2 * 2**30
"""All files together; those unused for longest go first."""
_LEFT_BEHIND_S = 86_400
"""A file that a run was still writing so long ago is one that it left behind."""
_NAME = "vectors"


def frozen_vectors(
    model: AdaptedModel,
    store: TokenStore,
    *,
    blocks: tuple[int, ...] = (),
    bf16: bool,
    keep: bool,
    what: str,
    note: Callable[[str], None],
    first_lengths: NDArray[np.int32] | None = None,
) -> Tensor:
    """Vectors of texts under no adapter, after the last block or after these, from the cache folder or made now.

    With `keep` they are looked for, and left, in the cache folder; `what` they are is said by `note`. Rows may hold two
    texts, `first_lengths` (len(store)) says where the second begins, 0 where there is none; the vectors of second texts
    stand behind those of all rows.

    Several processes make a part of them each, and all have them all; the main one keeps them.

    Shape: (n_texts, hidden_width), or that width for each of `blocks`; float32 on the CPU.

    Raises:
        OutOfMemory: The memory does not hold a batch; it says which options to turn.
        ProcessFailed: Another process has other texts or another backbone, or something went wrong in it.
    """
    processes = Processes(model.backbone.device)
    lengths = np.zeros(len(store), np.int32) if first_lengths is None else first_lengths
    n_texts = len(store) + int((lengths > 0).sum())
    processes.require_same(
        {
            what: store.sha256(),
            "number of texts": str(n_texts),
            "backbone": f"{model.backbone.fingerprint.id} ({model.backbone.held_as})",
            "precision": _precision(bf16=bf16),
        }
    )
    shape = (n_texts, model.backbone.shape.hidden_width * max(1, len(blocks)))
    with processes.together():
        path = _place(model, store, lengths, blocks, bf16=bf16) if keep and store.n_tokens >= _WORTH_KEEPING else None
        found = None if path is None else _read(path, shape)
    (lacking,) = processes.any(found is None)
    if path is not None and found is not None and not lacking:
        note(f"taking the vectors of {what} from an earlier run ({path.parent})")
        return found
    note(f"encoding {what} with the frozen backbone")
    # Told before they meet in the sum, where one that failed would be waited for.
    with processes.together():
        vectors = torch.zeros(shape)
        with memory_errors_told(f"encoding {what.rstrip(',')}", model.backbone.device, _ways()):
            _encode_share(vectors, model, store, lengths, blocks, processes, bf16=bf16)
    processes.sum_rows(vectors)
    if path is not None and processes.is_main:
        try:
            _write(path, vectors)
        except (OSError, SafetensorError) as error:
            note(f"the vectors could not be kept for later runs: {error}")
    return vectors


def _ways() -> str:
    return (
        f"Texts are encoded {_BATCH} at a time, whatever batch_size is. Ways to need less: a smaller max_length, a "
        f"backbone in fewer bits ({as_typed(bits=8)} or 4), and for mlm {as_typed(anchor=0)}, which needs no vectors."
    )


def _encode_share(
    vectors: Tensor,
    model: AdaptedModel,
    store: TokenStore,
    lengths: NDArray[np.int32],
    blocks: tuple[int, ...],
    processes: Processes,
    *,
    bf16: bool,
) -> None:
    """Put the vectors that this process makes in their places."""
    second = len(store) - 1 + np.cumsum(lengths > 0)
    batches = chunks(np.argsort(store.lengths, kind="stable").tolist(), _BATCH)
    with types_as_said(model.backbone.device), bfloat16_blocks(model.network, on=bf16), torch.inference_mode():
        # Of every few batches one each, as they grow longer and longer.
        for rows in batches[processes.index :: processes.count]:
            ids, mask = model.backbone.pad([store[row] for row in rows])
            hidden = model(ids, mask, blocks=blocks)
            places = [*rows, *(int(second[row]) for row in rows if lengths[row])]
            firsts = torch.from_numpy(lengths[rows]).to(mask.device)
            vectors[places] = pool_texts(hidden, mask, firsts, model.sentences.pooled).cpu()


def _precision(*, bf16: bool) -> str:
    return "bf16" if bf16 else "fp32"


def _place(
    model: AdaptedModel, store: TokenStore, lengths: NDArray[np.int32], blocks: tuple[int, ...], *, bf16: bool
) -> Path:
    backbone = model.backbone
    held = (backbone.fingerprint.id, backbone.held_as, backbone.device.type, _precision(bf16=bf16))
    content = hashlib.sha256(lengths.tobytes()).hexdigest() if lengths.any() else "single"
    key = " ".join(map(str, (*held, blocks, store.sha256(), content)))
    return cache_folder() / "vectors" / f"{hashlib.sha256(key.encode()).hexdigest()}.safetensors"


def _read(path: Path, shape: tuple[int, int]) -> Tensor | None:
    """None where there is no such file, or none that is whole."""
    try:
        found = load_file(path).get(_NAME)
        os.utime(path)
    except (OSError, SafetensorError):
        return None
    sound = found is not None and tuple(found.shape) == shape and bool(found.isfinite().all())
    return found if sound else None


def _write(path: Path, vectors: Tensor) -> None:
    if vectors.numel() * vectors.element_size() > _MOST_BYTES:
        return
    with whole_file(path) as partial:
        save_file({_NAME: vectors.contiguous()}, partial)
    _make_room(path)


def _make_room(newest: Path) -> None:
    found: list[tuple[float, int, Path]] = []
    for file in newest.parent.iterdir():
        # Another process may be making room too.
        with suppress(FileNotFoundError):
            facts = file.stat()
            if file.suffix == ".safetensors":
                found.append((facts.st_mtime, facts.st_size, file))
            elif time.time() - facts.st_mtime > _LEFT_BEHIND_S:
                file.unlink()
    total = 0
    for _, size, file in sorted(found, reverse=True):
        total += size
        if total > _MOST_BYTES and file != newest:
            file.unlink(missing_ok=True)
