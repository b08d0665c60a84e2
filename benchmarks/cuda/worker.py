"""`python -m benchmarks.cuda.worker`: run what is left of the cases, in this process. The supervisor starts it."""

import gc
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import torch

from adaptkit.backbones.hardware import wait_for
from benchmarks.cuda.case import Case
from benchmarks.cuda.cases import all_cases
from benchmarks.cuda.options import DEAD, LATE, Options
from benchmarks.cuda.place import Place
from benchmarks.cuda.results import Results


def main(arguments: list[str]) -> int:
    """0: all done; `LATE`: there was no time for all; `DEAD`: the device is lost to this process."""
    options = Options.of(arguments)
    device = torch.device(options.device)
    _know_old_torch()
    torch.set_num_threads(min(4, torch.get_num_threads()))
    results = Results(options.output, {**config_of(device), "workers": str(options.workers)})
    cases = all_cases()
    with tempfile.TemporaryDirectory() as folder:
        place = Place(device, Path(folder))
        left = [cases[name] for name in options.of_share(list(cases)) if name not in results.cases]
        return run_all(left, place, results, until=options.until)


def run_all(cases: Sequence[Case], place: Place, results: Results, *, until: float) -> int:
    """Run the cases one after the other, whatever comes of each, until the clock says `until`."""
    for number, case in enumerate(cases):
        if time.time() > until:
            results.left([late.name for late in cases[number:]])
            print(f"out of time: {len(cases) - number} cases were not run", flush=True)
            return LATE
        run_one(case, place, results)
        if not _answers(place.device):
            return DEAD
    return 0


def run_one(case: Case, place: Place, results: Results) -> None:
    """Run a case and write its result."""
    results.begin(case.name)
    started = time.perf_counter()
    on_gpu = place.device.type == "cuda"
    try:
        if case.real:
            gc.collect()  # or what earlier cases held would count as this one's memory
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(place.device)
        outcome = case.run(place)
        wait_for(place.device)
    except Exception as error:
        results.broken(case.name, f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-6)}"[-4000:])
    else:
        peak = torch.cuda.max_memory_allocated(place.device) if on_gpu else None
        results.done(case.name, outcome, time.perf_counter() - started, peak)
    print(_line(case.name, results), flush=True)


def _line(name: str, results: Results) -> str:
    case = results.cases[name]
    if case["passed"]:
        figures = ", ".join(f"{key} {value:,.4g}" for key, value in case.get("figures", {}).items())
        return f"ok    {name}" + (f"   {figures}" if figures else "")
    wrong = {key: each for key, each in case.get("errors", {}).items() if _is_over(each)}
    return f"WRONG {name}: {case.get('error', wrong)}"


def _is_over(check: dict[str, float | str]) -> bool:
    error, limit = check["error"], check["limit"]
    return isinstance(error, str) or isinstance(limit, str) or not error <= limit


def _answers(device: torch.device) -> bool:
    """Whether the device still computes: after some faults of a kernel, nothing more can be done in the process."""
    if device.type != "cuda":
        return True
    try:
        return float(torch.ones(2, device=device).sum()) == 2.0
    except RuntimeError:
        return False


def config_of(device: torch.device) -> dict[str, str]:
    """What decides the numbers, and is not said elsewhere in the file."""
    tf32 = {"float32_matmul_precision": torch.get_float32_matmul_precision()}
    if device.type != "cuda":
        return {"device": str(device), **tf32}
    major, minor = torch.cuda.get_device_capability(device)
    return {
        "device": torch.cuda.get_device_name(device),
        "capability": f"{major}.{minor}",
        "cuda": str(torch.version.cuda),
        "memory_gib": f"{torch.cuda.get_device_properties(device).total_memory / 2**30:.1f}",
        **tf32,
    }


def _know_old_torch() -> None:
    """A torch older than adaptkit asks for, as a machine with a GPU may have, does not say what its CPU can do."""
    if not hasattr(torch.cpu, "get_capabilities"):
        setattr(torch.cpu, "get_capabilities", dict)  # noqa: B010 - there is no such attribute for mypy either


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
