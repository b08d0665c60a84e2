"""Values of options are those that their annotations and bounds allow, in every class of options that there is."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pytest

import adaptkit
from adaptkit.errors import ConfigError
from adaptkit.labelled import ReadingOptions
from adaptkit.methods import METHODS
from adaptkit.objectives import OBJECTIVES
from adaptkit.options import Option, Options, option, options_of
from adaptkit.regularisers import REGULARISERS
from adaptkit.requests import (
    DomainRequest,
    Explaining,
    LanguageRequest,
    Measuring,
    Output,
    Pretrained,
    Run,
    Selection,
    TaskRequest,
)
from adaptkit.terminal.asking import shell_words

NEEDED: dict[type, dict[str, Any]] = {
    LanguageRequest: {"lang": "sw"},
    DomainRequest: {"domain": "farming", "lang": "sw", "text": ["Maji"]},
    TaskRequest: {"task": "topics", "data": "topics.tsv"},
    Run: {},
    Output: {"folder": "sw"},
    Pretrained: {},
    ReadingOptions: {},
    adaptkit.Coral: {"unlabelled": ["Maji"]},
    adaptkit.Dann: {"unlabelled": ["Maji"]},
    Selection: {},
    Measuring: {},
    Explaining: {},
}
CLASSES: list[type[Options]] = [
    *NEEDED,
    *(row.options for row in METHODS.values() if row.options is not None),
    *(row.options for row in OBJECTIVES.values()),
    *(row.options for row in REGULARISERS.values()),
]
READ_BY_OTHERS = {"text", "unlabelled", "parallel", "lexicon", "data", "dev", "on", "start"}
"""Options whose types are sources of many shapes: who reads them says what is wrong."""


def each() -> Iterator[Any]:
    for made in dict.fromkeys(CLASSES):
        for found in options_of(made).values():
            if found.name not in READ_BY_OTHERS:
                yield pytest.param(made, found, id=f"{made.__name__}.{found.name}")


@pytest.mark.parametrize(("made", "entry"), list(each()))
def test_a_value_of_no_type_at_all_is_refused(made: type[Options], entry: Option) -> None:
    with pytest.raises(ConfigError, match=rf"^{entry.field} takes .*, found <object object") as refused:
        made(**{**NEEDED.get(made, {}), entry.field: object()})
    assert "typing" not in str(refused.value)
    assert "<class" not in str(refused.value)


@pytest.mark.parametrize(("made", "entry"), list(each()))
def test_the_default_is_what_the_annotation_says(made: type[Options], entry: Option) -> None:
    usual = made(**NEEDED.get(made, {}))
    assert vars(made(**{**NEEDED.get(made, {}), entry.field: vars(usual)[entry.field]})) == vars(usual)


WRONG: dict[str, tuple[type[Options], dict[str, Any]]] = {
    "max_steps takes an integer or None, found '3'.": (Run, {"max_steps": "3"}),
    "seed takes an integer, found True.": (Run, {"seed": True}),
    "batch_size takes an integer, found 2.5.": (Run, {"batch_size": 2.5}),
    "progress takes True or False, found 'no'.": (Run, {"progress": "no"}),
    "precision takes auto, fp32 or bf16, found 'fp8'.": (Run, {"precision": "fp8"}),
    "rank takes an integer, found '8'.": (adaptkit.Lora, {"rank": "8"}),
    "sites takes None or a tuple, each part of it attention.query,": (adaptkit.Lora, {"sites": "attention"}),
    "blocks takes None or a tuple, each part of it an integer, found ('0',).": (adaptkit.Lora, {"blocks": ("0",)}),
    "bits takes 32, 16, 8 or 4, found '4'.": (Pretrained, {"bits": "4"}),
    "bits takes 32, 16, 8 or 4, found 5.": (Pretrained, {"bits": 5}),
    "embeddings takes resident, paged, fp16, int8, nf4, found 'int9'. Did you mean 'int8'?": (
        Pretrained,
        {"embeddings": "int9"},
    ),
    "folder takes a text, a path or None, found 3.": (Output, {"folder": 3}),
    "columns takes a mapping from a text to a text, found ['a'].": (ReadingOptions, {"columns": ["a"]}),
    "score_range takes a tuple of 2: a number, a number, found (0,).": (ReadingOptions, {"score_range": (0,)}),
    "labels takes a tuple, each part of it a text, found 'yes'.": (ReadingOptions, {"labels": "yes"}),
    "dropout must be at least 0 and below 1, found 1.5.": (adaptkit.Lora, {"dropout": 1.5}),
    "anchor must be a finite number, found inf.": (adaptkit.Mlm, {"anchor": math.inf}),
    "rank must lie between 1 and 4,096, found 5000.": (adaptkit.Lora, {"rank": 5000}),
}


@pytest.mark.parametrize("said", WRONG)
def test_the_message_has_what_was_asked_what_was_found_and_what_would_be_right(said: str) -> None:
    made, given = WRONG[said]
    with pytest.raises(ConfigError) as refused:
        made(**given)
    assert str(refused.value).startswith(said)


def test_in_a_shell_it_has_the_flag() -> None:
    with shell_words(), pytest.raises(ConfigError, match=r"^--max-steps must be at least 1, found 0\.$"):
        Run(max_steps=0)
    with shell_words(), pytest.raises(ConfigError, match=r"^--output takes"):
        Output(3)  # type: ignore[arg-type]


def test_lists_and_numbers_of_numpy_are_taken_as_what_they_mean() -> None:
    asked = adaptkit.Lora(rank=np.int64(4), blocks=[np.int64(0), 1], alpha=np.float32(8))  # type: ignore[arg-type]
    assert asked == adaptkit.Lora(rank=4, blocks=(0, 1), alpha=8.0)
    assert [type(value) for value in (asked.rank, *(asked.blocks or ()), asked.alpha)] == [int, int, int, float]
    assert adaptkit.Lora(alpha=8).alpha == 8


class Wing(Protocol):
    def fly(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Strange(Options):
    """What nobody has thought of."""

    wing: Wing | None = option(None, "a protocol")
    names: Mapping[str, int] = option(dict, "numbers by name")
    later: "int" = option(3, "an annotation that is written down", most=5)


def test_options_of_a_stranger_are_looked_at_too() -> None:
    Strange(wing="anything")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="names takes a mapping from a text to an integer, found "):
        Strange(names={"a": "b"})  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="later takes an integer, found '4'"):
        Strange(later="4")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="later must be at most 5, found 6"):
        Strange(later=6)
