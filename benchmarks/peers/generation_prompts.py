"""What texts are generated behind, and how long that takes. Imports nothing of ours."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from benchmarks.process_memory import forget_peak, peak_bytes

PROMPTS = [
    "Habari za asubuhi. Leo katika kijiji chetu",
    "The goat that lived behind the school",
    "Mvua ilinyesha usiku kucha, na asubuhi mto ulikuwa",
    "A short letter to my grandmother:",
    "Watoto wanne walikwenda sokoni kununua",
    "Three things that every farmer should know about maize are",
    "Mwalimu aliuliza swali, lakini hakuna mwanafunzi aliyeweza",
    "When the bus finally arrived at the station, everybody",
    "Chakula cha jioni kilikuwa tayari wakati",
    "The best way to learn a new language is",
    "Daktari alisema kwamba maji safi",
    "In the old harbour there is a boat whose name",
    "Baba yangu alijenga nyumba hii mwaka ule ambao",
    "Yesterday the market was full of",
    "Kitabu hiki kinaeleza jinsi ya",
    "It is never too late to plant",
]
Call = Callable[[], Sequence[Sequence[int]]]


def timed(calls: dict[str, Call], repeats: int) -> dict[str, Any]:
    """Tokens a second (median), by the clock and of the processor, and peak memory of each; and the new tokens.

    All are in turn. On a busy machine, the time of the processor says more.
    """
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    peaks: dict[str, int] = {}
    tokens: dict[str, list[list[int]]] = {}
    for number in range(repeats + 1):
        for name, call in calls.items():
            forget_peak()
            started, cpu_started = time.perf_counter(), time.process_time()
            ids = [list(row) for row in call()]
            taken = time.perf_counter() - started, time.process_time() - cpu_started
            if number:
                seconds[name].append(taken)
            peaks[name], tokens[name] = max(peaks.get(name, 0), peak_bytes()), ids
    n_tokens = {name: sum(map(len, rows)) for name, rows in tokens.items()}
    return {
        "tokens_per_s": {name: n_tokens[name] / median(wall for wall, _ in each) for name, each in seconds.items()},
        "tokens_per_cpu_s": {name: n_tokens[name] / median(cpu for _, cpu in each) for name, each in seconds.items()},
        "peak_memory_bytes": peaks,
        "ids": tokens,
    }
