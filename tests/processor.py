"""The suite as another processor would run it, chosen by two environment variables before torch is imported.

`ADAPTKIT_TEST_PROCESSOR=avx2`: no instructions wider than AVX2, and no bfloat16 units; `=plain`: torch's own kernels
without any vector instructions, and matrix products as with AVX2. `ADAPTKIT_TEST_THREADS=2`: two threads, and not one.
"""

import os
from functools import cache

PROCESSOR = os.environ.get("ADAPTKIT_TEST_PROCESSOR", "native")
THREADS = int(os.environ.get("ADAPTKIT_TEST_THREADS", "1"))
_KERNELS = {"avx2": "avx2", "plain": "default"}
_MISSING = ("avx512", "amx", "avx10", "bf16")


def act_as_chosen() -> None:
    """Bind torch to the chosen processor and threads; called before the first import of torch."""
    os.environ["OMP_NUM_THREADS"] = str(THREADS)
    if PROCESSOR != "native":
        os.environ["ATEN_CPU_CAPABILITY"] = _KERNELS[PROCESSOR]
        os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"
        os.environ["MKL_ENABLE_INSTRUCTIONS"] = "AVX2"
    import torch

    # Tiny models gain nothing from a second thread, and on a busy machine lose much by waiting for it.
    torch.set_num_threads(THREADS)
    if PROCESSOR != "native":
        found = torch.cpu.get_capabilities()
        left = {name: value for name, value in found.items() if not name.startswith(_MISSING)}
        torch.cpu.get_capabilities = cache(lambda: left)
