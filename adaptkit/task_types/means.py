"""One answer of those that several heads give."""

from collections.abc import Mapping, Sequence
from statistics import fmean


def mean_by_name(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of what several have under a name; all have the same names."""
    return {name: fmean(one[name] for one in each) for name in each[0]}
