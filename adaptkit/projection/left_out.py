"""Pairs of sentences that a projection leaves out, counted by reason, in words."""

from collections.abc import Iterator, Mapping

from adaptkit.terminal.amounts import counted


def lines_of(left_out: Mapping[str, int]) -> Iterator[str]:
    """A line for each reason, as a result shows them."""
    return (f"{counted(count, 'pair')} left out: {reason}" for reason, count in left_out.items())


def reasons_in(left_out: Mapping[str, int]) -> str:
    """All reasons that there are in one sentence, the most frequent first, as an error shows them."""
    ranked = sorted(left_out.items(), key=lambda item: -item[1])
    return "; ".join(f"{count:,}: {reason}" for reason, count in ranked if count) + "."
