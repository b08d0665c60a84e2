"""Stacks of a model: looked up, active on its forward passes, or bound into a network of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor
from transformers import PreTrainedModel

from adaptkit.attaching import BoundNetwork, Plan
from adaptkit.holding import Graphs
from adaptkit.layers import Head
from adaptkit.model.abilities.parts import ModelParts
from adaptkit.model.banks import Banks
from adaptkit.model.copies import copy_without_hooks
from adaptkit.model.ensembles import AnsweredBy, ResolvedEnsemble
from adaptkit.model.stacks import ResolvedStack, StackLike
from adaptkit.task_types import HeadConfig


class Compositions(ModelParts):
    """A stack acts while it is active, or on the rows that it is given for."""

    @contextmanager
    def active(self, stack: StackLike) -> Iterator[None]:
        """Let a stack act on forward passes of this thread while the context is open.

        Raises:
            UnknownAdapter: The stack names an adapter that is not attached.
        """
        with self._hooks.in_force(self.plan(stack)):
            yield

    def plan(self, stack: StackLike) -> Plan:
        """The layers of a stack by the module that they follow, in the order in which they act.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `pinned`.
        """
        return self.pinned(stack).plan

    def pinned(self, stack: StackLike) -> ResolvedStack:
        """The stack as it is now, which may stand for a stack anywhere here: what is swapped later changes nothing.

        Raises:
            UnknownAdapter: The stack names an adapter that is not attached.
            AmbiguousAdapter: A bare name that two adapters share, attached or in the zoo.
            ConfigError: Two names of one adapter, or kinds out of order.
        """
        return self._stacks.one(stack)

    def pinned_ensemble(self, stack: AnsweredBy) -> ResolvedEnsemble:
        """The stacks that answer together, as `pinned` is one, for `predict`; one stack is an ensemble of itself.

        Raises:
            NoHead: A stack ends in no task adapter.
            ConfigError: The answers of an ensemble have no mean; or as `pinned`.
            UnknownAdapter, AmbiguousAdapter: As `pinned`.
        """
        return self._stacks.ensemble(stack)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        *,
        blocks: Sequence[int] = (),
        stacks: Sequence[StackLike] | None = None,
        decoder_ids: Tensor | None = None,
    ) -> Tensor:
        """Hidden states of the last block, or of these blocks side by side, under the active stack.

        With `stacks`, each row is under its own (None: under no adapter), whatever is active. Of an encoder-decoder,
        the states are the encoder's, or the decoder's behind each of `decoder_ids`, which stand before what pads them.

        Shape: input_ids and attention_mask (batch, seq), result (batch, seq, hidden_width), or that width for each of
        `blocks` (ascending); decoder_ids (batch, target_seq), result (batch, target_seq, hidden_width).

        Raises:
            ConfigError: Gradient checkpointing was switched on behind the model's back, rows and stacks differ in
                number, or the backbone has no decoder beside its encoder.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        if stacks is None:
            return self._passes.states(input_ids, attention_mask, blocks, decoder_ids)
        plans = [each.plan for each in self._stacks.for_each(len(input_ids), None, stacks)]
        return self._passes.states_of_rows(input_ids, attention_mask, plans, blocks, decoder_ids)

    def head_of(self, stack: StackLike) -> tuple[Head, HeadConfig]:
        """The head that answers under a stack: that of its last adapter.

        Raises:
            NoHead: That adapter has no head.
        """
        return self._stacks.head_of(stack)

    def bound(self, stack: StackLike) -> BoundNetwork:
        """The backbone with a stack's layers in place, as ordinary code that `torch.compile(fullgraph=True)` traces.

        It maps `input_ids` and `attention_mask`, (batch, seq) both, to hidden states (batch, seq, hidden_width), equal
        to those under `active(stack)`, on the same weights. What is attached or swapped later changes nothing in it.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `pinned`.
        """
        return BoundNetwork(self.backbone, self.pinned(stack).plan)

    def use_graphs(self, graphs: Graphs) -> None:
        """Record passes on CUDA and replay them: `auto` when a shape comes again, `always` at its first batch, `never`.

        It is for `encode`, `predict` and what is built on them, where all rows of a batch are under one stack. Lengths
        are padded to one of eight; a recording takes about as long as four passes, and memory for a batch of its shape.

        Raises:
            ConfigError: Another word, or `always` where the model is not on CUDA.
        """
        self._passes.replays.use(graphs)
        if self._passes.banks is not None:
            self._passes.banks.run_through(self._passes.replays.through)

    def use_banks(self, *stacks: StackLike, slots: int = 64) -> Banks:
        """Run `encode`, `predict` and lists of `stacks` as an index into banks from now on, where all rows can.

        A bank holds LoRAs, averages of them, and bottlenecks, copied side by side, so that one network, and one
        compiled or recorded graph, serves every mixture, swap and new adapter. A batch in which a row has anything
        else goes its usual way, and so does one with gradients or dropout. These stacks are put into the banks at once,
        others when a batch names them. On CUDA passes are recorded as `use_graphs` says. `banks.stop()` ends it.

        Weights that change in place are copied again before the next batch. What is written through `weight.data` or a
        NumPy view is not seen, as torch does not count it, and banks go on with the old weights: `swap` the adapter
        then.

        Raises:
            ConfigError: The architecture's modules read more than rows, fewer than 2 slots, or one of these stacks has
                no place in banks.
            UnknownAdapter, AmbiguousAdapter: As `pinned`.
        """
        banks = Banks(self.backbone, slots=slots, through=self._passes.replays.through)
        banks.keep_room(self._stacks.every(stacks))
        self._passes.banks = banks
        return banks

    def copied_network(self) -> PreTrainedModel:
        """A copy of the backbone's network without hooks; the frozen embedding table is shared, not copied."""
        return copy_without_hooks(self.backbone, self._hooks)
