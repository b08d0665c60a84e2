"""Sentiment of reviews in six domains (fdu-mtl): labelled for training and test, and without labels."""

import gzip

from adaptkit.data.tasks import TaskData
from adaptkit.labelled import read_labelled
from adaptkit.task_types import LabelledText
from benchmarks.write_results import data_folder

DOMAINS = ("books", "electronics", "health_personal_care", "kitchen_housewares", "software", "MR")
_LABELS = {"0": "negative", "1": "positive"}


def reviews(domain: str, split: str) -> TaskData:
    """Reviews of a domain with their labels; `split` is train or test."""
    rows = [line.partition("\t") for line in _lines(domain, split)]
    found = [LabelledText(text=text.strip(), label=_LABELS[label], language="en") for label, _, text in rows]
    return read_labelled(found)


def unlabelled(domain: str) -> list[str]:
    """Reviews of a domain that nobody has labelled."""
    return [" ".join(line.split()) for line in _lines(domain, "unlabel")]


def _lines(domain: str, part: str) -> list[str]:
    content = gzip.decompress((data_folder() / f"fdu-mtl/{domain}.task.{part}.gz").read_bytes())
    # Film reviews (MR) are in Latin-1, as their README says.
    text = content.decode("latin-1" if domain == "MR" else "utf-8")
    return [line for line in text.split("\n") if line.strip()]
