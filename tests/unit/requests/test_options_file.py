"""Options of a training in a TOML file, and the settings on a card as such a file."""

from pathlib import Path
from typing import Any

import pytest

from adaptkit.errors import ConfigError
from adaptkit.format.card import TrainingFacts
from adaptkit.objectives import OBJECTIVES
from adaptkit.options import recorded
from adaptkit.requests import TextRequest, request_of
from adaptkit.requests.options_file import options_in, read_options_file
from adaptkit.requests.settings_file import settings_file


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def options(folder: Path, text: str) -> dict[str, object]:
    path = written(folder, text)
    return options_in(read_options_file(path), path)


def test_a_file_says_what_flags_say(tmp_path: Path) -> None:
    text = """
    lang = "sw"
    max-steps = 300
    learning_rate = 1e-3
    invertible = true
    sites = ["attention.query", "ffn.output"]
    blocks = 1
    text = "owner/name"
    on = ["adapters/en"]
    """
    assert options(tmp_path, text) == {
        "lang": "sw",
        "max_steps": 300,
        "learning_rate": 1e-3,
        "invertible": True,
        "sites": ("attention.query", "ffn.output"),
        "blocks": (1,),
        "text": "owner/name",
        "on": (Path("adapters/en"),),
    }


def test_a_table_says_what_is_whose(tmp_path: Path) -> None:
    text = 'lang = ["sw", "zu"]\nname = "bantu"\nscore_range = [0, 5]\n[text]\nsw = "a.txt"\nzu = ["b.txt", "c.txt"]\n'
    found = options(tmp_path, text)
    assert found["lang"] == "sw,zu"
    assert found["score_range"] == (0.0, 5.0)
    assert found["text"] == {"sw": "a.txt", "zu": [Path("b.txt"), Path("c.txt")]}
    assert options(tmp_path, "[columns]\npair = 'other'\n") == {"columns": {"pair": "other"}}


WRONG = {
    "there is no option 'rnak'. Did you mean rank?": "rnak = 3",
    "rank takes an integer, found 'x'": 'rank = "x"',
    "invertible takes true or false, found '1'": "invertible = 1",
    "is a text, a number or a list of these": "max_steps = 2026-11-27",
    "is no TOML": "max_steps 3",
    "takes 32, 16, 8 or 4, found '5'": "bits = 5",
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_said(said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        options(tmp_path, WRONG[said])
    assert said in str(refused.value)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_options_file(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        read_options_file(written(tmp_path, f"# {'x' * 2**20}"))


def facts(settings: dict[str, Any], objective: str) -> TrainingFacts:
    zero: dict[str, Any] = dict.fromkeys(
        ("steps", "tokens", "elapsed_s", "tokens_per_s", "peak_memory_bytes", "heldout_loss_before"), 0
    )
    return TrainingFacts(
        **zero,
        objective=objective,
        heldout_loss_after=0,
        pseudo_perplexity_before=None,
        pseudo_perplexity_after=None,
        stopped_because="",
        settings=settings,
    )


def lora(**more: object) -> dict[str, Any]:
    return {"rank": 4, "blocks": (0, 2), "sites": ("attention.query",), **more}


ASKED: dict[str, dict[str, Any]] = {
    "distill": {"lang": "sw", "parallel": "a.tsv", "token_anchor": 1.0, "anchor_on": "shared", **lora()},
    "mlm": {"lang": "sw", "text": "a", "whole_words": True, "head_warmup": 3, "normalize": "NFC", **lora(dropout=0.1)},
    "clm": {"lang": "sw", "text": "a", "full_vocabulary": False, "method": "bottleneck", "reduction_factor": 8},
    "gloss": {"lang": "sw", "text": "a", "lexicon": ["d.tsv"], "switch_rate": 0.25, "learning_rate": 1e-4},
    "several": {"lang": "sw,zu", "name": "bantu", "text": {"sw": "a", "zu": "b"}, "sampling_alpha": 0.5},
    "domain": {"lang": "en", "domain": "health", "text": "a", "licence": 'a "quoted" \\ licence'},
    "task": {"task": "nli", "data": ["a.tsv"], "class_weights": "balanced", "r_drop": 1.0, "seed": 3, **lora()},
    "weighed": {"task": "t", "data": ["a.tsv"], "lang": "sw", "class_weights": {"x": 2.0, "y": 1.0}, "method": "head"},
}


@pytest.mark.parametrize("name", ASKED)
def test_the_settings_on_a_card_ask_for_the_same_training_again(name: str, tmp_path: Path) -> None:
    given = ASKED[name]
    objective = name if name in OBJECTIVES else "mlm"
    asked = request_of({**given, **({} if "task" in given else {"objective": objective})})
    if isinstance(asked, TextRequest):
        trained = OBJECTIVES[objective].options(
            **{each: value for each, value in given.items() if each in recorded(OBJECTIVES[objective].options())}
        )
        settings = dict(asked.record(trained))
    else:
        settings = dict(asked.record())
    text = settings_file("x/y", asked.kind, "tiny\nbert", facts({**settings, "known_words": 0.5}, objective))
    assert "# known_words: 0.5 (no option" in text
    again = request_of(
        {
            **options(tmp_path, text),
            **{each: given[each] for each in ("text", "parallel", "lexicon", "data") if each in given},
        }
    )
    assert (again.record(), again.method, again.kind) == (asked.record(), asked.method, asked.kind)
    if isinstance(again, TextRequest) and isinstance(asked, TextRequest):
        assert again.objective == asked.objective
