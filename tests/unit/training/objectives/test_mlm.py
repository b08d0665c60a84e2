import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.layers import InvertibleLayer
from adaptkit.task_types import IGNORED
from adaptkit.training.objectives import MaskedObjective, MaskingRule, softmax

WIDTH, SIZE, MASK, PAD = 12, 40, 4, 1
SPECIAL = range(5)
CORPUS = torch.tensor([0, 1, 2, 6, 7, 11, 12, 13, 20, 25, 26, 30, 39])
"""Three special tokens and ten others."""


def objective(
    *,
    share: float = 0.15,
    whole_words: bool = False,
    vocabulary: Tensor | None = None,
    anchor_weight: float = 0.0,
    invertible: InvertibleLayer | None = None,
) -> MaskedObjective:
    ids = torch.arange(SIZE)
    made = MaskedObjective(
        embeddings=torch.randn(SIZE if vocabulary is None else len(vocabulary), WIDTH),
        maskable=ids >= len(SPECIAL),
        word_start=ids % 3 == 0,
        mask_id=MASK,
        rule=MaskingRule(share=share, whole_words=whole_words),
        vocabulary=vocabulary,
        anchor_weight=anchor_weight,
        invertible=invertible,
    )
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made


def sentences(n: int = 8, length: int = 20, vocabulary: Tensor | None = None) -> Batch:
    """Random tokens between <s> and </s>, the last quarter of every second row padding."""
    kept = torch.arange(len(SPECIAL), SIZE) if vocabulary is None else vocabulary[vocabulary >= len(SPECIAL)]
    ids, mask = kept[torch.randint(len(kept), (n, length))], torch.ones(n, length, dtype=torch.long)
    ids[:, 0], ids[:, -1] = 0, 2
    ids[::2, -length // 4 :], mask[::2, -length // 4 :] = PAD, 0
    return Batch(ids=ids, mask=mask)


def plain_loss(made: MaskedObjective, hidden: Tensor, batch: Batch) -> Tensor:
    """Every position projected on every kept token, and the masked ones picked from that."""
    assert batch.positions is not None
    assert batch.labels is not None
    labels = torch.full((batch.ids.numel(),), -100).index_put((batch.positions,), batch.labels)
    logits = made.norm(made.transform(hidden)) @ made.softmax.get_buffer("rows").T + made.bias
    return F.cross_entropy(logits.reshape(len(labels), -1), labels, ignore_index=-100)


def masked(prepared: Batch) -> tuple[Tensor, Tensor]:
    """Positions and labels that count."""
    assert prepared.positions is not None
    assert prepared.labels is not None
    counts = prepared.labels != IGNORED
    return prepared.positions[counts], prepared.labels[counts]


def originals(plain: Batch, prepared: Batch) -> Tensor:
    return plain.ids.reshape(-1)[masked(prepared)[0]]


def chosen(prepared: Batch) -> Tensor:
    """Which positions are masked. Shape: (batch, seq)."""
    flat = torch.zeros(prepared.ids.numel(), dtype=torch.bool)
    flat[masked(prepared)[0]] = True
    return flat.view_as(prepared.ids)


def gradients(loss: Tensor, *of: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss, of)


@pytest.fixture(params=[None, CORPUS], ids=["full vocabulary", "corpus vocabulary"])
def vocabulary(request: pytest.FixtureRequest) -> Tensor | None:
    found: Tensor | None = request.param
    return found


def test_plain_formula(vocabulary: Tensor | None) -> None:
    made, plain = objective(vocabulary=vocabulary), sentences(vocabulary=vocabulary)
    batch, hidden = made.prepare(plain), torch.randn(8, 20, WIDTH, requires_grad=True)
    of = (hidden, *made.parameters())
    loss, expected = made(hidden, batch), plain_loss(made, hidden, batch)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradients(loss, *of), gradients(expected, *of))


def test_labels_are_places_in_the_vocabulary(vocabulary: Tensor | None) -> None:
    made, plain = objective(vocabulary=vocabulary), sentences(vocabulary=vocabulary)
    batch = made.prepare(plain)
    kept = torch.arange(SIZE) if vocabulary is None else vocabulary
    assert torch.equal(kept[masked(batch)[1]], originals(plain, batch))


def test_what_is_projected_has_one_of_a_few_shapes(vocabulary: Tensor | None) -> None:
    made = objective(vocabulary=vocabulary)
    batches = [made.prepare(sentences(n, vocabulary=vocabulary)) for n in range(2, 40)]
    counts = {len(masked(batch)[0]) for batch in batches}
    shapes = {len(batch.positions) for batch in batches if batch.positions is not None}
    assert len(shapes) < 4 < len(counts)


