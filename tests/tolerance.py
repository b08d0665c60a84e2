"""How far two computations of one quantity may differ, on any processor.

A sum rounds at each step. Processors, shapes of batches, numbers of threads and libraries add the same terms in another
order, or split one product in two. So equal formulas give results that differ in their last bits. How much is bound by
the type of the numbers and by the size of the terms, not by the result, which may be near zero:

    |found - expected| <= ROUNDINGS * eps(type) * size

`size` is the largest value of the result, which stands for the terms. `ROUNDINGS` says how many roundings may add up.
Through the two blocks of a tiny backbone (sums of 32 and 64 terms, and norms that divide by a small spread) up to 11
have been seen; 64 leaves room, and is still 7.6e-6 of the size in float32.

Where the same operations run on the same shapes, bits are equal, and `torch.equal` says so: after detach, after save
and load, after a resumed run, and when a run is repeated with the same seed on the same machine.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

ROUNDINGS = 64


def assert_equal_but_for_rounding(found: Tensor, expected: Tensor) -> None:
    """Assert that two tensors differ by what rounding explains, in the coarser of their types."""
    assert found.shape == expected.shape
    eps = max(torch.finfo(tensor.dtype).eps for tensor in (found, expected))
    size = float(expected.detach().double().abs().max())
    torch.testing.assert_close(found.double(), expected.double(), rtol=0, atol=ROUNDINGS * eps * size)


def rounded(expected: float, dtype: torch.dtype = torch.float32) -> Any:  # noqa: ANN401 - as pytest.approx
    """One number, to be compared with `==`, that was computed in this type."""
    return pytest.approx(expected, rel=ROUNDINGS * torch.finfo(dtype).eps, abs=0)
