"""What the load test counts: a wrong row is one, and rounding is none."""

import base64
import subprocess
import sys

import numpy as np
import psutil
import pytest

from benchmarks.cases.serve_load import WRONG, decoded, distance, least_distance, memory_of_each


def test_a_vector_of_another_stack_is_wrong_and_rounding_is_not() -> None:
    draw = np.random.default_rng(0)
    right = {("goat", f"language/x{n}"): draw.normal(size=8).astype(np.float32) for n in range(4)}
    one, other = right["goat", "language/x0"], right["goat", "language/x1"]
    assert distance(one + 1e-6, one) < WRONG < least_distance(right) <= distance(other, one)


def test_vectors_are_read_as_they_were_sent() -> None:
    sent = np.array([1.5, -2.25, 3e-7], dtype="<f4")
    answer = {"data": [{"embedding": base64.b64encode(sent.tobytes()).decode()}]}
    assert decoded(answer).tolist() == sent.tolist()
    assert distance(decoded(answer), sent) == pytest.approx(0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what processes share")
def test_memory_is_told_of_each_process() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        first, *others = memory_of_each(psutil.Process()).items()
        child.communicate(b"\n")
    assert first[0] == "process 0"
    assert first[1] > 20
    assert others
