"""What an adapter for each row costs one thread with and without AVX-512: processor time over the bare backbone's.

`python -m benchmarks.run serving_rows [--repeats 9] [--rank 8]`. Each kind of processor is a process of its own, in
which torch, oneDNN and MKL are told to use no more than that kind has; all calls in turn in every round.
"""

import argparse
import json
import os
from unittest.mock import patch

from benchmarks.process import measured
from benchmarks.write_results import write_result

PROCESSORS = {
    "as it is": {},
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
}
"""What tells the libraries to do without what the processor has besides."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--rank", type=int, default=8)
    options = parser.parse_args(arguments)
    flags = [f"--rank={options.rank}", f"--repeats={options.repeats}"]
    found = {}
    for name, told in PROCESSORS.items():
        with patch.dict(os.environ, {**told, "OMP_NUM_THREADS": "1"}):
            seconds = measured("serving_rows", flags)
        over = {what: round(each / seconds[f"{what.partition(': ')[0]}: bare"], 3) for what, each in seconds.items()}
        found[name] = {what: {"processor_s": round(seconds[what], 4), "over_bare": over[what]} for what in seconds}
        print(name, json.dumps(found[name], indent=1))
    print(write_result("serving_rows", seeds=[0], config=vars(options), measured=found))