def test_chunks_change_nothing(vocabulary: Tensor | None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = objective(vocabulary=vocabulary)
    batch, hidden = made.prepare(sentences(vocabulary=vocabulary)), torch.randn(8, 20, WIDTH, requires_grad=True)
    of = (hidden, *made.parameters())
    whole = made(hidden, batch)
    monkeypatch.setattr(softmax, "_LOGIT_BYTES_AT_ONCE", 3 * 4 * len(made.bias))
    pieces = made(hidden, batch)
    torch.testing.assert_close(pieces, whole)
    torch.testing.assert_close(gradients(pieces, *of), gradients(whole, *of))


def test_only_real_tokens_are_masked() -> None:
    made, plain = objective(share=0.9), sentences(64)
    picked = chosen(made.prepare(plain))
    assert picked.any()
    assert not picked[plain.mask == 0].any()
    assert not torch.isin(plain.ids[picked], torch.tensor(list(SPECIAL))).any()


def test_the_mask_decides_what_is_padding() -> None:
    made, plain = objective(share=0.9), sentences(64)
    batch = made.prepare(dataclasses.replace(plain, ids=plain.ids.masked_fill(plain.mask == 0, 7)))
    assert not chosen(batch)[plain.mask == 0].any()


def test_tokens_outside_the_corpus_vocabulary_are_not_masked() -> None:
    made, plain = objective(share=0.9, vocabulary=CORPUS), sentences(64)
    assert torch.isin(plain.ids[chosen(made.prepare(plain))], CORPUS).all()


def test_what_is_not_masked_stays_and_what_is_given_stays(vocabulary: Tensor | None) -> None:
    made, plain = objective(vocabulary=vocabulary), sentences(vocabulary=vocabulary)
    before = plain.ids.clone()
    batch = made.prepare(plain)
    assert torch.equal(batch.ids[~chosen(batch)], plain.ids[~chosen(batch)])
    assert torch.equal(plain.ids, before)
    assert torch.equal(batch.mask, plain.mask)


@pytest.mark.parametrize("share", [0.15, 0.4])
@pytest.mark.parametrize("whole_words", [False, True])
def test_share(share: float, whole_words: bool) -> None:
    made, plain = objective(share=share, whole_words=whole_words), sentences(1000)
    maskable = (plain.ids >= len(SPECIAL)).sum()
    assert float(chosen(made.prepare(plain)).sum() / maskable) == pytest.approx(share, rel=0.06)


def test_eighty_ten_ten() -> None:
    made, plain = objective(share=0.5), sentences(1000)
    batch = made.prepare(plain)
    before, after = originals(plain, batch), batch.ids[chosen(batch)]
    assert float((after == MASK).float().mean()) == pytest.approx(0.8, abs=0.02)
    # One draw in 35 gives the token that was there.
    assert float((after == before).float().mean()) == pytest.approx(0.1 + 0.1 / 35, abs=0.01)


def test_random_replacements_come_from_the_corpus_vocabulary() -> None:
    made, plain = objective(share=0.9, vocabulary=CORPUS), sentences(1000, vocabulary=CORPUS)
    batch = made.prepare(plain)
    changed = batch.ids[(batch.ids != plain.ids) & (batch.ids != MASK)]
    assert set(changed.tolist()) == {token for token in CORPUS.tolist() if token >= len(SPECIAL)}


def test_whole_words_are_masked_together() -> None:
    made, plain = objective(share=0.4, whole_words=True), sentences(200)
    picked = chosen(made.prepare(plain))
    real = (plain.ids >= len(SPECIAL)) & plain.mask.bool()
    inside = real[:, 1:] & real[:, :-1] & (plain.ids[:, 1:] % 3 != 0)
    assert torch.equal(picked[:, 1:][inside], picked[:, :-1][inside])
    begins = real[:, 1:] & real[:, :-1] & ~inside
    assert not torch.equal(picked[:, 1:][begins], picked[:, :-1][begins])


def test_something_is_always_masked() -> None:
    made = objective(share=1e-9)
    assert chosen(made.prepare(sentences(1))).any()


def test_text_of_special_tokens_alone_has_no_loss() -> None:
    made = objective()
    batch = made.prepare(Batch(ids=torch.tensor([[0, 3, 2]]), mask=torch.ones(1, 3, dtype=torch.long)))
    hidden = torch.randn(1, 3, WIDTH, requires_grad=True)
    loss = made(hidden, batch)
    assert loss.detach().item() == 0.0
    assert float(gradients(loss, hidden)[0].abs().max()) == 0.0


def test_masks_are_drawn_from_torch_s_random_state() -> None:
    made, plain = objective(), sentences()
    torch.manual_seed(3)
    first = made.prepare(plain)
    second = made.prepare(plain)
    torch.manual_seed(3)
    assert torch.equal(made.prepare(plain).ids, first.ids)
    assert not torch.equal(second.ids, first.ids)


def test_the_invertible_layer_is_undone_before_the_projection() -> None:
    layer = InvertibleLayer(hidden_width=WIDTH, coupling_width=3, activation="relu")
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    torch.manual_seed(1)
    made = objective(invertible=layer)
    torch.manual_seed(1)
    without = objective()
    batch, hidden = made.prepare(sentences()), torch.randn(8, 20, WIDTH)
    assert batch.positions is not None
    assert batch.labels is not None
    vectors = layer.inverse(without.norm(without.transform(hidden.reshape(-1, WIDTH)[batch.positions])))
    logits = vectors @ without.softmax.get_buffer("rows").T + without.bias
    torch.testing.assert_close(made(hidden, batch), F.cross_entropy(logits, batch.labels))
    assert not torch.isclose(made(hidden, batch), without(hidden, batch))


def test_the_invertible_layer_belongs_to_the_adapter_and_learns() -> None:
    layer = InvertibleLayer(hidden_width=WIDTH, coupling_width=3, activation="relu")
    made = objective(invertible=layer)
    assert not {id(p) for p in layer.parameters()} & {id(p) for p in made.parameters()}
    loss = made(torch.randn(8, 20, WIDTH), made.prepare(sentences()))
    assert all(gradient is not None for gradient in gradients(loss, *layer.parameters()))


@pytest.mark.parametrize("weight", [0.0, 20.0])
def test_anchor(weight: float) -> None:
    made = objective(anchor_weight=weight)
    batch = dataclasses.replace(made.prepare(sentences()), targets=torch.randn(8, WIDTH))
    hidden = torch.randn(8, 20, WIDTH)
    pooled = torch.stack([states[mask.bool()].mean(dim=0) for states, mask in zip(hidden, batch.mask, strict=True)])
    assert batch.targets is not None
    measures = made.measures(hidden, batch)
    away = (1 - F.cosine_similarity(pooled, batch.targets)).mean()
    torch.testing.assert_close(measures["loss"], measures["token_loss"] + weight * away)
    assert torch.equal(made(hidden, batch), measures["loss"])


def test_an_anchor_without_targets_is_no_anchor() -> None:
    made = objective(anchor_weight=20.0)
    measures = made.measures(torch.randn(8, 20, WIDTH), made.prepare(sentences()))
    assert torch.equal(measures["loss"], measures["token_loss"])


def test_a_fresh_head_reads_a_hidden_state_as_the_embedding() -> None:
    table = torch.randn(SIZE, WIDTH)
    made = MaskedObjective(
        embeddings=table,
        maskable=torch.ones(SIZE, dtype=torch.bool),
        word_start=torch.ones(SIZE, dtype=torch.bool),
        mask_id=MASK,
        rule=MaskingRule(),
    )
    ids = torch.arange(SIZE).view(2, -1)
    batch = Batch(ids=ids, mask=torch.ones_like(ids), positions=torch.arange(SIZE), labels=torch.arange(SIZE))
    right, wrong = (made(hidden, batch) for hidden in (table.view(2, -1, WIDTH), table.flip(0).view(2, -1, WIDTH)))
    assert bool(right < wrong)


def test_the_embedding_table_is_not_copied_and_not_trained() -> None:
    table = nn.Parameter(torch.randn(SIZE, WIDTH)).detach()
    made = MaskedObjective(
        embeddings=table,
        maskable=torch.ones(SIZE, dtype=torch.bool),
        word_start=torch.ones(SIZE, dtype=torch.bool),
        mask_id=MASK,
        rule=MaskingRule(),
    )
    assert made.softmax.get_buffer("rows").data_ptr() == table.data_ptr()
    assert set(made.state_dict()) == {"transform.weight", "transform.bias", "norm.weight", "norm.bias", "bias"}


def test_a_batch_that_was_not_prepared_is_refused() -> None:
    with pytest.raises(ConfigError, match="prepare"):
        objective()(torch.randn(8, 20, WIDTH), sentences())


def test_a_vocabulary_of_special_tokens_is_refused() -> None:
    with pytest.raises(ConfigError, match="special tokens only"):
        objective(vocabulary=torch.tensor([0, 1, 2]))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_cannot_be_right_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="share"):
        MaskingRule(share=share)
