"""How far a result on a GPU may be from the same on the CPU, as a share of its length, and why.

Both compute with the same numbers in another order. A sum of n products of a type with rounding error u is off by about
sqrt(n) * u; a backbone of 12 blocks has some 80 of them one after the other, and layer norms between them keep errors
from growing. What these give is rounded up to the next of 1, 3 and 10. How much the numbers of another order differ was
also measured on the CPU, where every product was given a random error of its type
(tests/cuda/jitter.py): in none of the cases half of what is allowed here, but for bf16, where it was two thirds.
"""

FP32 = 1e-4
"""u = 6e-8, n up to 1,536, 80 sums: 2e-5. A kernel that computes in TF32 (u = 5e-4) is noticed."""

BF16 = 3e-2
"""u = 2e-3 for every result that is stored, 80 of them: 1.7e-2; sums are kept in fp32."""

INT8 = 3e-3
"""The same codes on both, but where rounding to 8 bits met a tie: such a code is off by 1/127 of the row's largest, and
moves a row of a tiny backbone by half a hundredth."""

NF4 = 1e-2
"""The same codes on both. Scales are quantised too, after their mean was taken off, which is a sum: one in ten thousand
scales may take the next of 256 values, which moves its 64 weights by a hundredth."""


GRADIENT = {"fp32": 1e-3, "bf16": 1e-1}
"""Of a first step. Backward has twice the products of forward, and a sum over all tokens of a batch, in which much
cancels out: ten times the error of vectors in fp32, and in bf16 three times."""

TRAINED = 2e-2
"""Of the way that the weights went in a few steps in fp32, as a share of its length. AdamW divides each gradient by its
own size, so that the smallest, which are nothing but rounding, move their weights as far as all others. In bf16 those
are so many that the way is not compared; gradient and losses are."""

TRAINED_HEAD = 0.3
"""The same for tasks. Of scores that are compared with each other, places of an answer or choices, a bias has no
gradient but rounding, and is one of the few dozen weights of a tiny head."""

LOSS = {"fp32": 1e-4, "bf16": 2e-2}
"""Held-out, means over few sentences: as vectors."""

LEARNED = 1e-1
"""The same in bf16, of a head that answers its few examples surely, as one that began as a regression does. Such a loss
is nearly exp(-margin), and moves by as much of itself as a margin of some units moves: three times what vectors do."""

SAME_RUN = 1e-3
"""A run on the GPU and the same again: some of its kernels sum in another order every time."""


def of_form(bits: int, *, bf16: bool) -> float:
    """The limit for vectors of a backbone of so many bits. Word embeddings are always quantised on the CPU."""
    return max({8: INT8, 4: NF4}.get(bits, FP32), BF16 if bf16 or bits == 16 else FP32)


def of_training(bits: int, precision: str, *, with_head: bool) -> dict[str, float]:
    """The limits of a short training."""
    quantised = {8: 10.0, 4: 100.0}.get(bits, 1.0) if precision == "fp32" else 1.0
    return {
        "first gradient": min(0.1, GRADIENT[precision] * quantised),
        "loss before": min(2e-2, LOSS[precision] * quantised),
        "loss after": LEARNED if with_head and precision == "bf16" else min(2e-2, LOSS[precision] * quantised),
        "steps": min(0.5, (TRAINED_HEAD if with_head else TRAINED) * quantised),
    }
