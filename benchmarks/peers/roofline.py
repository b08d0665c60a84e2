"""What this machine can do at most: products of matrices of the backbone's shapes; prints one JSON line."""

import json
import statistics
import time

import torch
import torch.nn.functional as F

ROWS, WIDTH, WIDE = 2048, 384, 1536


def main() -> None:
    print(json.dumps({f"{dtype}_flops": _flops(dtype) for dtype in ("bfloat16", "float32")}))


def _flops(name: str) -> float:
    dtype = getattr(torch, name)
    x, weight = torch.randn(ROWS, WIDTH).to(dtype), torch.randn(WIDE, WIDTH).to(dtype)
    times = []
    for _ in range(60):
        started = time.perf_counter()
        F.linear(x, weight)
        times.append(time.perf_counter() - started)
    return 2 * ROWS * WIDTH * WIDE / statistics.median(times[10:])


if __name__ == "__main__":
    main()
