"""Which examples of test data an evaluation takes."""

from dataclasses import dataclass

from adaptkit.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Selection(Options):
    """A part of test data; what is left out of a benchmark's test set is said in the report.

    Raises:
        ConfigError: A value that cannot be right.
    """

    split: str = option("test", "split of the benchmark")
    limit: int | None = option(
        None, "evaluate only so many examples of each language, spread over its test set, for a quick look", least=1
    )
    group: str | None = option(None, "only examples of this group (an XNLI genre)")
