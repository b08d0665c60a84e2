"""Backbones side by side, on tiny ones: what is found out, what is refused, and in which order they come."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from adaptkit.choosing import Choice, choose_backbone
from adaptkit.data.sample import sample_pairs
from adaptkit.errors import BackboneUnavailable, ConfigError, CorruptBackbone, DataError, EmptyCorpus, UnknownLanguage
from adaptkit.model import load_model
from tests.gguf_files import written_gguf
from tests.saved import saved_backbone
from tests.unit.heads import examples as made
from tests.zoos import made_zoo

SWAHILI = ["Watoto wanakwenda shule.", "Mvua inanyesha leo.", "Mbuzi anakula majani."] * 4
QUICK: dict[str, Any] = {"lang": "sw", "only_named": True, "speed": False}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a tenth of a second be long enough to time a backbone."""
    monkeypatch.setattr("adaptkit.choosing.speed._LEAST_S", 0.1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder, a decoder, and a folder that is broken."""
    place = tmp_path_factory.mktemp("backbones")
    saved_backbone(place / "encoder", "bert")
    saved_backbone(place / "decoder", "llama")
    (place / "broken").mkdir()
    (place / "broken" / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    return place


def named(choice: Choice) -> list[str]:
    return [Path(candidate.name).name for candidate in choice.candidates]


def test_one_that_cannot_be_read_is_a_row_with_its_reason(folders: Path) -> None:
    choice = choose_backbone(**QUICK, task="ner", backbones=[folders, "owner/not-fetched"])
    assert named(choice) == ["encoder", "decoder", "broken", "not-fetched"]
    broken, unfetched = choice.candidates[2:]
    assert "broken" in str(broken.problem)
    assert "no model hub gave it (no network, or no such id)" in str(unfetched.problem)
    assert broken.reasons == (broken.problem,)
    assert f"{'broken':<5}" in str(choice)
    assert "cannot be taken" in str(choice)


def test_what_is_found_out_of_one(folders: Path) -> None:
    (best,) = choose_backbone(**QUICK | {"speed": True}, text=SWAHILI, backbones=[folders / "encoder"]).candidates
    assert best.family == "bert"
    assert best.coverage is not None
    assert best.coverage.unknown_share == 0
    assert best.coverage.letter_share == 1
    assert best.coverage.tokens_per_word > 1
    assert best.coverage.pieces == 400
    assert 0 < best.coverage.pieces_used < 400
    assert best.speed is not None
    assert best.speed.tokens_per_s > best.speed.sentences_per_s > 0
    assert best.speed.bits == 32
    assert best.licence is None
    assert any("states a licence" in reason for reason in best.reasons)
    assert best.hub_id is None
    assert best.published == ()


def test_a_gguf_file_is_one(tmp_path: Path) -> None:
    (best,) = choose_backbone(**QUICK, backbones=[written_gguf(tmp_path / "tiny.gguf")]).candidates
    assert best.problem is None
    assert best.kind == "decoder"
    assert best.size is not None
    assert best.licence is None


def test_a_decoder_comes_behind_for_labels_and_before_for_writing(folders: Path) -> None:
    both = [folders / "encoder", folders / "decoder"]
    labels = choose_backbone(**QUICK, task="topics", backbones=both)
    assert named(labels) == ["encoder", "decoder"]
    assert any("It is a decoder" in reason for reason in labels.candidates[1].reasons)
    assert labels.decided_by.endswith("the kind that suits the task.")
    writing = choose_backbone(**QUICK, task="generate", backbones=both)
    assert named(writing) == ["decoder", "encoder"]
    assert writing.candidates[1].problem == "generate needs a decoder or an encoder-decoder, and this is an encoder"


def test_text_that_a_tokenizer_does_not_know_is_said(folders: Path) -> None:
    tibetan = ["བོད་ཡིག་གི་ཚིག་གྲུབ།"] * 5
    choice = choose_backbone(**QUICK | {"lang": "bo"}, text=tibetan, backbones=[folders / "encoder"])
    assert not choice.best.usable
    assert choice.best.coverage is not None
    assert choice.best.coverage.letter_share == 0
    assert choice.recommendation.startswith("None of these can be recommended as it is. Nearest comes ")
    assert "Nothing useful can be trained" in choice.recommendation


def test_the_most_exact_form_that_fits_is_proposed(folders: Path) -> None:
    given = {**QUICK, "backbones": [folders / "encoder"]}
    enough = choose_backbone(**given, memory="2GB")
    assert enough.best.bits == 32
    assert enough.best.size is not None
    needed = enough.best.size.memory
    assert choose_backbone(**given, memory=needed[32]).best.bits == 32
    little = choose_backbone(**given, memory="10MB")
    assert little.best.bits is None
    assert little.recommendation.startswith("None of these fits 0.01 GB")
    assert choose_backbone(**given).best.bits is None


def test_what_does_not_fit_is_not_loaded(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**QUICK, "speed": True, "text": SWAHILI, "probe": made.topics(40)}
    both = [folders / "encoder", folders / "decoder"]
    whole = choose_backbone(**given, backbones=both)
    assert [candidate.not_measured for candidate in whole.candidates] == [None, None]
    needs = {candidate.name: candidate.size.memory[32] for candidate in whole.candidates if candidate.size}
    large = max(needs, key=needs.__getitem__)
    monkeypatch.setattr("adaptkit.choosing.choose.free_bytes", lambda _: needs[large] - 1)
    some = choose_backbone(**given, backbones=both)
    assert some.candidates[1].name == large
    assert (some.best.probe is None, some.candidates[1].probe, some.candidates[1].speed) == (False, None, None)
    assert "are free now. Free some" in " ".join(some.candidates[1].reasons)
    assert some.decided_by.endswith("that one could not be probed here.")
    monkeypatch.setattr("adaptkit.choosing.choose.load_model", None)
    none = choose_backbone(**given, backbones=both, memory="10MB")
    assert all("does not fit the memory that you named" in " ".join(each.reasons) for each in none.candidates)
    assert all(each.problem is None for each in none.candidates)


def test_a_config_that_transformers_refuses_is_a_row_with_its_reason(folders: Path, tmp_path: Path) -> None:
    odd = saved_backbone(tmp_path / "odd", "bert")
    config = json.loads((odd / "config.json").read_text())
    (odd / "config.json").write_text(json.dumps({**config, "num_attention_heads": 7}))
    choice = choose_backbone(**QUICK, backbones=[folders / "encoder", odd])
    assert named(choice) == ["encoder", "odd"]
    assert "transformers cannot make a model of the config.json" in str(choice.candidates[1].problem)
    with pytest.raises(CorruptBackbone, match="multiple of the number of attention"):
        load_model(odd)


def test_without_text_the_sample_is_read_and_its_lack_is_said(folders: Path) -> None:
    given = {**QUICK, "backbones": [folders / "encoder"]}
    assert "adaptkit's everyday sample" in choose_backbone(**given).text
    choice = choose_backbone(**given | {"lang": "gn"})
    assert choice.best.coverage is None
    assert choice.text == "none"
    assert any("No text in Guarani is at hand" in note for note in choice.notes)


def test_a_probe_scores_each_on_the_same_lines(folders: Path) -> None:
    both = [folders / "encoder", folders / "decoder"]
    choice = choose_backbone(**QUICK, task="topics", probe=made.topics(60), backbones=both)
    first, second = choice.candidates
    assert first.probe is not None
    assert second.probe is not None
    assert first.probe.score >= second.probe.score
    assert first.probe.low <= first.probe.score <= first.probe.high
    assert first.probe.score > first.probe.majority == 50
    assert any("Beside the first that is" in reason for reason in second.reasons)
    assert " probe" in str(choice)


def test_a_probe_that_is_no_evidence_is_called_so(folders: Path) -> None:
    """Labels that no text tells apart: what one backbone is ahead is chance."""
    drawn = random.Random(0)
    lines = [(text, drawn.choice(["a", "b"])) for text, _ in sample_pairs("sw")[:60]]
    choice = choose_backbone(**QUICK, probe=lines, backbones=[folders / "encoder", folders / "decoder"])
    first, second = choice.candidates
    assert first.probe is not None
    assert second.probe is not None
    assert first.probe.score > second.probe.score >= first.probe.score - 20
    assert "the probe, and the difference is no evidence (" in choice.decided_by
    assert "it may be as good" in " ".join(second.reasons)


def test_a_probe_draws_from_all_of_a_file_that_is_sorted_by_label(folders: Path) -> None:
    lines = [(f"The goat {number}", "goats") for number in range(410)] + [(f"It rains {n}", "rain") for n in range(90)]
    choice = choose_backbone(**QUICK, probe=lines, backbones=[folders / "encoder"])
    assert choice.best.probe is not None
    assert choice.best.probe.n_examples == 400
    assert 70 < choice.best.probe.majority < 90
    assert "The probe read 400 of 500 labelled lines, drawn evenly." in choice.notes


@pytest.mark.parametrize("data", [made.tags(30), made.pairs(30)])
def test_a_probe_on_words_and_on_pairs(data: Any, folders: Path) -> None:  # noqa: ANN401
    (best,) = choose_backbone(**QUICK, probe=data, backbones=[folders / "encoder"]).candidates
    assert best.probe is not None
    assert best.probe.n_examples == 30
    assert best.probe.score > best.probe.majority


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"task": "poetry"}, ConfigError, "task 'poetry' is unknown; known: ner"),
        ({"memory": "much"}, ConfigError, "found 'much'"),
        ({"lang": "Swahilii"}, UnknownLanguage, "Swahilii"),
        ({"backbones": []}, BackboneUnavailable, "no backbone is at hand"),
        ({"text": "no-such-file.txt"}, DataError, "no file"),
        ({"probe": made.questions(20)}, ConfigError, "a probe is for classification, tagging, pos"),
        ({"probe": [("The goat", "a"), ("It rains", "b")]}, EmptyCorpus, "holds 2 examples"),
        ({"probe": [("The goat", "a")] * 12}, ConfigError, "two labels or more"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    wrong: dict[str, Any], error: type[Exception], message: str, folders: Path
) -> None:
    with pytest.raises(error, match=message):
        choose_backbone(**{**QUICK, "backbones": [folders / "encoder"], **wrong})


def test_adapters_that_exist_are_named_beside_their_backbone(folders: Path, tmp_path: Path) -> None:
    backbone = saved_backbone(tmp_path / "tiny-bert")
    zoo = made_zoo(tmp_path / "zoo", load_model(backbone))
    asked = {**QUICK, "backbones": [backbone, folders / "decoder"], "zoos": [zoo]}
    best, other = choose_backbone(**asked, task="ner").candidates
    assert [(each.id, each.licence, each.gain) for each in best.existing] == [
        ("language/sw", "CC-BY-NC-4.0", "+10.0 (+1.0 to +19.0)"),
        ("language/sw-news", "CC0-1.0", "+10.0 (+1.0 to +19.0)"),
    ]
    assert (
        "An adapter for the language on it exists already: language/sw (SIB-200: +10.0 (+1.0 to +19.0); "
        f"CC-BY-NC-4.0), in {zoo / 'tiny-bert' / 'language' / 'sw'}."
    ) in best.reasons
    assert other.existing == ()
    none = choose_backbone(**asked | {"lang": "ha"})
    assert any("has no adapter for Hausa and one of these backbones" in note for note in none.notes)
    unasked = choose_backbone(**asked | {"zoos": ()})
    assert any(
        "Adapters for Swahili that exist already are named where zoos are (zoos)" in note for note in unasked.notes
    )


def test_it_prints_in_80_columns_and_as_json(folders: Path) -> None:
    choice = choose_backbone(**QUICK, task="ner", memory="2GB", probe=made.topics(40), backbones=[folders])
    assert max(map(len, str(choice).splitlines())) <= 80
    plain = json.loads(json.dumps(choice.as_json()))
    assert plain["language"] == "sw"
    assert [found["family"] for found in plain["candidates"]][:2] == ["bert", "llama"]
    assert plain["recommendation"] == choice.recommendation
