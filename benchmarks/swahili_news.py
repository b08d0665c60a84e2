"""The text that training is timed on: Swahili sentences of the Voice of America."""

import gzip

from benchmarks.write_results import data_folder


def lines() -> list[str]:
    """Each sentence once, in the order of the file."""
    with gzip.open(data_folder() / "text/voa/swahili/voa_clean_final.txt.gz", "rt", encoding="utf-8") as file:
        return list(dict.fromkeys(line.strip() for line in file if line.strip()))
