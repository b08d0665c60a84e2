"""What a run will cost on this machine, measured on a few of its batches."""

import statistics
from dataclasses import dataclass

import torch

from adaptkit.backbones import Backbone
from adaptkit.backbones.hardware import hardware_name
from adaptkit.backbones.out_of_memory import gpu_bytes
from adaptkit.backbones.precision import has_fast_bfloat16, run_type
from adaptkit.config import Precision
from adaptkit.data.triage import Triage
from adaptkit.recipes.fitting import Fitting
from adaptkit.training import RunData

_MEASURED_BATCHES = 5
_SAFE_SHARE = 0.9


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Times in seconds, sizes in bytes. `n_sentences` are sentences, or labelled examples; those have no triage."""

    triage: Triage | None
    objective: str
    n_sentences: int
    n_steps: int
    elapsed_s: float
    peak_memory_bytes: int
    adapter_bytes: int

    def cost(self, batch_size: int) -> str:
        """A line that says it."""
        minutes = f"{self.elapsed_s:.0f} s" if self.elapsed_s < 90 else f"{self.elapsed_s / 60:.0f} min"
        return (
            f"{self.n_steps:,} steps of {batch_size}, about {minutes}, peak memory about "
            f"{self.peak_memory_bytes / 2**30:.1f} GiB (both measured on a few batches)"
        )


_ENCODING_SPEED = {32: 4442, 16: 13144, 8: 4327, 4: 4300}
"""Tokens a second of encoding with the embedded backbone on two CPU cores with bf16, by bits. Training, in bf16 at all
of them, differs by an eighth (benchmarks/results/20261122-145442-memory.json)."""


def machine_notes(backbone: Backbone, precision: Precision, estimate: Estimate) -> list[str]:
    """Where a run computes and in what type, and what may go wrong or slow there."""
    device, dtype = backbone.device, run_type(precision, backbone.device)
    named = "" if device.type == "cpu" else f"{device}, "
    lines = [f"device: {named}{hardware_name(device)}, in {str(dtype).removeprefix('torch.')}"]
    held = gpu_bytes(device)
    if held is not None and estimate.peak_memory_bytes > _SAFE_SHARE * held:
        lines.append(
            f"note: the run needs nearly all of the {held / 2**30:.1f} GiB that it can have of this GPU. If they are "
            "not enough: a smaller batch_size, gradient_checkpointing, a smaller max_length, or fewer bits."
        )
    return lines + slower_bits(backbone.bits, device)


def slower_bits(bits: int, device: torch.device) -> list[str]:
    """A line where a backbone of few bits is known to be slow in use on this kind of hardware."""
    if bits not in (8, 4) or not has_fast_bfloat16(device) or device.type != "cpu":
        return []
    share = _ENCODING_SPEED[bits] / _ENCODING_SPEED[16]
    return [
        f"note: on a CPU, {bits} bits save memory and not time: they encode at {share:.0%} of the speed of 16 bits "
        "(measured on the embedded backbone)"
    ]


def measure(
    fitting: Fitting,
    data: RunData,
    *,
    batch_size: int,
    max_steps: int,
    objective: str,
    n_sentences: int,
    triage: Triage | None = None,
) -> Estimate:
    """Run some batches of all sizes, and the largest one. Trains nothing.

    Of several processes, the memory is that of the one that needs most.
    """
    batches = sorted(data.batches(batch_size, 0), key=data.n_tokens)
    step = max(1, len(batches) // _MEASURED_BATCHES)
    # The largest last: memory that smaller ones have left in pieces does not serve it, as in a long run.
    seconds = [fitting.run.measure_step(rows) for rows in batches[step // 2 :: step][:_MEASURED_BATCHES]]
    fitting.run.measure_step(batches[-1])
    return Estimate(
        triage=triage,
        objective=objective,
        n_sentences=n_sentences,
        n_steps=max_steps,
        elapsed_s=statistics.median(seconds) * max_steps,
        peak_memory_bytes=fitting.run.peak_memory_bytes(),
        adapter_bytes=4 * sum(tensor.numel() for tensor in fitting.layers.named_tensors().values()),
    )
