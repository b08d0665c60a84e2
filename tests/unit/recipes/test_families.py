"""One adapter for several languages, and a language that starts from it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit import Lora, Output, Run, Source
from adaptkit.data.part import Part
from adaptkit.errors import ConfigError, UnknownLanguage
from adaptkit.model import AdaptedModel
from adaptkit.recipes.foundation import foundation_of
from adaptkit.recipes.languages_drawn import mixture_of
from adaptkit.recipes.text import TextTraining
from adaptkit.requests import LanguageRequest, request_of
from adaptkit.requests.by_language import by_language
from adaptkit.requests.written import parallels
from adaptkit.storage import Adapter
from adaptkit.training.display import Silent
from tests.unit.heads import examples as made

SHORT = Run(max_steps=3, batch_size=8, progress=False)
PAIRS = {language: adaptkit.sample_pairs(language) for language in ("sw", "ha", "yo")}
TEXTS = {language: [ours for _, ours in pairs] for language, pairs in PAIRS.items()}
UNEVEN = {"sw": PAIRS["sw"], "ha": PAIRS["ha"][:30]}
ROWS = Lora(rank=2)
SOURCES = (("sw news", 1.0), ("sw health", 2.0), ("ha", 1.0))


def family_of(model: AdaptedModel, **options: Any) -> Adapter:  # noqa: ANN401
    asked: dict[str, Any] = {"lang": ["sw", "Hausa"], "parallel": UNEVEN, "name": "both", "method": ROWS, "run": SHORT}
    return adaptkit.train_adapter(**asked | options, backbone=model)


def test_one_adapter_for_several_languages(model: AdaptedModel, tmp_path: Path) -> None:
    adapter = family_of(model, output=tmp_path / "both")
    assert (adapter.id, adapter.language, adapter.languages) == ("language/both", None, ("sw", "ha"))
    assert {entry.language: entry.n_lines for entry in adapter.card.languages} == {"sw": len(PAIRS["sw"]), "ha": 30}
    assert adapter.training is not None
    assert [adapter.training.settings[name] for name in ("lang", "sampling_alpha", "name")] == ["sw,ha", 0.3, "both"]
    loaded = adaptkit.load_adapter(tmp_path / "both")
    assert loaded.languages == ("sw", "ha")
    assert [listing.id for listing in adaptkit.Zoo(tmp_path).search(language="ha")] == ["language/both"]
    card = (tmp_path / "both" / "README.md").read_text()
    assert "Hausa" in card
    assert "(30 lines)" in card


def test_texts_without_translations_and_several_sources_of_one_language(model: AdaptedModel) -> None:
    texts = {"sw": [TEXTS["sw"][:40], TEXTS["sw"][40:]], "ha": TEXTS["ha"][:30]}
    adapter = family_of(model, parallel=None, text=texts)
    assert {entry.language: entry.n_lines for entry in adapter.card.languages} == {"sw": len(TEXTS["sw"]), "ha": 30}


class Counted(list[str]):
    """Sentences that know how often they were read."""

    n_readings = 0

    def __iter__(self) -> Iterator[str]:
        self.n_readings += 1
        return super().__iter__()


def test_text_is_read_no_oftener_beside_more_languages(model: AdaptedModel) -> None:
    readings = []
    for beside in (("ha",), ("ha", "yo")):
        texts = {language: Counted(TEXTS[language]) for language in ("sw", *beside)}
        TextTraining(
            LanguageRequest(lang=("sw", *beside), text=texts, name="all", backbone=model, run=SHORT), Silent()
        ).close()
        readings.append([text.n_readings for text in texts.values()])
    assert len({number for numbers in readings for number in numbers}) == 1


def trained_on(model: AdaptedModel, **options: Any) -> TextTraining:  # noqa: ANN401
    asked: dict[str, Any] = {"lang": ("sw", "ha"), "parallel": UNEVEN, "name": "both", "backbone": model, "run": SHORT}
    return TextTraining(LanguageRequest(**asked | options), Silent())


@pytest.mark.parametrize(("alpha", "share"), [(None, 0.3), (1.0, 1.0), (0.0, 0.0)])
def test_small_languages_are_drawn_more_often(alpha: float | None, share: float, model: AdaptedModel) -> None:
    training = trained_on(model, sampling_alpha=alpha)
    try:
        data = training.data
        rows = [row for epoch in range(4) for batch in data.batches(8, epoch) for row in batch if row < data.n_measured]
        assert data.mixture is not None
        counts = Counter(data.mixture.parts[row] for row in rows)
        sizes = len(PAIRS["sw"]), 30
        expected = sizes[1] ** share / (sizes[0] ** share + sizes[1] ** share)
        assert counts[1] / counts.total() == pytest.approx(expected, abs=0.06)
    finally:
        training.close()


def test_triage_looks_at_each_language(model: AdaptedModel) -> None:
    # Half of the languages' text in another script than theirs: said of the one that it is.
    training = trained_on(model, text={"sw": TEXTS["sw"], "ru": TEXTS["ha"]}, parallel=None, lang=("sw", "ru"))
    try:
        plan = "\n".join(training.describe(training.estimate()))
        assert "ru: 100.0% of the lines are not in the usual script of ru" in plan
        assert "sw: 100.0%" not in plan
        assert "language/both" in plan
    finally:
        training.close()


WRONG: dict[str, dict[str, Any]] = {
    "needs a name": {"name": None},
    r"given once for 2 languages; give each .*: parallel=\{'sw': ..., 'ha': ...\}": {"parallel": PAIRS["sw"]},
    "none for ha": {"parallel": {"sw": PAIRS["sw"]}},
    "some for yo": {"parallel": PAIRS},
    "parallel has none for sw": {"parallel": {"sw": None, "ha": PAIRS["ha"]}},
    "names a language twice": {"lang": ["sw", "swh_Latn"]},
    "lexicon": {"parallel": None, "text": {"sw": TEXTS["sw"], "ha": TEXTS["ha"]}, "lexicon": [("maji", "water")]},
}


@pytest.mark.parametrize("message", WRONG)
def test_what_does_not_go_with_several_languages_is_refused(message: str, model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match=message):
        family_of(model, **WRONG[message])


def test_languages_that_are_none_are_refused(model: AdaptedModel) -> None:
    with pytest.raises(UnknownLanguage):
        family_of(model, lang=["sw", "Swahilii"])


def test_one_language_may_have_a_name_and_text_by_language(model: AdaptedModel) -> None:
    adapter = adaptkit.train_adapter(
        lang="sw", parallel={"swahili": PAIRS["sw"]}, name="sw-news", backbone=model, run=SHORT
    )
    assert (adapter.id, adapter.language, adapter.card.languages) == ("language/sw-news", "sw", ())


def test_a_shell_says_which_text_is_whose(tmp_path: Path) -> None:
    read = by_language(parallels)
    plain = tmp_path / "sw=old.tsv"
    plain.write_text("a\tb\n")
    assert read(["sw=a.tsv", "ha=b.en,b.ha", "sw=c.jsonl,weight=2"]) == {
        "sw": [Path("a.tsv"), Source(Path("c.jsonl"), weight=2.0)],
        "ha": (Path("b.en"), Path("b.ha")),
    }
    assert read([str(plain)]) == plain
    assert read(["a.tsv,licence=CC0-1.0"]) == Source(Path("a.tsv"), licence="CC0-1.0")
    with pytest.raises(ConfigError, match="for all, or for none"):
        read(["sw=a.tsv", "b.tsv"])
    request = request_of({"lang": "sw,ha", "name": "both", "parallel": {"sw": "a.tsv", "ha": "b.tsv"}})
    assert isinstance(request, LanguageRequest)
    assert list(request.texts_by_language().items()) == [("sw", (None, "a.tsv")), ("ha", (None, "b.tsv"))]


def test_sources_of_a_language_share_what_is_the_languages() -> None:
    parts = [Part(name=name, rows=lambda: iter(()), language=name[:2], weight=weight) for name, weight in SOURCES]
    found = mixture_of(parts, [100, 100, 1000], 0.0)
    assert found is not None
    assert found.shares == pytest.approx((1 / 6, 1 / 3, 1 / 2))
    as_they_are = mixture_of(parts[:1] + parts[2:], [100, 1000], 1.0)
    assert as_they_are is not None
    assert as_they_are.as_they_are
    assert mixture_of(parts[:1], [100], 1.0) is None


def test_a_language_starts_from_its_family(model: AdaptedModel, tmp_path: Path) -> None:
    family = family_of(model, output=tmp_path / "both", run=Run(max_steps=30, batch_size=8, progress=False))
    asked: dict[str, Any] = {"lang": "yo", "parallel": PAIRS["yo"], "backbone": model, "method": ROWS}
    training = TextTraining(LanguageRequest(**asked, start=family, run=Run(progress=False)), Silent())
    fresh = TextTraining(LanguageRequest(**asked, run=Run(progress=False)), Silent())
    try:
        mine = training._fitting.layers.named_tensors()
        assert all(torch.equal(mine[name].cpu(), tensor) for name, tensor in family.tensors.items())
        assert training.settings.max_steps < fresh.settings.max_steps
        assert training.settings.max_steps == max(34, round(fresh.settings.max_steps / 3))
    finally:
        training.close()
        fresh.close()
    adapter = adaptkit.train_adapter(**asked, start=tmp_path / "both", run=SHORT)
    assert (adapter.id, adapter.language, adapter.below) == ("language/yo", "yo", ())
    assert adapter.training is not None
    assert adapter.training.settings["start"] == f"language/both ({family.weights_sha256[:16]})"


def test_a_start_that_does_not_fit_is_refused(model: AdaptedModel) -> None:
    family = family_of(model)
    asked: dict[str, Any] = {"lang": "yo", "parallel": PAIRS["yo"], "backbone": model, "run": SHORT}
    with pytest.raises(ConfigError, match="same method"):
        adaptkit.train_adapter(**asked, start=family, method=Lora(rank=4))
    with pytest.raises(ConfigError, match="of a domain adapter"):
        adaptkit.train_adapter(**asked, domain="news", start=family, method=ROWS)
    with pytest.raises(ConfigError, match="takes an adapter or its folder"):
        adaptkit.train_adapter(**asked, start=7)  # type: ignore[arg-type]


def test_below_a_task_each_batch_has_its_languages_adapter_or_its_familys(model: AdaptedModel) -> None:
    family = family_of(model)
    own = adaptkit.train_adapter(lang="sw", parallel=PAIRS["sw"], backbone=model, run=SHORT)
    both = foundation_of([family, own])
    stacks = {tag: both.stack_under("task/top", tag).ids for tag in ("sw", "ha", "yo", None)}
    assert stacks == {
        "sw": ("language/sw", "task/top"),
        "ha": ("language/both", "task/top"),
        "yo": ("task/top",),
        None: ("task/top",),
    }
    assert foundation_of([family]).stack_under("task/top", "yo").ids == ("language/both", "task/top")
    task = adaptkit.train_adapter(
        task="topics", data=made.topics(), lang="ha", on=family, backbone=model, run=SHORT, output=Output()
    )
    assert task.below == ("language/both",)
    with pytest.raises(ConfigError, match="the same below all of them"):
        family_of(model, name="more", on=[family, own])
