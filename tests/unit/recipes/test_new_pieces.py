"""Language adapters that learn pieces of their own, with every objective, and what is trained on top of them."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit import Distill, Mlm, Output, Run, Source
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, SourceNotFound, TrainingInterrupted, UnsuitableText
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.heads.batch import Batch
from adaptkit.layers import PieceRows
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.recipes.source import choose_source
from adaptkit.regularisers import Coral, Dann, RDrop
from adaptkit.requests import LanguageRequest, request_for
from adaptkit.storage import Adapter, load_adapter
from adaptkit.task_types import LabelledText
from adaptkit.training import TrainingRun
from adaptkit.training.piece_starts import start_rows
from adaptkit.training.regularisers.two_domains import TwoDomains
from tests.adapters import random_adapter
from tests.pieces import MEANINGS, OWN_PIECES, english_of, invented_pairs, invented_sentences
from tests.tiny import VOCABULARY_SIZE, tiny_model, unigram_model

PAIRS = invented_pairs(60)
TEXT = [sentence for _, sentence in PAIRS]
WORDS = {word: english_of(word) for sentence in TEXT for word in sentence.split()}
LORA = AdapterConfig(method=LoraConfig(rank=2))
QUICK = Run(max_steps=6, batch_size=8, progress=False)


@pytest.fixture
def model() -> AdaptedModel:
    return unigram_model()


def trained(model: AdaptedModel, **options: Any) -> Adapter:  # noqa: ANN401 - options of a training
    asked = {"parallel": PAIRS, "new_pieces": 40, "run": QUICK, **options}
    return adaptkit.train_adapter(lang="dz", backbone=model, **asked)


OBJECTIVES: dict[str, dict[str, Any]] = {
    "distill": {},
    "distill, anchored on shared words": {"objective": Distill(anchor_on="shared")},
    "gloss": {"parallel": None, "text": TEXT, "lexicon": WORDS},
    "gloss with masks": {"parallel": None, "text": TEXT, "lexicon": WORDS, "objective": adaptkit.Gloss(mlm_weight=1.0)},
    "mlm": {"parallel": None, "text": TEXT},
    "mlm, all tokens": {"parallel": None, "text": TEXT, "objective": Mlm(full_vocabulary=True, whole_words=True)},
    "nsp": {"parallel": None, "text": ["\n".join(TEXT[n : n + 4]) for n in range(0, 60, 4)], "objective": "nsp"},
}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_rows_train_with_the_adapter(model: AdaptedModel, objective: str, tmp_path: Path) -> None:
    made = trained(model, **OBJECTIVES[objective], output=tmp_path / "dz")
    assert made.config.pieces is not None
    assert made.training is not None
    assert made.training.settings["new_pieces"] == 40
    read = load_adapter(tmp_path / "dz")
    assert read.config == made.config
    assert model.attached == ()
    other = unigram_model()
    other.attach(read)
    assert torch.isfinite(other.encode(TEXT[:3], stack=read)).all()


def test_rows_are_the_starts_and_what_was_learned(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[torch.Tensor] = []
    start_from = PieceRows.start_from

    def noted(self: PieceRows, rows: torch.Tensor) -> None:
        started.append(rows.clone())
        start_from(self, rows)

    monkeypatch.setattr(PieceRows, "start_from", noted)
    made = trained(model)
    (rows,) = (tensor for name, tensor in made.tensors.items() if name.endswith(".rows"))
    assert rows.shape == started[0].shape
    assert not torch.equal(rows, started[0])
    assert torch.nn.functional.cosine_similarity(rows, started[0]).min() > 0.5


def test_the_loss_falls(model: AdaptedModel) -> None:
    run = replace(QUICK, max_steps=60)
    made = trained(model, parallel=invented_pairs(150), run=run, objective=Distill(pair_share=0))
    assert made.training is not None
    assert made.training.heldout_loss_after < 0.7 * made.training.heldout_loss_before


def test_starting_from_meanings_starts_lower(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    meaning = trained(model).training
    monkeypatch.setattr(
        "adaptkit.recipes.own_pieces.start_rows", lambda pieces, backbone, **_: start_rows(pieces, backbone)
    )
    mean = trained(model).training
    assert meaning is not None
    assert mean is not None
    assert meaning.heldout_loss_before < mean.heldout_loss_before


def test_a_resumed_run_ends_like_one_that_was_not_interrupted(
    model: AdaptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(model)
    one_step = TrainingRun._one_step

    def interrupted(self: TrainingRun, rows: list[int], step: int) -> torch.Tensor:
        if step == 3:
            signal.raise_signal(signal.SIGINT)
        return one_step(self, rows, step)

    monkeypatch.setattr(TrainingRun, "_one_step", interrupted)
    with pytest.raises(TrainingInterrupted):
        trained(model, output=tmp_path / "dz")
    monkeypatch.setattr(TrainingRun, "_one_step", one_step)
    resumed = trained(model, output=Output(tmp_path / "dz", resume=True))
    assert resumed.config == whole.config
    for name, tensor in whole.tensors.items():
        torch.testing.assert_close(resumed.tensors[name], tensor, msg=name)


def test_an_estimate_counts_the_rows(model: AdaptedModel) -> None:
    without = adaptkit.estimate_adapter(lang="dz", parallel=PAIRS, backbone=model, run=QUICK, force=True)
    found = adaptkit.estimate_adapter(lang="dz", parallel=PAIRS, backbone=model, run=QUICK, new_pieces=40)
    told = next(line for line in found.plan if line.startswith("pieces: "))
    n_pieces = int(told.split()[1])
    assert 15 < n_pieces <= 40
    assert found.adapter_bytes - without.adapter_bytes == 4 * 32 * n_pieces
    assert "of its own, learned from the text;" in told or n_pieces < 40
    assert ("(40 were asked for, and it gives no more)" in told) == (n_pieces < 40)
    assert told.endswith(f"; {4 * 32 * n_pieces / 2**10:.0f} KiB")
    more = adaptkit.estimate_adapter(lang="dz", parallel=PAIRS, backbone=model, run=QUICK, new_pieces=4000)
    assert any(
        "of its own, learned from the text (4,000 were asked for, and it gives no more);" in line for line in more.plan
    )
    assert any("0.0% unknown" in line for line in found.plan)


def test_triage_names_them_where_the_text_cannot_be_read(model: AdaptedModel) -> None:
    with pytest.raises(UnsuitableText, match=r"Let it bring pieces of its own.*new_pieces=4000 for a language adapter"):
        trained(model, new_pieces=None)


def test_a_task_is_trained_on_top_of_them(model: AdaptedModel) -> None:
    dz = trained(model)
    examples = [
        LabelledText(text=text, label=label, language=language)
        for number, (english, sentence) in enumerate(invented_pairs(40, seed=3))
        for text, language in ((english, "en"), (sentence, "dz"))
        for label in ("farming" if number % 2 else "health",)
    ]
    data = TaskData(task_type="classification", examples=examples, labels=("farming", "health"), description="made up")
    en = trained(model, new_pieces=None, parallel=[(b, a) for a, b in PAIRS], force=True).renamed("language/en")
    en = replace(en, language="en", tensors=dict(en.tensors))
    for on in ([dz], [dz, en]):
        task = adaptkit.train_adapter(task="topics", data=data, on=on, backbone=model, run=QUICK)
        model.attach(dz, task)
        labels = [found.label for found in model.predict(TEXT[:4], stack="dz > topics")]
        assert set(labels) <= {"farming", "health"}
        model.detach("dz", "topics")
    with pytest.raises(
        ConfigError,
        match=r"on_dropout=0.5 leaves adapters out, and each text is read once, by .* pieces of language/dz",
    ):
        adaptkit.train_adapter(task="topics", data=data, on=[dz], on_dropout=0.5, backbone=model, run=QUICK)


def topics_of(*languages: str) -> TaskData:
    """Farming and health in an invented language and, where asked for, in English."""
    examples = [
        LabelledText(text=text, label="farming" if number % 2 else "health", language=language)
        for number, (english, sentence) in enumerate(invented_pairs(40, seed=3))
        for language, text in (("en", english), ("dz", sentence))
        if language in languages
    ]
    return TaskData(task_type="classification", examples=examples, labels=("farming", "health"), description="made up")


@pytest.mark.parametrize("regulariser", [Coral, Dann])
def test_text_without_labels_is_read_by_them(
    model: AdaptedModel, regulariser: type[Coral | Dann], monkeypatch: pytest.MonkeyPatch
) -> None:
    dz, seen = random_adapter(model, OWN_PIECES, name="dz"), []
    prepare = TwoDomains.prepare

    def watched(self: TwoDomains[Any], batch: Batch) -> Batch:
        prepared = prepare(self, batch)
        assert prepared.unlabelled is not None
        seen.extend(prepared.unlabelled.ids.flatten().tolist())
        return prepared

    monkeypatch.setattr(TwoDomains, "prepare", watched)
    asked: dict[str, Any] = {
        "task": "topics",
        "regularisers": [regulariser(unlabelled=TEXT)],
        "backbone": model,
        "run": QUICK,
    }
    adaptkit.train_adapter(on=[dz], data=topics_of("dz"), **asked)
    assert model.backbone.tokenizer.unk_token_id not in seen
    assert {token for token in seen if token >= VOCABULARY_SIZE}
    # English examples are read without the pieces of dz: no one reading fits the text.
    en = random_adapter(model, LORA, name="en", seed=1)
    with pytest.raises(
        ConfigError, match=r"unlabelled=\.\.\.\) is read under the adapters of each .* pieces of language/dz"
    ):
        adaptkit.train_adapter(on=[dz, en], data=topics_of("dz", "en"), **asked)
    # Without text beside the examples there is nothing to refuse.
    kept = {**asked, "regularisers": [RDrop(weight=1.0)]}
    assert adaptkit.train_adapter(on=[dz, en], data=topics_of("dz", "en"), **kept).below == ()


def test_a_domain_on_top_reads_by_them(model: AdaptedModel) -> None:
    dz = trained(model)
    made = adaptkit.train_adapter(lang="dz", domain="farms", parallel=PAIRS, on=[dz], backbone=model, run=QUICK)
    assert made.config.pieces is None
    assert made.below == ("language/dz",)
    with pytest.raises(ConfigError, match="masked tokens cannot be predicted among pieces"):
        adaptkit.train_adapter(lang="dz", domain="farms", text=TEXT, on=[dz], backbone=model, run=QUICK)


def test_two_that_bring_pieces_are_refused_before_training(model: AdaptedModel) -> None:
    dz = trained(model)
    with pytest.raises(ConfigError, match="language/dz lies below language/bo and brings pieces of text already"):
        adaptkit.train_adapter(lang="bo", parallel=PAIRS, on=[dz], new_pieces=40, backbone=model, run=QUICK)


def test_what_starts_from_them_reads_by_them_too(model: AdaptedModel) -> None:
    dz = trained(model)
    dialect = adaptkit.train_adapter(lang="dz", name="dialect", parallel=PAIRS, start=dz, backbone=model, run=QUICK)
    assert dialect.config.pieces == dz.config.pieces
    with pytest.raises(ConfigError, match="language/dz brings pieces of text already, which what starts from it has"):
        trained(model, start=dz)


def test_they_are_put_beside_weights_that_a_training_starts_from(model: AdaptedModel) -> None:
    plain = trained(model, new_pieces=None, force=True)
    made = trained(model, start=plain)
    assert made.config.pieces is not None
    assert made.tensors.keys() > plain.tensors.keys()


def test_what_cannot_have_them(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="tiny-llama is a decoder"):
        trained(unigram_model("llama"), parallel=None, text=TEXT)
    with pytest.raises(ConfigError, match="of the kind BPE"):
        trained(tiny_model())
    with pytest.raises(ConfigError, match="knows every letter"):
        trained(model, parallel=[(a, a) for a, _ in PAIRS])
    with pytest.raises(ConfigError, match="new_pieces does not go with"):
        adaptkit.train_adapter(domain="farms", lang="dz", parallel=PAIRS, new_pieces=40, backbone=model)


def test_options_that_cannot_be_right() -> None:
    with pytest.raises(ConfigError, match="new_pieces"):
        request_for({"lang": "dz", "new_pieces": 0})
    with pytest.raises(ConfigError, match="lexicon"):
        request_for({"lang": "dz", "parallel": PAIRS, "lexicon": MEANINGS})
    for objective in ("auto", "distill"):
        asked = {"lang": "dz", "parallel": PAIRS, "lexicon": MEANINGS, "new_pieces": 40, "objective": objective}
        assert request_for(asked)
    with pytest.raises(
        ConfigError, match=r"glossing is for text without translations: give text=.* objective='distill'"
    ):
        request_for({"lang": "dz", "parallel": PAIRS, "lexicon": MEANINGS, "new_pieces": 40, "objective": "gloss"})
    for objective in ("mlm", "gloss"):
        asked = {"lang": "dz", "text": TEXT, "lexicon": MEANINGS, "new_pieces": 40, "objective": objective}
        assert request_for(asked)


def test_a_text_that_can_be_read_once(model: AdaptedModel) -> None:
    made = trained(model, parallel=iter(PAIRS))
    assert made.config == trained(model).config
    assert invented_sentences(2) == TEXT[:2]


TEXTS: dict[str, dict[str, Any]] = {"translations": {}, "none": {"parallel": None, "text": TEXT}}
MADE_OF = {
    ("translations", "auto"): "new pieces started from",
    ("none", "auto"): "glossed by",
    ("none", "mlm"): "new pieces started from",
}


@pytest.mark.parametrize(("text", "objective"), MADE_OF)
def test_a_dictionary_is_read_once_and_stands_on_the_card(text: str, objective: str, model: AdaptedModel) -> None:
    lexicon = Source(iter(WORDS.items()), licence="CC-BY-4.0", name="our word list")
    output = Output(licence="CC0-1.0")
    made = trained(model, **TEXTS[text], lexicon=lexicon, objective=objective, output=output)
    assert made.card.source.endswith(f", {MADE_OF[text, objective]} our word list")
    assert made.card.licence == "CC-BY-4.0"
    assert made.training is not None
    assert ("known_words" in made.training.settings) == (MADE_OF[text, objective] == "glossed by")


def test_the_dictionary_of_an_objective_that_does_not_read_it_is_not_looked_at_by_triage(model: AdaptedModel) -> None:
    of_another_language = {"bei": "price", "maji": "water"}
    made = trained(model, parallel=None, text=TEXT, lexicon=of_another_language, objective="mlm")
    assert made.config.pieces is not None


def test_a_dictionary_beside_the_sample() -> None:
    told: list[str] = []
    source = choose_source(
        LanguageRequest(lang="sw", lexicon=MEANINGS, new_pieces=40, objective=Distill(), output=Output(licence="MIT")),
        told.append,
    )
    assert source.lexicon is not None
    assert (source.kind, source.translated, source.glossed, source.lexicon.licence) == ("sample", True, False, "MIT")
    with pytest.raises(SourceNotFound, match=r"no-such\.tsv"):
        choose_source(LanguageRequest(lang="sw", lexicon="no-such.tsv", new_pieces=40), told.append)
    assert told == []


def two_plain(model: AdaptedModel) -> list[Adapter]:
    plain = trained(model, new_pieces=None, force=True)
    return [replace(plain.renamed(f"language/{tag}"), language=tag) for tag in ("bo", "ne")]


def test_what_cannot_bring_pieces_is_refused_before_the_text_is_read(model: AdaptedModel) -> None:
    dz = trained(model)
    two = two_plain(model)
    for asked, message in (
        ({"start": dz}, "language/dz brings pieces of text already, which what starts from it has"),
        ({"on": [dz.renamed("language/bo")]}, "language/bo lies below language/dz and brings pieces of text already"),
        ({"on": two, "method": "fusion"}, "new_pieces does not go with method 'fusion'"),
    ):
        unread = iter(PAIRS)
        with pytest.raises(ConfigError, match=message):
            trained(model, parallel=unread, **asked)
        assert next(unread) == PAIRS[0]


def test_a_fusion_does_not_start_from_what_brings_pieces(model: AdaptedModel) -> None:
    dz = trained(model)
    two = two_plain(model)
    with pytest.raises(ConfigError, match=r"language/dz is lora.*, and what is to start from it fusion"):
        trained(model, new_pieces=None, start=dz, on=two, method="fusion")
    assert model.attached == ()
