"""What `choose_backbone` is made of: amounts, tasks, licences, sizes, published scores, what is at hand, the order."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from adaptkit.backbones.load import outline_of
from adaptkit.backbones.streamed import require_complete
from adaptkit.choosing.amount import gigabytes, memory_bytes
from adaptkit.choosing.at_hand import at_hand
from adaptkit.choosing.candidate import Candidate, Coverage, ProbeScore, Size
from adaptkit.choosing.licence import licence_of
from adaptkit.choosing.published import SOURCES, published_scores
from adaptkit.choosing.ranking import ordered, with_reasons
from adaptkit.choosing.size import weights_bytes
from adaptkit.choosing.work import work_named
from adaptkit.errors import ConfigError
from adaptkit.format.architectures import ARCHITECTURES
from adaptkit.holding import BITS, Bits
from adaptkit.model import load_model
from tests.saved import saved_backbone


@pytest.mark.parametrize(
    ("given", "n_bytes"),
    [("2GB", 2 * 10**9), ("1.5 GiB", 1.5 * 2**30), ("800mb", 8 * 10**8), (4096, 4096), ("512", 512), ("1t", 10**12)],
)
def test_amounts_of_memory(given: str | int, n_bytes: float) -> None:
    assert memory_bytes(given) == n_bytes


@pytest.mark.parametrize("given", ["", "much", "-2GB", "0", "2XB", True, "2 GB of it"])
def test_what_is_no_amount_is_refused(given: str | bool) -> None:
    with pytest.raises(ConfigError, match="is how to write memory"):
        memory_bytes(given)


def test_amounts_are_written_as_an_estimate_is_worth() -> None:
    assert [gigabytes(round(size * 1e9)) for size in (0.456, 1.234, 23.4)] == ["0.46 GB", "1.2 GB", "23 GB"]


def test_tasks_go_by_their_usual_names() -> None:
    assert work_named("NER").task_type == work_named("tagging").task_type == "tagging"
    assert work_named("xnli").task_type == work_named("topics").task_type == "classification"
    assert work_named("xnli").published_as == "nli"
    assert work_named("topics").published_as is None
    assert work_named("search").wants_vectors
    assert "fill_mask needs an encoder" in str(work_named("fill-mask").why_not(ARCHITECTURES["llama"]))
    assert work_named("fill_mask").why_not(ARCHITECTURES["bert"]) is None
    assert work_named("translation").why_not(ARCHITECTURES["llama"]) is None
    assert not work_named("translation").suits(ARCHITECTURES["llama"])
    assert work_named("translation").suits(ARCHITECTURES["mt5"])
    assert work_named("ner").suits(ARCHITECTURES["mt5"])


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: mit\nlanguage: sw\n---\n# A model\n", "mit"),
        ('---\r\nlicense: "cc-by-4.0" # checked\r\n---\r\n', "cc-by-4.0"),
        ("---\nlicense: other\nlicense_name: gemma\n---\n", "gemma"),
        ("---\nlanguage: sw\n---\nlicense: mit\n", None),
        ("license: mit\n", None),
    ],
)
def test_the_licence_is_what_the_front_matter_states(card: str, licence: str | None, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(card.encode())
    assert licence_of(tmp_path, None) == licence


def test_published_scores_name_their_source() -> None:
    (yoruba,) = published_scores("Davlan/afro-xlmr-base", "ner", "yo")
    assert (yoruba.score, yoruba.metric) == (82.1, "F1")
    assert "arXiv:2204.06487" in yoruba.source
    (urdu,) = published_scores("xlm-roberta-base", "nli", "Urdu")
    assert urdu.score == 68.3
    assert urdu.source == SOURCES["XLMR-1"]
    assert published_scores("somebody/else", "ner", "yo") == published_scores(None, "ner", "yo") == ()


@pytest.mark.parametrize(
    ("model_type", "bits"),
    [("bert", 32), ("bert", 8), ("bert", 4), ("llama", 16), ("llama", 4), ("mt5", 32), ("mt5", 4), ("nomic_bert", 32)],
)
def test_the_size_of_weights_is_that_of_the_loaded_backbone(model_type: str, bits: Bits, tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "tiny", model_type)
    model = load_model(str(folder), bits=bits)
    found = outline_of(folder).checkpoint
    needed = require_complete(found.empty, found.tensors)
    estimated, held = weights_bytes(needed, model_type, bits), model.memory().total
    table = 4 * 400 * 32 if bits in (8, 4) else 0  # rows of the paged table come into memory as they are used
    assert held - 3_000 <= estimated <= held + table + 3_000


def test_a_folder_of_backbones_is_opened_and_a_file_in_it_too(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "c.gguf").write_bytes(b"GGUF")
    found = at_hand([tmp_path, "owner/name"], only_named=True)
    assert [Path(name).name for name in found.places] == ["a", "b", "c.gguf", "name"]


def test_the_hub_cache_is_read_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert list(at_hand([], only_named=False).places) == ["embedded/multilingual-e5-small", "embedded/smollm2-135m"]
    for name, family in (("models--acme--tiny", "bert"), ("models--acme--speech", "whisper")):
        snapshot = tmp_path / name / "snapshots" / "0123abc"
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text(f'{{"model_type": "{family}"}}', encoding="utf-8")
    found = at_hand([], only_named=False)
    assert found.places["acme/tiny"] == str(tmp_path / "models--acme--tiny" / "snapshots" / "0123abc")
    assert "acme/speech" not in found.places
    assert found.notes == ("models in the hub cache are passed over whose family has no row: whisper",)
    shutil.rmtree(tmp_path / "models--acme--tiny")


COVERED = Coverage(
    unknown_share=0.0,
    unknown_line_share=0.0,
    tokens_per_word=2.0,
    letter_share=1.0,
    pieces_used=10,
    pieces=100,
    refusal=None,
)
ONE = Candidate(
    name="one", family="bert", coverage=COVERED, size=Size(parameters=100, memory=dict.fromkeys(BITS, 10)), bits=32
)
PROBE = ProbeScore(metric="accuracy", score=60.0, low=50.0, high=70.0, n_examples=100, majority=25.0)


@pytest.mark.parametrize(
    ("better", "worse", "decided_by"),
    [
        (ONE, replace(ONE, problem="broken"), "that one cannot be taken"),
        (ONE, replace(ONE, coverage=replace(COVERED, refusal="unknown")), "that one cannot read this text"),
        (ONE, replace(ONE, bits=None), "that one does not fit the memory"),
        (replace(ONE, probe=replace(PROBE, score=61.0)), replace(ONE, probe=PROBE), "the probe"),
        (ONE, replace(ONE, coverage=replace(COVERED, letter_share=0.2)), "that one cannot read this text"),
        (
            ONE,
            replace(ONE, coverage=replace(COVERED, letter_share=0.8)),
            "fewer letters without a piece of their own (0.0% against 20.0%)",
        ),
        (ONE, replace(ONE, coverage=replace(COVERED, unknown_share=0.02)), "fewer unknown tokens"),
        (ONE, replace(ONE, family="llama"), "the kind that suits the task"),
        (ONE, replace(ONE, coverage=replace(COVERED, tokens_per_word=2.5)), "fewer tokens a word"),
        (replace(ONE, size=Size(parameters=200, memory={})), ONE, "more parameters, and no more than that"),
        (
            replace(ONE, published=published_scores("FacebookAI/xlm-roberta-large", "ner", "yo")),
            replace(ONE, published=published_scores("FacebookAI/xlm-roberta-base", "ner", "yo")),
            "published scores (78.9 against 78.3 on MasakhaNER, trained on the language)",
        ),
    ],
)
def test_the_order_is_by_rules_and_says_which_decided(better: Candidate, worse: Candidate, decided_by: str) -> None:
    better, worse = replace(better, name="better"), replace(worse, name="worse")
    found, told = ordered([worse, better], work_named("ner"), memory_named=True)
    assert [candidate.name for candidate in found] == ["better", "worse"]
    assert told == f"What sets it before worse: {decided_by}."


def test_a_probe_or_a_published_score_of_one_alone_decides_nothing() -> None:
    with_probe = replace(ONE, name="probed", probe=PROBE, coverage=replace(COVERED, tokens_per_word=3.0))
    found, _ = ordered([with_probe, ONE], work_named("ner"), memory_named=True)
    assert [candidate.name for candidate in found] == ["one", "probed"]


def test_a_script_that_is_spelled_in_bytes_is_not_known() -> None:
    """Its tokenizer calls nothing unknown; an encoder that does is better, as it may bring pieces of its own."""
    spelled = replace(
        ONE, name="bytes", family="llama", coverage=replace(COVERED, letter_share=0.0, tokens_per_word=46.0)
    )
    unknown = replace(ONE, coverage=replace(COVERED, letter_share=0.0, unknown_share=0.5, refusal="unknown"))
    assert not spelled.usable
    found, _ = ordered([spelled, unknown], work_named("ner"), memory_named=False)
    assert found[0].name == "one"
    told = with_reasons(spelled, work_named("ner"), None, {}).reasons[0]
    assert told.startswith("It does not know the script: 100% of the letters have no piece of their own")


def test_for_search_one_that_was_trained_for_it_comes_first() -> None:
    trained = replace(ONE, name="sentences", makes_sentences=True, size=Size(parameters=1, memory={}))
    found, told = ordered([ONE, trained], work_named("search"), memory_named=False)
    assert found[0].name == "sentences"
    assert "it was trained for vectors of sentences" in told
