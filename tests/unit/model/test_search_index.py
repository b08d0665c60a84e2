"""An index of sentences: what is found, under which stack, what is kept of it, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch.nn.functional as F

from adaptkit.data import neighbours
from adaptkit.errors import (
    AdapterFileError,
    ConfigError,
    EmptyCorpus,
    OtherVectors,
    SourceNotFound,
    UnknownAdapter,
    WeightsChanged,
)
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel, SearchIndex
from adaptkit.search import Hit
from adaptkit.storage import Adapter
from tests.adapters import attach_random, random_adapter
from tests.runs import PAIRS
from tests.tiny import tiny_model

LORA = AdapterConfig(method=LoraConfig(rank=2, alpha=8.0))
ENGLISH, SWAHILI = ([pair[side] for pair in PAIRS] for side in (0, 1))


@pytest.fixture
def sw(model: AdaptedModel) -> Adapter:
    adapter = random_adapter(model, LORA)
    model.attach(adapter)
    return adapter


def expected_rows(model: AdaptedModel, query: str, texts: list[str], stack: Any, query_stack: Any) -> list[int]:  # noqa: ANN401
    vectors, asked = model.encode(texts, stack=stack), model.encode(query, stack=query_stack)
    # Two of these random ones are 1e-7 apart, which single precision does not order.
    cosines = F.cosine_similarity(vectors.double(), asked[None].double(), dim=-1).tolist()
    return sorted(range(len(texts)), key=lambda row: -cosines[row])


def rows(hits: list[Hit]) -> list[int]:
    return [hit.row for hit in hits]


@pytest.mark.usefixtures("sw")
@pytest.mark.parametrize("query_stack", ["language/sw", None])
def test_the_nearest_sentences_are_found_in_order(model: AdaptedModel, query_stack: str | None) -> None:
    index = model.search_index(SWAHILI, stack="sw")
    query = ENGLISH[3]
    hits = index.search(query, top=5, stack=query_stack)
    assert rows(hits) == expected_rows(model, query, SWAHILI, "sw", query_stack)[:5]
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    assert [hit.text for hit in hits] == [SWAHILI[hit.row] for hit in hits]
    assert [hit.similarity for hit in hits] == sorted((hit.similarity for hit in hits), reverse=True)
    own = F.cosine_similarity(model.encode([hits[0].text or ""], stack="sw"), model.encode([query], stack=query_stack))
    assert hits[0].similarity == pytest.approx(float(own), abs=1e-5)
    assert index.search([query, SWAHILI[0]], top=5, stack=query_stack)[0] == hits


@pytest.mark.usefixtures("sw")
def test_queries_are_encoded_as_the_corpus_unless_said_otherwise(model: AdaptedModel) -> None:
    index = model.search_index(SWAHILI, stack="sw")
    hit = index.search(SWAHILI[7], top=1)[0]
    assert hit.row == 7
    assert hit.similarity == pytest.approx(1, abs=1e-5)
    assert index.search(SWAHILI[7], top=1, stack=None)[0].similarity < 0.999
    assert rows(index.search(SWAHILI[7], top=99)) == rows(index.search(SWAHILI[7], top=60))


def test_each_text_is_found_once_by_its_first_row_and_empty_ones_never(model: AdaptedModel, tmp_path: Path) -> None:
    lines = ["", SWAHILI[0], "  ", SWAHILI[1], f" {SWAHILI[0]} ", SWAHILI[2]]
    (tmp_path / "corpus.txt").write_text("\n".join(lines), encoding="utf-8")
    for corpus in (lines, tmp_path / "corpus.txt", str(tmp_path / "corpus.txt")):
        index = model.search_index(corpus)
        assert (len(index), index.sentences.n_given) == (3, 4)
        assert sorted(rows(index.search("mbuzi", top=9))) == [1, 3, 5]
        assert index.search(SWAHILI[0], top=1)[0].row == 1


def test_rows_of_a_table_count_as_they_stand_there(model: AdaptedModel, tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text(
        "".join(f'{{"said": "{text}", "by": "x"}}\n' for text in SWAHILI[:4]), encoding="utf-8"
    )
    index = model.search_index(tmp_path / "corpus.jsonl", column="said")
    assert index.search(SWAHILI[2], top=1)[0].row == 2


def test_with_faiss_and_without_the_hits_are_the_same(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    index = model.search_index(SWAHILI)
    by_numpy = index.search(ENGLISH, top=7)
    monkeypatch.setattr(neighbours, "FAISS_FROM", 0)
    assert model.search_index(SWAHILI).search(ENGLISH, top=7) == by_numpy
    near = index.search(ENGLISH, top=7, approximate=True)
    assert sum(len({*rows(ours)} & {*rows(theirs)}) for ours, theirs in zip(near, by_numpy, strict=True)) > 380


def test_a_prefix_stands_before_every_sentence_of_the_corpus(model: AdaptedModel) -> None:
    index = model.search_index(SWAHILI, prefix="passage: ")
    assert index.origin.prefix == "passage: "
    found = index.search(SWAHILI[5], top=1, prefix="passage: ")[0]
    assert found.row == 5
    assert found.similarity == pytest.approx(1, abs=1e-5)


@pytest.mark.usefixtures("sw")
def test_a_saved_index_gives_the_same_hits(model: AdaptedModel, tmp_path: Path) -> None:
    index = model.search_index(SWAHILI, stack="language/sw")
    expected = index.search(ENGLISH[:5])
    assert index.save(tmp_path / "index") == tmp_path / "index"
    assert SearchIndex.load(tmp_path / "index", model).search(ENGLISH[:5]) == expected
    assert SearchIndex.load(tmp_path / "index", model, corpus=SWAHILI).search(ENGLISH[:5]) == expected
    with pytest.raises(ConfigError, match="exists already; nothing was written"):
        index.save(tmp_path / "index")
    with pytest.raises(ConfigError, match="is an index of other text"):
        SearchIndex.load(tmp_path / "index", model, corpus=SWAHILI[1:])


def test_a_private_index_keeps_rows_alone(model: AdaptedModel, tmp_path: Path) -> None:
    index = model.search_index(SWAHILI)
    index.save(tmp_path / "index", keep_text=False)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "index").iterdir())
    assert not any(text.encode() in kept for text in SWAHILI)
    expected = index.search(ENGLISH[0])
    found = SearchIndex.load(tmp_path / "index", model).search(ENGLISH[0])
    assert found == [replace(hit, text=None) for hit in expected]
    assert SearchIndex.load(tmp_path / "index", model, corpus=SWAHILI).search(ENGLISH[0]) == expected


def test_a_pinned_stack_is_what_an_index_says_that_it_is_of(model: AdaptedModel, sw: Adapter, tmp_path: Path) -> None:
    pinned = model.pinned("sw")
    of_old = model.search_index(SWAHILI[:9], stack="sw").origin
    model.swap(random_adapter(model, LORA, seed=2))
    index = model.search_index(SWAHILI[:9], stack=pinned)
    assert index.origin == of_old
    assert index.origin != model.search_index(SWAHILI[:9], stack="sw").origin
    assert index.search(SWAHILI[4], top=1, stack=pinned)[0].similarity == pytest.approx(1, abs=1e-5)
    index.save(tmp_path / "index")
    with pytest.raises(OtherVectors, match="language/sw of hash"):
        SearchIndex.load(tmp_path / "index", model)
    model.detach("sw")
    assert model.search_index(SWAHILI[:9], stack=pinned).origin == of_old
    model.attach(sw)
    assert SearchIndex.load(tmp_path / "index", model).search(SWAHILI[4], top=1)[0].row == 4


def test_an_index_is_refused_by_another_model_and_other_adapters(
    model: AdaptedModel, sw: Adapter, tmp_path: Path
) -> None:
    index = model.search_index(SWAHILI[:9], stack=sw)
    index.save(tmp_path / "index")
    other = tiny_model(seed=1)
    with pytest.raises(UnknownAdapter, match="language/sw"):
        SearchIndex.load(tmp_path / "index", other)
    model.search_index(SWAHILI[:9]).save(tmp_path / "bare")
    with pytest.raises(OtherVectors, match="the backbone tiny-bert"):
        SearchIndex.load(tmp_path / "bare", other)
    model.swap(random_adapter(model, LORA, seed=2))
    with pytest.raises(OtherVectors, match=r"language/sw of hash .* make the index anew"):
        SearchIndex.load(tmp_path / "index", model)
    with pytest.raises(OtherVectors, match="language/sw of hash"):
        index.search("mbuzi")
    assert index.search("mbuzi", stack=None)


def test_another_scaling_is_another_adapter(model: AdaptedModel, sw: Adapter, tmp_path: Path) -> None:
    model.search_index(SWAHILI[:3], stack=sw).save(tmp_path / "index")
    model.detach(sw.id)
    scaled = random_adapter(model, AdapterConfig(method=LoraConfig(rank=2, alpha=30.0)))
    assert scaled.weights_sha256 == sw.weights_sha256
    model.attach(scaled)
    with pytest.raises(OtherVectors, match="language/sw of hash"):
        SearchIndex.load(tmp_path / "index", model)


def test_an_adapter_in_training_makes_no_index(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", LORA)
    with pytest.raises(ConfigError, match="language/sw is in training"):
        model.search_index(SWAHILI, stack="sw")


REFUSED: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "row 2 of the queries is empty; give text": ({"queries": ["mbuzi", " "]}, ConfigError),
    "row 1 of the queries is a value of type int": ({"queries": [3]}, ConfigError),
    "top must be at least 1, found 0": ({"queries": "mbuzi", "top": 0}, ConfigError),
    "no adapter language/yo is attached": ({"queries": "mbuzi", "stack": "language/yo"}, UnknownAdapter),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_searched_is_refused(message: str, model: AdaptedModel) -> None:
    given, error = REFUSED[message]
    with pytest.raises(error, match=message):
        model.search_index(SWAHILI[:5]).search(**given)


def test_no_queries_have_no_hits(model: AdaptedModel) -> None:
    assert model.search_index(SWAHILI[:5]).search([]) == []


@pytest.mark.parametrize("corpus", [[], ["", " "]])
def test_an_empty_corpus_is_refused(corpus: list[str], model: AdaptedModel) -> None:
    with pytest.raises(EmptyCorpus):
        model.search_index(corpus)


def test_interrupted_encoding_leaves_nothing(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("adaptkit.model.search_index._AT_ONCE", 10)
    monkeypatch.setattr("adaptkit.terminal.bar.LINE_EVERY_S", 0.0)
    assert len(model.search_index(SWAHILI)) == 60
    assert "encoding 60 sentences: 10 of 60, about" in capsys.readouterr().err
    encode = type(model).encode

    def stopped(self: AdaptedModel, texts: Any, **options: Any) -> Any:  # noqa: ANN401
        if SWAHILI[25] in texts:
            raise KeyboardInterrupt
        return encode(self, texts, **options)

    monkeypatch.setattr(type(model), "encode", stopped)
    with pytest.raises(KeyboardInterrupt):
        model.search_index(SWAHILI, progress=False)
    monkeypatch.setattr(type(model), "encode", encode)
    assert len(model.search_index(SWAHILI, progress=False)) == 60


def test_what_is_no_index_or_a_changed_one_is_refused(model: AdaptedModel, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="is not a search index"):
        SearchIndex.load(tmp_path, model)
    folder = model.search_index(SWAHILI[:4]).save(tmp_path / "index")
    original = {path: path.read_bytes() for path in folder.iterdir()}
    record = folder / "search_index.json"
    for path, content in original.items():
        for changed in (content[:-1], content[: len(content) // 2], content + b"\n{}\n", b""):
            path.write_bytes(changed)
            if path != record or changed != content[:-1]:  # the last sign of the record ends its line
                with pytest.raises((AdapterFileError, OtherVectors)):
                    SearchIndex.load(folder, model)
        path.write_bytes(content)
    for old, new, error in (
        (b'"format_version": 1', b'"format_version": 2', AdapterFileError),
        (b'"n_sentences": 4', b'"n_sentences": 5', AdapterFileError),
        (b'"width": 32', b'"width": 16', AdapterFileError),
        (b'"holds_text": true', b'"holds_text": false', AdapterFileError),
    ):
        assert old in original[record]
        record.write_bytes(original[record].replace(old, new))
        with pytest.raises(error):
            SearchIndex.load(folder, model)
    record.write_bytes(original[record])
    vectors = bytearray(original[folder / "vectors.safetensors"])
    vectors[-1] ^= 1
    (folder / "vectors.safetensors").write_bytes(vectors)
    with pytest.raises(WeightsChanged, match="Make the index anew"):
        SearchIndex.load(folder, model)
