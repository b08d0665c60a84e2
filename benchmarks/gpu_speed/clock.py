"""Times and memory on a device: by CUDA's events where there are any, by the processor's clock elsewhere."""

import statistics
import time
from collections.abc import Callable

import torch
from torch.autograd import DeviceType  # type: ignore[attr-defined]
from torch.profiler import ProfilerActivity, profile

from adaptkit.backbones.hardware import peak_memory_bytes, wait_for

WARM_UP = 3


def seconds_of(call: Callable[[], object], device: torch.device) -> float:
    """How long one call takes until the device is done."""
    wait_for(device)
    started = time.perf_counter()
    call()
    wait_for(device)
    return time.perf_counter() - started


def median_ms(call: Callable[[], object], device: torch.device, repeats: int, warm_up: int = WARM_UP) -> float:
    """Median milliseconds of a call that finds the device idle, after so many that are not counted."""
    for _ in range(warm_up):
        call()
    once = _event_ms if device.type == "cuda" else _clock_ms
    return round(statistics.median(once(call, device) for _ in range(repeats)), 4)


def _event_ms(call: Callable[[], object], device: torch.device) -> float:
    begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    torch.cuda.synchronize(device)
    begun.record()
    call()
    ended.record()
    torch.cuda.synchronize(device)
    return float(begun.elapsed_time(ended))


def _clock_ms(call: Callable[[], object], device: torch.device) -> float:
    return 1000 * seconds_of(call, device)


def forget_peak(device: torch.device) -> None:
    """Begin a new peak, as far as the device lets us: of a CPU, it is that of the process."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_mb(device: torch.device) -> float:
    """The most megabytes held since `forget_peak`."""
    return round(peak_memory_bytes(device) / 1e6, 1)


def computing_ms(call: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Milliseconds in which the device computes in one call, by torch's profiler; of a CPU, those of operations."""
    on_gpu = device.type == "cuda"
    for _ in range(WARM_UP):
        call()
    wait_for(device)
    with profile(activities=[ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU]) as found:
        for _ in range(repeats):
            call()
        wait_for(device)
    # Operations that the processor began are listed beside the kernels that they led to.
    own = DeviceType.CUDA if on_gpu else DeviceType.CPU
    events = [event for event in found.key_averages() if event.device_type == own]
    total = sum(event.self_device_time_total if on_gpu else event.self_cpu_time_total for event in events)
    return round(float(total) / 1000 / repeats, 4)
