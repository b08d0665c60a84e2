"""Trainings on a mix of texts, on a tiny backbone."""

import gzip
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit import Output, Run, Source
from adaptkit.errors import CheckpointError, ConfigError, MalformedText
from adaptkit.model import AdaptedModel
from tests import calls
from tests.examples import imported
from tests.names import write_emoji
from tests.runs import PAIRS, SWAHILI, train_and_interrupt

QUICK: dict[str, Any] = {"lang": "sw", "run": Run(max_steps=3, batch_size=8, progress=False)}
FRENCH = [("Une chèvre dort.", "Mbuzi analala."), ("Deux œufs.", "Mayai mawili.")] * 6


def tmx(pairs: Sequence[tuple[str, str]], source: str) -> str:
    units = (
        f'<tu><tuv xml:lang="{source}"><seg>{theirs}</seg></tuv><tuv xml:lang="sw"><seg>{ours}</seg></tuv></tu>'
        for theirs, ours in pairs
    )
    return f'<tmx version="1.4"><header/><body>{"".join(units)}</body></tmx>'


@pytest.fixture
def mix(tmp_path: Path) -> list[Any]:
    """JSON lines, two plain files, a translation memory from French, and pairs in memory."""
    lines = "\n".join(json.dumps({"en": en, "sw": sw}) for en, sw in PAIRS[:20])
    (tmp_path / "news.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for side, name in enumerate(("a.en", "a.sw")):
        (tmp_path / name).write_text("\n".join(pair[side] for pair in PAIRS[20:40]), encoding="utf-8")
    (tmp_path / "b.tmx").write_text(tmx(FRENCH, "fr"), encoding="utf-8")
    return [
        tmp_path / "news.jsonl.gz",
        (tmp_path / "a.en", tmp_path / "a.sw"),
        Source(tmp_path / "b.tmx", name="health"),
        PAIRS[40:],
    ]


def test_sources_of_four_kinds_and_two_languages_train_together(mix: list[Any], model: AdaptedModel) -> None:
    card = adaptkit.train_adapter(**QUICK, parallel=mix, backbone=model).card
    assert card.n_lines == 40 + len(FRENCH) + len(PAIRS[40:])
    assert card.source == (
        "4 sources: news.jsonl.gz (en to sw); 2 files: a.en, a.sw (to sw from a language not stated); "
        "health (fr to sw) and 1 more"
    )


def test_a_mix_is_trained_on_as_its_sources_one_after_the_other(mix: list[Any], model: AdaptedModel) -> None:
    mixed = adaptkit.train_adapter(**QUICK, parallel=mix[:2], backbone=model)
    whole = adaptkit.train_adapter(**QUICK, parallel=PAIRS[:40], backbone=model)
    assert mixed.card.text_sha256 == whole.card.text_sha256


def test_text_of_several_sources(mix: list[Any], model: AdaptedModel) -> None:
    text = [mix[1][1], SWAHILI[40:], Source(mix[2].text, name="health")]
    card = adaptkit.train_adapter(**QUICK, text=text, backbone=model).card
    assert card.n_lines == 20 + len(SWAHILI[40:]) + len(FRENCH)
    assert card.source == "3 sources: a.sw; a list of 20 sentences; health"


def test_a_source_language_of_the_call_is_for_sources_that_state_none(mix: list[Any], model: AdaptedModel) -> None:
    stated = Source(mix[2].text, source_lang="fr")
    adaptkit.train_adapter(**QUICK, parallel=[mix[0], stated], source_lang="en", backbone=model)
    with pytest.raises(MalformedText, match="fr, sw"):
        adaptkit.train_adapter(**QUICK, parallel=[mix[0], mix[2]], source_lang="en", backbone=model)


def test_plan_and_card_say_what_each_source_is(mix: list[Any], model: AdaptedModel, tmp_path: Path) -> None:
    given = [
        Source(mix[0], licence="CC BY 4.0"),
        Source(mix[1], name="farming", licence="CC0", source_lang="en"),
        Source(PAIRS[15:25], name="again"),
    ]
    asked: dict[str, Any] = {**QUICK, "parallel": given, "backbone": model}
    plan = adaptkit.estimate_adapter(**asked).plan
    assert sum("5 lines are both in" in line for line in plan) == 2
    assert any(line.startswith("triage: farming (en to sw): 20 lines, half of them") for line in plan)
    assert any(line.startswith("licence: not stated: some of its texts state none, the others ") for line in plan)
    output = Output(tmp_path / "sw", licence="CC-BY-NC-4.0")
    card = adaptkit.train_adapter(**asked, output=output).card
    assert card.licence == "CC-BY-NC-4.0"
    assert [(it.name, it.licence, it.lines) for it in card.sources] == [
        ("news.jsonl.gz", "CC BY 4.0", 20),
        ("farming", "CC0", 20),
        ("again", "CC-BY-NC-4.0", 10),
    ]
    lines = "".join(f"{sw}\t{en}\n" for en, sw in PAIRS[20:40])
    assert card.sources[1].sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert sum(it.share for it in card.sources) == pytest.approx(1)
    assert [(it.first, it.second, it.lines) for it in card.shared] == [(0, 2, 5), (1, 2, 5)]
    loaded = adaptkit.load_adapter(tmp_path / "sw")
    assert loaded.card == card
    assert "| farming (en to sw) | CC0 | 20 |" in (tmp_path / "sw" / "README.md").read_text(encoding="utf-8")


def test_names_among_sentences_are_a_source_and_a_note_says_what_layers_learn_of_them(
    mix: list[Any], model: AdaptedModel, tmp_path: Path
) -> None:
    names = Source(write_emoji(tmp_path / "names"), licence="Unicode-3.0")
    asked: dict[str, Any] = {**QUICK, "parallel": [mix[0], names], "backbone": model}
    told = "note: CLDR's names of emoji has words and names, no sentences"
    assert [line for line in adaptkit.estimate_adapter(**asked).plan if line.startswith(told)]
    glossary: dict[str, Any] = {**asked, "method": "glossary", "run": Run(progress=False)}
    assert not [line for line in adaptkit.estimate_adapter(**glossary).plan if line.startswith(told)]
    card = adaptkit.train_adapter(**glossary).card
    assert [(it.name, it.licence, it.lines) for it in card.sources] == [
        ("news.jsonl.gz", "not stated", 20),
        ("CLDR's names of emoji", "Unicode-3.0", 5),
    ]


DICTIONARY = [pair for english, swahili in PAIRS for pair in zip(english.split(), swahili.split(), strict=False)]


def test_words_come_back_and_are_few_so_that_only_sentences_are_asked_for_that(
    mix: list[Any], model: AdaptedModel
) -> None:
    def told(*sources: Any, **options: Any) -> list[str]:  # noqa: ANN401
        asked = {**QUICK, "backbone": model, **options, "run": Run(progress=False)}
        return list(adaptkit.estimate_adapter(**asked, parallel=list(sources)).problems)

    assert not told(DICTIONARY, method="glossary")
    (few,) = told(mix[0])
    assert "tokens are few" in few
    assert told(mix[0], Source(DICTIONARY)) == [few]
    (repeated, *_) = told([*PAIRS, *PAIRS])
    assert repeated == "50.0% of the lines are duplicates; remove them."


def test_one_note_says_that_a_glossary_learns_of_words(model: AdaptedModel) -> None:
    plan = adaptkit.estimate_adapter(**QUICK, parallel=DICTIONARY, backbone=model).plan
    assert [line for line in plan if "glossary" in line] == [
        "note: a list of 662 pairs has words and names, no sentences; what layers learned of a dictionary alone has "
        "brought topics nothing sure so far. A glossary learns of it (method='glossary')"
    ]


def test_sentences_of_which_glossaries_brought_nothing_are_not_words(model: AdaptedModel) -> None:
    def told(*sources: Any) -> list[str]:  # noqa: ANN401
        asked = {**QUICK, "run": Run(progress=False), "method": "glossary", "backbone": model}
        plan = adaptkit.estimate_adapter(**asked, parallel=list(sources)).plan
        return [line.rpartition("brought nothing")[2] for line in plan if "brought nothing" in line]

    assert told(Source(PAIRS), Source(DICTIONARY)) == [f" in two languages, and there are {len(PAIRS)}"]
    assert told(Source(DICTIONARY)) == []


def test_licences_that_do_not_go_together_are_said_on_the_card(mix: list[Any], model: AdaptedModel) -> None:
    given = [Source(mix[0], licence="CC-BY-SA-4.0"), Source(mix[1], licence="CC-BY-NC-4.0")]
    adapter = adaptkit.train_adapter(**QUICK, parallel=given, backbone=model)
    assert adapter.card.licence == "of its texts: CC-BY-SA-4.0, CC-BY-NC-4.0"
    assert "CC-BY-NC-4.0 asks for more (no commercial use)" in adapter.render_card()


def test_one_source_has_its_own_licence_and_no_table(mix: list[Any], model: AdaptedModel) -> None:
    given = Source(mix[0], licence="CC BY 4.0", name="news")
    card = adaptkit.train_adapter(**QUICK, parallel=given, backbone=model).card
    assert (card.source, card.licence, card.sources) == ("news (en to sw)", "CC BY 4.0", ())


def test_private_keeps_the_sources_to_itself(mix: list[Any], model: AdaptedModel, tmp_path: Path) -> None:
    output = Output(tmp_path / "sw", private=True)
    card = adaptkit.train_adapter(**QUICK, parallel=mix, backbone=model, output=output).card
    assert [(it.name, it.sha256) for it in card.sources] == [(f"source {n}", "") for n in (1, 2, 3, 4)]
    written = b"".join(entry.read_bytes() for entry in (tmp_path / "sw").iterdir())
    assert b"health" not in written
    assert b"news" not in written


def test_a_large_source_leaves_the_budget_to_small_ones(mix: list[Any], model: AdaptedModel) -> None:
    given = [PAIRS * 20, mix[1]]
    card = adaptkit.train_adapter(**QUICK, parallel=given, max_tokens=4000, backbone=model).card
    large, small = card.sources
    assert small.lines == 20
    assert 20 < large.lines < len(PAIRS) * 20
    assert card.n_tokens <= 4000


UNEVEN = [Source(PAIRS[:48], name="large"), Source(PAIRS[48:], name="small", weight=4.0)]


def test_sources_are_drawn_by_weight(model: AdaptedModel) -> None:
    asked: dict[str, Any] = {"lang": "sw", "run": Run(max_steps=25, batch_size=8, progress=False), "backbone": model}
    weighted = adaptkit.train_adapter(**asked, parallel=UNEVEN)
    plain = adaptkit.train_adapter(**asked, parallel=[PAIRS[:48], PAIRS[48:]])
    assert [(it.weight, it.share) for it in weighted.card.sources] == [(1.0, 0.5), (4.0, 0.5)]
    assert [(it.weight, it.share) for it in plain.card.sources] == [(1.0, 0.8), (1.0, 0.2)]
    assert weighted.weights_sha256 != plain.weights_sha256
    assert weighted.card.text_sha256 == plain.card.text_sha256


def test_sources_are_drawn_by_a_power_of_their_size(model: AdaptedModel) -> None:
    card = adaptkit.train_adapter(**QUICK, parallel=UNEVEN, sampling_alpha=0, backbone=model).card
    assert [it.share for it in card.sources] == [0.2, 0.8]
    assert card.training is not None
    assert card.training.settings["sampling_alpha"] == 0


OBJECTIVES: dict[str, dict[str, Any]] = {
    "distill": {"parallel": UNEVEN},
    "mlm": {"text": [Source(SWAHILI[:48]), Source(SWAHILI[48:], weight=4.0)]},
    "nsp": {
        "anchor": 0.0,
        "next_weight": 0.1,
        "head_warmup": 0,
        "text": [Source(["\n".join(SWAHILI[at : at + 6]) for at in range(0, 48, 6)]), Source(SWAHILI[48:], weight=4.0)],
    },
    "gloss": {
        "force": True,
        "text": [Source(SWAHILI[:48]), Source(SWAHILI[48:], weight=4.0)],
        "lexicon": [(sw, en) for en, sw in (("water", "maji"), ("school", "shule"))] * 2,
    },
}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_draws_by_weight_and_resumes_exactly(
    objective: str, model: AdaptedModel, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"lang": "sw", "objective": objective, **OBJECTIVES[objective], "backbone": model}
    asked |= {"max_steps": 25, "batch_size": 8, "progress": False}
    whole = calls.train_adapter(**asked)
    train_and_interrupt(**asked, output=tmp_path / "sw", after=11)
    resumed = calls.train_adapter(**asked, output=tmp_path / "sw", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    assert whole.training is not None
    assert whole.training.heldout_loss_after < whole.training.heldout_loss_before
    assert [round(it.share, 2) for it in whole.card.sources][1] > 0.2


def test_a_checkpoint_of_another_mix_is_refused(model: AdaptedModel, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"lang": "sw", "backbone": model, "max_steps": 25, "batch_size": 8, "progress": False}
    asked["output"] = tmp_path / "sw"
    train_and_interrupt(**asked, parallel=UNEVEN, after=11)
    for other in (
        {"parallel": [UNEVEN[0], replace(UNEVEN[1], weight=2.0)]},
        {"parallel": UNEVEN, "sampling_alpha": 0.5},
        {"parallel": UNEVEN[::-1]},
        {"parallel": PAIRS},
    ):
        with pytest.raises(CheckpointError, match="another run"):
            calls.train_adapter(**asked, **other, resume=True)


def test_an_objective_that_does_not_know_its_sources_refuses_weights(model: AdaptedModel) -> None:
    asked: dict[str, Any] = {**QUICK, "objective": "tlm", "backbone": model}
    with imported("translation_language_modelling"):
        with pytest.raises(ConfigError, match="'tlm' does not draw sources by weight"):
            adaptkit.train_adapter(**asked, parallel=UNEVEN)
        assert len(adaptkit.train_adapter(**asked, parallel=[PAIRS[:40], PAIRS[40:]]).card.sources) == 2


@pytest.mark.parametrize("weight", [0, -1, math.nan, math.inf, "2"])
def test_a_weight_is_above_zero(weight: float) -> None:
    with pytest.raises(ConfigError, match="weight of a source"):
        Source("a.tsv", weight=weight)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan])
def test_the_power_lies_between_zero_and_one(alpha: float) -> None:
    with pytest.raises(ConfigError, match="sampling_alpha must"):
        adaptkit.train_adapter(**QUICK, parallel=UNEVEN, sampling_alpha=alpha)
