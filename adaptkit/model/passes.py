"""Forward passes of a backbone under the active stack, or with a stack of its own for each row."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from inspect import signature
from typing import cast

import torch
from torch import Tensor
from transformers import Cache

from adaptkit.attaching import BARE, Given, Plan, ReadIds, RowGroups, RowPlan, SiteHooks, outputs_of, plan_of_rows
from adaptkit.attaching.branch import Branch, branch_of, joined_at, spread_from
from adaptkit.backbones import Backbone, all_blocks_of, blocks_of
from adaptkit.errors import ConfigError
from adaptkit.layers import PieceRows, TextRead, reading
from adaptkit.model.banks import Banks
from adaptkit.model.replays import Replays

_OWN_DROPOUT = {"dropout", "activation_dropout"}


class Passes:
    """Runs one backbone, and says whether it keeps activations for backward or recomputes them."""

    def __init__(self, backbone: Backbone, hooks: SiteHooks) -> None:
        self.backbone = backbone
        self.replays = Replays(backbone)
        self.banks: Banks | None = None
        """What runs rows whose stacks have a place in it, where nothing asks for gradients; None: nothing does."""
        self._network = backbone.network
        self._hooks = hooks

    def states(
        self, ids: Tensor, mask: Tensor, blocks: Sequence[int] = (), decoder_ids: Tensor | None = None
    ) -> Tensor:
        """Hidden states of the last block, or of these blocks side by side, under what is active.

        Of an encoder-decoder, they are those of the encoder, or with `decoder_ids` those of the decoder's last block.

        Shape: ids and mask (batch, seq), result (batch, seq, hidden_width), or that width for each of `blocks`;
        decoder_ids (batch, target_seq), result (batch, target_seq, hidden_width).

        Raises:
            ConfigError: Gradient checkpointing was switched on behind the model's back, or the backbone has no decoder
                beside its encoder.
        """
        self._require_own_checkpointing()
        return self._run(ids, mask, blocks, decoder_ids)

    def states_of_rows(
        self,
        ids: Tensor,
        mask: Tensor,
        plans: Sequence[RowPlan],
        blocks: Sequence[int] = (),
        decoder_ids: Tensor | None = None,
        *,
        texts: Sequence[Hashable] = (),
    ) -> Tensor:
        """Hidden states, each row under a plan of its own, whatever is active. Shape: as `states`.

        Where `texts` are given, which are equal for rows that read the same, blocks in which the plans of such rows
        agree are run once for all of them.

        Raises:
            ConfigError: As `states`.
        """
        self._require_own_checkpointing()
        if not blocks and decoder_ids is None:
            if self.banks is not None and self.banks.take(plans):
                return self.banks.states(ids, mask, plans)
            if (replayed := self.replays.states(ids, mask, plans)) is not None:
                return replayed
            if (branch := self._branch(texts, plans)) is not None:
                return self._branched(branch, ids, mask, plans)
        groups = RowGroups.of(plans)
        ids, mask = groups.sorted(ids), groups.sorted(mask)
        decoder_ids = None if decoder_ids is None else groups.sorted(decoder_ids)
        self._require_readable(ids, groups)
        if self.backbone.architecture.row_wise:
            with self._hooks.in_force(plan_of_rows(groups)):
                return groups.restored(self._run(ids, mask, blocks, decoder_ids))
        parts = []
        for plan, rows in zip(groups.plans, groups.rows, strict=True):
            with self._hooks.in_force(plan):
                decoded = None if decoder_ids is None else decoder_ids[rows]
                parts.append(self._run(ids[rows], mask[rows], blocks, decoded))
        return groups.restored(torch.cat(parts))

    def _branch(self, texts: Sequence[Hashable], plans: Sequence[RowPlan]) -> Branch | None:
        """How rows share their way, where that is spared: a network that was compiled would not see it."""
        row = self.backbone.architecture
        one_list = row.decoder is None and row.blocks_field == "num_hidden_layers" and row.row_wise
        if not texts or torch.is_grad_enabled() or not one_list or self._network._compiled_call_impl is not None:
            return None
        if self.backbone.device.type != "cpu" or any(plan.drops for plan in plans):
            return None  # elsewhere shapes are to come again
        return branch_of(texts, plans, len(blocks_of(self._network)), self._depth)

    def _depth(self, module: str) -> int:
        path = f"{self.backbone.architecture.blocks}."
        if module.startswith(path):
            return int(module.removeprefix(path).partition(".")[0])
        return -1 if module in self._before_blocks else len(blocks_of(self._network)) - 1

    @cached_property
    def _before_blocks(self) -> frozenset[str]:
        row = self.backbone.architecture
        return frozenset({row.embeddings, row.word_embeddings, row.widened_embeddings, *row.positions})

    def _branched(self, branch: Branch, ids: Tensor, mask: Tensor, plans: Sequence[RowPlan]) -> Tensor:
        trunks, blocks = list(branch.trunks), blocks_of(self._network)
        below = RowGroups.of([plans[row] for row in trunks])
        ids, mask = below.sorted(ids[trunks]), below.sorted(mask[trunks])
        self._require_readable(ids, below)
        if branch.block == len(blocks):
            with self._hooks.in_force(plan_of_rows(below)):
                return below.restored(self._run(ids, mask, ()))[list(branch.trunk_of)]
        above, place_of = RowGroups.of(plans), {trunk: place for place, trunk in enumerate(below.order)}
        rows = [place_of[branch.trunk_of[row]] for row in above.order]
        plan = joined_at(branch.block, plan_of_rows(below), plan_of_rows(above), self._depth)
        with self._hooks.in_force(plan), spread_from(blocks[branch.block :], len(trunks), rows):
            text = self._text(ids[rows], mask[rows])
            return above.restored(self._run(ids, mask, (), text=text))

    def states_after(
        self, cache: Cache, ids: Tensor, plan: Plan, *, mask: Tensor | None = None, positions: Tensor | None = None
    ) -> Tensor:
        """Hidden states of tokens that follow those in a cache, which takes them in, under a plan for these rows.

        `mask` says what of the cache and of the tokens is text, and `positions` where the tokens stand; without them,
        all rows are of one length.

        Shape: ids and positions (rows, seq), mask (rows, cached + seq), result (rows, seq, hidden_width).
        """
        options = {self._cache_argument: cache, "use_cache": True}
        with self._hooks.in_force(plan):
            return cast(
                Tensor,
                self._network(input_ids=ids, attention_mask=mask, position_ids=positions, **options).last_hidden_state,
            )

    def states_under(self, ids: Tensor, mask: Tensor, plan: Plan) -> Tensor:
        """Hidden states under a plan for these rows. Shape: as `states`."""
        with self._hooks.in_force(plan):
            return self._run(ids, mask, ())

    def decoded_after(self, cache: Cache, decoder_ids: Tensor, encoded: Tensor, mask: Tensor, plan: Plan) -> Tensor:
        """Hidden states of the decoder of an encoder-decoder, behind what is in a cache, under a plan for these rows.

        Shape: decoder_ids (rows, seq), encoded (rows, source_seq, hidden_width) as the encoder gave it, mask (rows,
        source_seq), result (rows, seq, hidden_width).
        """
        options = {self._cache_argument: cache, "use_cache": True}
        with self._hooks.in_force(plan):
            found = self._network(
                decoder_input_ids=decoder_ids, encoder_outputs=(encoded,), attention_mask=mask, **options
            )
        return cast(Tensor, found.last_hidden_state)

    @cached_property
    def _cache_argument(self) -> str:
        """What transformers calls a cache: it has another name since 5.24."""
        return "cache" if "cache" in signature(self._network.forward).parameters else "past_key_values"

    def word_vectors(self, ids: Tensor, plan: Plan) -> Tensor:
        """What the word embeddings give for token ids, with the rows that a plan brings, before all else acts.

        Shape: ids (batch, seq), result (batch, seq, width of the table).
        """
        words = self._reading_words
        rows = tuple(layer for layer in plan.get(words, ()) if isinstance(layer, PieceRows))
        with self._hooks.in_force({words: (ReadIds(rows, ids),)} if rows else BARE):
            return cast(Tensor, self._network.get_submodule(words)(self.backbone.known(ids)))

    def states_from(self, vectors: Tensor, ids: Tensor, mask: Tensor, plan: Plan) -> Tensor:
        """Hidden states of the last block where the word embeddings give these vectors for the ids, under one plan.

        Positions are those of the ids. Shape: vectors as `word_vectors` gives them, ids and mask (batch, seq), result
        (batch, seq, hidden_width).

        Raises:
            ConfigError: As `states`.
        """
        self._require_own_checkpointing()
        words = self._reading_words
        above = tuple(layer for layer in plan.get(words, ()) if not isinstance(layer, PieceRows))
        # What the table gives is not used, so it is asked for one token only, and none is counted as dropped. Padding
        # stays: some networks count positions from all that is none.
        asked, unknown = self.backbone.known(ids), self.backbone.tokenizer.unk_token_id
        if unknown not in (None, self.backbone.tokenizer.pad_token_id):
            asked = torch.full_like(ids, unknown).where(mask > 0, ids)
        with self._hooks.in_force({**plan, words: (Given(vectors), *above)}):
            return self._states_of(asked, mask, (), self._text(ids, mask))

    @property
    def _reading_words(self) -> str:
        """The module that gives word vectors: beside a decoder, an encoder has one of its own on the same table."""
        row = self.backbone.architecture
        return row.word_embeddings if row.decoder is None else row.embeddings

    def recompute(self, on: bool) -> None:
        """Recompute activations in backward instead of keeping them, or keep them again."""
        if not self.backbone.architecture.recomputes:
            self._recompute_blocks(on)
            return
        self._network._set_gradient_checkpointing(enable=on, gradient_checkpointing_func=self._hooks.checkpoint)
        for block in all_blocks_of(self._network):
            # transformers checkpoints only blocks that say they are training; their dropout layers stay in eval.
            block.training = on
            # Some drop by numbers of their own then; nothing of a frozen backbone is to be dropped.
            for number in _OWN_DROPOUT & vars(block).keys():
                setattr(block, number, 0.0)

    def _recompute_blocks(self, on: bool) -> None:
        """The same of a family for which transformers cannot: each run of a block is one piece."""
        for block in blocks_of(self._network):
            vars(block).pop("forward", None)
            if on:
                vars(block)["forward"] = partial(_recomputed, self._hooks, block.forward)

    @contextmanager
    def _with_own_pieces(self, ids: Tensor) -> Iterator[Tensor]:
        """The ids as the network may read them, while what is active at the word embeddings reads them as they are.

        The table has no rows above its vocabulary, however it is held; it is asked for the unknown token there.
        """
        words, plan = self.backbone.architecture.word_embeddings, self._hooks.plan
        chain = plan.get(words, ())
        if words == self.backbone.architecture.embeddings or not chain:
            yield ids
            return
        with self._hooks.in_force({**plan, words: (ReadIds(chain, ids),)}):
            yield self.backbone.known(ids)

    def _require_readable(self, ids: Tensor, groups: RowGroups) -> None:
        """Where a plan brings pieces, let each row have ids of the vocabulary, or of the pieces that its own brings.

        Otherwise the ids are not looked at: that waits for the device.

        Raises:
            ConfigError: A row has others.
        """
        if not any(plan.n_pieces for plan in groups.plans):
            return
        for plan, rows in zip(groups.plans, groups.rows, strict=True):
            n_ids = self.backbone.shape.vocabulary_size + plan.n_pieces
            highest = int(ids[rows].max())
            if highest >= n_ids:
                raise ConfigError(
                    f"a row has the token id {highest}, and what it is under knows the first {n_ids}: it was read by "
                    "the pieces of another adapter. Read a text and encode it under one stack."
                )

    def _run(
        self,
        ids: Tensor,
        mask: Tensor,
        blocks: Sequence[int],
        decoder_ids: Tensor | None = None,
        *,
        text: TextRead | None = None,
    ) -> Tensor:
        # Behind the last block, rows that share their way are as many as there are texts again, and `text` is theirs.
        with self._with_own_pieces(ids) as readable:
            if decoder_ids is not None:
                return self._decoded(readable, mask, decoder_ids)
            return self._states_of(readable, mask, blocks, text or self._text(ids, mask))

    def _text(self, ids: Tensor, mask: Tensor) -> TextRead:
        return TextRead(ids, mask, self.backbone.spelling)

    def _states_of(self, ids: Tensor, mask: Tensor, blocks: Sequence[int], text: TextRead) -> Tensor:
        row = self.backbone.architecture
        network = self._network if row.decoder is None else self._network.get_encoder()
        # A decoder would keep its keys and values for a next token that nobody asks for.
        options = {"use_cache": False} if row.causal else {}
        if not blocks:
            with reading(text):
                return cast(Tensor, network(ids, mask, **options).last_hidden_state)
        every = blocks_of(self._network)
        with outputs_of([every[block] for block in blocks]) as states, reading(text):
            network(ids, mask, **options)
        return torch.cat(list(states.values()), dim=-1)

    def _decoded(self, ids: Tensor, mask: Tensor, decoder_ids: Tensor) -> Tensor:
        if self.backbone.architecture.decoder is None:
            raise ConfigError(
                f"decoder_ids are for an encoder-decoder, and {self.backbone.name} has one list of blocks; leave them "
                "out."
            )
        found = self._network(ids, mask, decoder_input_ids=decoder_ids, use_cache=False)
        return cast(Tensor, found.last_hidden_state)

    def _require_own_checkpointing(self) -> None:
        if not self.backbone.architecture.recomputes:
            return
        ours = self._hooks.checkpoint
        if any(
            b.gradient_checkpointing and b._gradient_checkpointing_func != ours for b in all_blocks_of(self._network)
        ):
            raise ConfigError(
                "gradient checkpointing was switched on at the backbone, where recomputation would lose the stack in "
                "force. Switch it on here: model.gradient_checkpointing(True)."
            )


def _recomputed(hooks: SiteHooks, forward: Callable[..., object], *args: object, **options: object) -> object:
    if not torch.is_grad_enabled():
        return forward(*args, **options)
    return hooks.checkpoint(partial(forward, **options), *args)
