"""What `estimate` predicted, against what training then took, as the last benchmark of it recorded both."""

import json
from pathlib import Path

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"


def test_predicted_memory_is_within_a_tenth_of_what_was_measured_in_twelve_combinations() -> None:
    """`python -m benchmarks.run estimate` writes the file; each prediction and each run had a process of its own."""
    (*_, last) = sorted(RESULTS.glob("*-estimate.json"))
    combinations = json.loads(last.read_text(encoding="utf-8"))["measured"]
    ratios = {
        name: each["predicted"]["peak_memory_bytes"] / each["measured"]["peak_memory_bytes"]
        for name, each in combinations.items()
    }
    assert len([ratio for ratio in ratios.values() if 0.9 <= ratio <= 1.1]) >= 12
    assert {name: ratio for name, ratio in ratios.items() if not 0.85 <= ratio <= 1.15} == {}
