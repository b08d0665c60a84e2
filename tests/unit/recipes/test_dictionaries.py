"""`train_adapter` with a text and a dictionary, on a tiny backbone."""

from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit import Gloss, Run, Source
from adaptkit.errors import ConfigError, UnsuitableText
from adaptkit.model import AdaptedModel
from tests.calls import estimate_adapter, train_adapter
from tests.dictionary import ENTRIES, LEXICON
from tests.runs import PAIRS, SWAHILI, Watching, opener, train_and_interrupt
from tests.tiny import tiny_model

OPTIONS: dict[str, Any] = {"lang": "sw", "text": SWAHILI, "batch_size": 8, "progress": False}


def file_with(folder: Path, entries: tuple[tuple[str, str], ...] = ENTRIES) -> Path:
    (folder / "sw_en.tsv").write_text("".join(f"{word}\t{english}\n" for word, english in entries), encoding="utf-8")
    return folder / "sw_en.tsv"


def test_a_dictionary_beside_the_text_is_glossed_with_and_stands_on_the_card(
    model: AdaptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    display = Watching()
    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(display))
    adapter = adaptkit.train_adapter(
        lang="sw",
        text=SWAHILI,
        lexicon=file_with(tmp_path),
        run=Run(max_steps=3, batch_size=8),
        backbone=model,
        output=tmp_path / "sw",
    )
    assert adapter.card.training is not None
    settings = adapter.card.training.settings
    known, words = map(sum, zip(*map(LEXICON.known, SWAHILI), strict=True))
    assert adapter.card.training.objective == "gloss"
    assert (settings["lexicon_entries"], settings["known_words"]) == (len(ENTRIES), round(known / words, 3))
    assert adapter.card.source.endswith("glossed by sw_en.tsv")
    card = (tmp_path / "sw" / "README.md").read_text(encoding="utf-8")
    assert f"known_words {round(known / words, 3)}" in card.replace("\\", "")
    assert "arXiv:2006.06402" in card
    assert "objective: gloss, because text was given with a dictionary" in display.notes
    assert f"triage: {known / words:.1%} of the words are in the dictionary" in display.notes
    assert any("copies in mixed languages" in note for note in display.notes)


def test_the_estimate_counts_what_the_dictionary_adds(model: AdaptedModel) -> None:
    plain = {"copy_share": 0.0, "entry_share": 0.0}
    with_all, without = (
        estimate_adapter(**OPTIONS, lexicon=LEXICON, backbone=model, **options) for options in ({}, plain)
    )
    assert with_all.objective == "gloss"
    assert n_tokens(with_all.plan) > n_tokens(without.plan)
    assert with_all.n_sentences == without.n_sentences == len(SWAHILI)
    assert with_all.triage is not None
    assert with_all.triage.known_word_share is not None


def n_tokens(plan: tuple[str, ...]) -> int:
    cost = next(line for line in plan if line.startswith("text: an epoch has "))
    return int(cost.split()[4].replace(",", ""))


@pytest.mark.parametrize("mlm_weight", [0.0, 0.2])
def test_a_resumed_run_ends_with_the_same_adapter(mlm_weight: float, tmp_path: Path) -> None:
    options = {**OPTIONS, "lexicon": file_with(tmp_path), "max_steps": 15, "mlm_weight": mlm_weight}
    whole = train_adapter(**options, backbone=tiny_model(), output=tmp_path / "whole")
    train_and_interrupt(after=11, **options, backbone=tiny_model(), output=tmp_path / "sw")
    resumed = train_adapter(**options, backbone=tiny_model(), output=tmp_path / "sw", resume=True)
    assert (resumed.weights_sha256, resumed.probes) == (whole.weights_sha256, whole.probes)
    assert whole.card.training is not None
    assert (whole.card.training.pseudo_perplexity_after is not None) == bool(mlm_weight)


def test_a_dictionary_of_another_language_is_refused_unless_forced(model: AdaptedModel, tmp_path: Path) -> None:
    arguments = {**OPTIONS, "lexicon": [("peteĩ", "one"), ("bei", "price")], "backbone": model, "max_steps": 2}
    with pytest.raises(UnsuitableText, match=r"the dictionary knows [0-4]\.\d% of the words.*force=True"):
        train_adapter(**arguments, output=tmp_path / "sw")
    assert list(tmp_path.iterdir()) == []
    assert train_adapter(**arguments, force=True).id == "language/sw"


def test_a_small_dictionary_is_warned_of(model: AdaptedModel) -> None:
    few = estimate_adapter(**OPTIONS, lexicon=ENTRIES[:5], backbone=model).triage
    assert few is not None
    assert any("in the dictionary, which is little: a larger dictionary helps" in note for note in few.problems())


REFUSED: dict[str, dict[str, Any]] = {
    r"lexicon=\.\.\. goes with text=\.\.\., which is not given\.": {},
    "translations say more than a dictionary, so leave it out": {"parallel": PAIRS},
    "masked language modelling makes no use of a dictionary": {"text": SWAHILI, "objective": "mlm"},
    "copy_share must lie between 0 and 1": {"text": SWAHILI, "copy_share": 2.0},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_go_with_a_dictionary_is_refused(message: str, model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match=message):
        train_adapter(lang="sw", lexicon=LEXICON, **REFUSED[message], backbone=model)


def test_glossing_without_a_dictionary_is_refused(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match=r"glossing needs a dictionary of the language: give lexicon="):
        adaptkit.train_adapter(lang="sw", text=SWAHILI, objective=Gloss(), backbone=model)


@pytest.mark.parametrize(("stated", "licence"), [("CC-BY-4.0", "CC-BY-4.0"), ("not stated", "CC0-1.0")])
def test_the_dictionarys_licence_counts(stated: str, licence: str, model: AdaptedModel, tmp_path: Path) -> None:
    lexicon = Source(file_with(tmp_path), licence=stated, name="our word list")
    adapter = train_adapter(**OPTIONS, lexicon=lexicon, max_steps=2, backbone=model, licence="CC0-1.0")
    assert adapter.card.licence == licence
    assert adapter.card.source.endswith("glossed by our word list")


def test_private_keeps_the_dictionarys_name_out(model: AdaptedModel, tmp_path: Path) -> None:
    secret = file_with(tmp_path).rename(tmp_path / "secret-list.tsv")
    train_adapter(**OPTIONS, lexicon=secret, max_steps=2, backbone=model, output=tmp_path / "sw", private=True)
    written = b"".join(entry.read_bytes() for entry in (tmp_path / "sw").iterdir())
    assert b"secret-list" not in written
    assert b"known_words" in written
