from io import StringIO

from rich.console import Console

from adaptkit.training import open_display
from adaptkit.training.progress import Progress

MEASURES = {"loss": 2.0, "token_loss": 1.0}


BETTER = {"loss": 1.5, "token_loss": 0.5}


def shown(*, terminal: bool) -> str:
    written = StringIO()
    with open_display(shown=True, console=Console(file=written, force_terminal=terminal, width=200)) as display:
        display.note("the plan [of the run]")
        display.heldout(MEASURES, {})
        display.step(Progress(step=10, tokens=5_000, elapsed_s=2.0), 10, 1.25)
        display.heldout(BETTER, {"accuracy": 81.25, "macro F1": 79.5})
    return written.getvalue()


def test_a_file_gets_a_line_with_the_figures() -> None:
    text = shown(terminal=False)
    assert "the plan [of the run]\n" in text
    for figure in ("step 10/10", "2,500 tokens/s", "loss 1.250", "held-out 2.000 (pseudo-perplexity 2.7)", "GiB"):
        assert figure in text.replace("\n", " ")
    # Each held-out loss has a line of its own, and none stands beside a later step.
    assert [line.split(" (")[0] for line in text.splitlines() if "held-out" in line] == [
        "held-out 2.000",
        "held-out 1.500",
    ]
    # The main score alone: there is little room.
    assert "held-out 1.500 (pseudo-perplexity 1.6), accuracy 81.2\n" in text


def test_a_terminal_gets_a_bar() -> None:
    text = shown(terminal=True)
    assert "100%" in text
    assert "2,500 tokens/s" in text
    assert "held-out 1.500 (pseudo-perplexity 1.6), accuracy 81.2" in text.rpartition("training")[2]


def test_nothing_is_shown_where_nothing_is_wanted() -> None:
    written = StringIO()
    with open_display(shown=False, console=Console(file=written)) as display:
        display.note("the plan")
        display.step(Progress(step=1), 1, 0.0)
        display.heldout(MEASURES, {})
    assert written.getvalue() == ""
