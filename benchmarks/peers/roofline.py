"""What this machine can do at most: products of matrices of the backbone's shapes; prints one JSON line."""

import json

import torch
import torch.nn.functional as F

from benchmarks.peers.timing import median_of

ROWS, WIDTH, WIDE = 2048, 384, 1536


def main() -> None:
    print(json.dumps({f"{dtype}_flops": _flops(dtype) for dtype in ("bfloat16", "float32")}))


def _flops(name: str) -> float:
    dtype = getattr(torch, name)
    x, weight = torch.randn(ROWS, WIDTH).to(dtype), torch.randn(WIDE, WIDTH).to(dtype)
    return 2 * ROWS * WIDTH * WIDE / median_of(lambda: F.linear(x, weight), 50)


if __name__ == "__main__":
    main()
