"""How fast a backbone encodes texts on this machine: some batches of the caller's own text, timed."""

import time
from collections.abc import Sequence

from adaptkit.backbones.hardware import hardware_name, wait_for
from adaptkit.choosing.candidate import Speed
from adaptkit.model import AdaptedModel

_BATCH = 8
_LEAST_S = 2.0
_MOST_BATCHES = 16


def measured_speed(model: AdaptedModel, texts: Sequence[str]) -> Speed:
    """Encode batches of 8 for about two seconds, after one that warms up."""
    batches = [list(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)][:_MOST_BATCHES]
    lengths = [sum(map(len, model.backbone.tokenize(batch))) for batch in batches]
    model.encode(batches[0][:1])
    sentences = tokens = turn = 0
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < _LEAST_S:
        model.encode(batches[turn], batch_size=_BATCH)
        wait_for(model.backbone.device)
        sentences += len(batches[turn])
        tokens += lengths[turn]
        turn = (turn + 1) % len(batches)
    return Speed(
        sentences_per_s=sentences / elapsed,
        tokens_per_s=tokens / elapsed,
        bits=model.backbone.bits,  # type: ignore[arg-type]  # one of them
        hardware=hardware_name(model.backbone.device),
    )
