"""The summary of a plan in a real browser, at the widths of a phone and of a desk."""

from dataclasses import replace
from pathlib import Path

import pytest

from adaptkit.plans.outcome import Learned, Outcome
from adaptkit.plans.page import page
from tests.browser import DESK, PHONE, measure, needs_browser

LEARNED = Learned(
    objective="distill",
    heldout_loss_before=1.482,
    heldout_loss_after=0.913,
    steps=900,
    elapsed_s=1432.0,
    tokens_per_s=1534.2,
    peak_memory_bytes=2_400_000_000,
    size_bytes=5_300_000,
    stopped_because="all steps done",
    hardware="2 cores",
    licence="CC-BY-4.0 and CC-BY-SA-3.0",
    source="",
)
OUTCOMES = [
    Outcome(id="language/sw", came="trained", folder=Path("adapters/sw"), learned=LEARNED),
    Outcome(id="language/wal-Latn", came="was done", folder=Path("adapters/languages/wal-Latn"), learned=LEARNED),
    Outcome(id="task/topics", came="failed", folder=Path("adapters/topics"), error="the text has 12 sentences."),
]


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_summary_is_read_without_scrolling_sideways(width: int, tmp_path: Path) -> None:
    long = replace(OUTCOMES[0], id="language/" + "abcdefgh" * 8, folder=Path("adapters/" + "abcdefgh" * 30))
    for outcomes in (OUTCOMES, [*OUTCOMES, long] if width == PHONE else OUTCOMES):
        found = measure(page("2 of 3 adapters are there", outcomes, 3021.0, 2), tmp_path, width)
        assert (found.scroll_width, found.n_sticking_out, found.n_scrolling_boxes) == (width, 0, 0)
