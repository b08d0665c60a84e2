"""A frozen backbone with adapters attached to it. The file to read first.

texts ── tokenizer ── backbone ── hidden states ── mean over real tokens, or the backbone's own pooling ── vectors
                         │
         forward hooks at sites: the layers of the stack in force act, in order
"""

import copy
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from adaptkit.attaching import AttachedLayers, Plan, ResolvedStack, RowGroups, SiteHooks, plan_of_rows, recorded
from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones import (
    CACHE_BYTES,
    Backbone,
    Bits,
    EmbeddingForm,
    MemoryReport,
    TrimmedEmbeddings,
    Vocabulary,
    blocks_of,
    bytes_of,
    load_backbone,
    memory_of,
)
from adaptkit.backbones.device import AUTO
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.composition import Stack
from adaptkit.config import AdapterConfig, FusionConfig, HeadConfig
from adaptkit.data.batching import chunks
from adaptkit.data.columns import require_texts
from adaptkit.data.letters import NormalForm
from adaptkit.errors import ConfigError, NoHead, ProbeMismatch
from adaptkit.format.probe import Probe
from adaptkit.heads import require_list
from adaptkit.layers import Head
from adaptkit.layers.heads import VectorHead
from adaptkit.model.attachments import Attachments, Named
from adaptkit.model.paging import PagedZoo
from adaptkit.model.prediction import predictions, tell_of_cuts, tell_of_forms
from adaptkit.storage import Adapter, Zoo
from adaptkit.storage.identity import check_identity, readable_probes
from adaptkit.storage.probes import largest_error

StackLike: TypeAlias = Named | ResolvedStack
_Proof: TypeAlias = tuple[str, AdapterConfig, tuple[Probe, ...]]

_log = logging.getLogger(__name__)

ZOO_CACHE_BYTES = 256 * 2**20
_FINISHED_AT_ONCE = 4096

PROBE_TOLERANCE: dict[str, float] = {
    "float64": 1e-3,
    "float32": 1e-3,
    "float16": 2e-2,
    "bfloat16": 1e-1,
    "int8": 1e-1,
    "nf4": 3e-1,
}
"""Largest probe error, as a share of the recorded vector's length, by the coarser of two precisions: the one that the
adapter was trained at, and the one that the backbone is loaded at."""


class AdaptedModel(nn.Module):
    """A backbone that stays as loaded, and the adapters attached to it. Nothing acts until a stack is in force."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.network = backbone.network
        self.sentences = backbone.sentences
        self._hooks = SiteHooks(self.network)
        self._layers = AttachedLayers(self._hooks, backbone.shape.same_inputs())
        self.adapters = self._layers.modules
        self._attachments = Attachments(self._layers)
        self._proven: set[_Proof] = set()
        self._told: set[str] = set()

    def train(self, mode: bool = True) -> "AdaptedModel":
        """Set the adapters' mode; the frozen backbone stays in evaluation, as its dropout would only add noise."""
        self.training = mode
        self.adapters.train(mode)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "AdaptedModel":
        """What `to`, `half` and their like are made of."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._layers.forget_all_plans()
        return self

    @property
    def attached(self) -> tuple[str, ...]:
        """Ids of the attached adapters."""
        return self._layers.ids

    def attached_adapter(self, name: str) -> Adapter | None:
        """The adapter that is attached under an id or bare name; None for layers in training, or for nothing."""
        return self._attachments.adapter(name)

    def attach(self, *adapters: Adapter) -> None:
        """Put trained adapters on the model, frozen, all or none. What a fusion fuses is attached before it.

        Raises:
            ConfigError: Something that is no adapter, such as a folder's name.
            ArchitectureMismatch: The adapter's backbone has other layers or widths.
            TokenizerMismatch: The adapter's tokenizer gives other ids.
            BackboneMismatch: The adapter's backbone has other weights.
            ProbeMismatch: All of that fits, and the outputs are not the recorded ones.
            UnknownAdapter: A fusion of adapters that are not attached.
            AdapterExists: The id is taken.
        """
        for adapter in adapters:
            if not isinstance(adapter, Adapter):
                raise ConfigError(
                    f"attach takes adapters, found {adapter!r}; load the folder first: load_adapter({adapter!r})."
                )
        # Ids are looked at before the costly check, and again behind it.
        self._attachments.require_free(*(adapter.id for adapter in adapters))
        self._attachments.add(self._checked(adapters))

    def swap(self, adapter: Adapter) -> None:
        """Put a trained adapter in the place of the attached one of the same id, while others may be serving.

        It is checked first. A request (`encode`, `predict`, a forward pass) that has begun ends with the old layers and
        the old head, one that begins later has the new ones; none waits, and none has some of both.

        Raises:
            UnknownAdapter: None is attached under that id, or was detached meanwhile, and the zoo has none.
            AdaptkitError: As `attach`; the attached one stays.
        """
        self._attachments.require_there(adapter.id)
        self._attachments.replace(self._checked([adapter]))

    def attach_zoo(self, zoo: Zoo | str | os.PathLike[str], *, cache_bytes: int = ZOO_CACHE_BYTES) -> tuple[str, ...]:
        """Let stacks name any adapter of a zoo by its whole id; each is read and attached when it is first named.

        It takes the place of the zoo before, with all that was read from that, while others may be serving: a request
        that has begun ends with the old zoo, one that begins later has the new one. What is attached or swapped in by
        hand stays, and acts instead of the zoo's adapter of that id.

        A zoo is a folder or an archive. At most `cache_bytes` of its adapters stay attached: those that were not used
        for the longest time go first. Gives the ids found.

        Raises:
            SourceNotFound: There is no such folder or archive.
            AdapterFileError: An adapter's record in it is not sound.
            AdapterExists: Two adapters of one id in it.
        """
        paged = PagedZoo.of(zoo, cache_bytes)
        self._attachments.use_zoo(paged)
        return tuple(paged.listings)

    def attach_layers(self, adapter_id: str, config: AdapterConfig) -> AdapterLayers:
        """Put fresh, trainable layers on the model under an id, and return them.

        Raises:
            AdapterExists: The id is taken.
            ArchitectureMismatch: The config names a block that the backbone does not have.
        """
        self._attachments.require_free(adapter_id)
        layers = self._as_here(AdapterLayers(config, self.backbone.shape.sites()).to(self.backbone.device))
        self._attachments.add_layers(adapter_id, layers)
        return layers

    def detach(self, *names: str) -> None:
        """Take adapters off, all or none; with none left, the backbone is bit for bit as loaded.

        Raises:
            UnknownAdapter: Nothing is attached under that name.
        """
        self._attachments.remove(names)

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
            UnknownAdapter: The stack names an adapter that is not attached.
            AmbiguousAdapter: A bare name that two attached adapters share.
            ConfigError: Two names of one adapter, or kinds out of order.
        """
        return self._resolved(stack).plan

    def resolve(self, stack: StackLike) -> Stack:
        """The stack with whole ids for bare names.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `plan`.
        """
        return self._resolved(stack).stack

    def pinned(self, stack: StackLike) -> ResolvedStack:
        """The stack as it is now, which may stand for a stack anywhere here: what is swapped later changes nothing.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `plan`.
        """
        return self._resolved(stack)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        *,
        blocks: Sequence[int] = (),
        stacks: Sequence[StackLike] | None = None,
    ) -> Tensor:
        """Hidden states of the last block, or of these blocks side by side, under the stack in force.

        With `stacks`, each row is under its own (None: under no adapter), whatever is in force.

        Shape: input_ids and attention_mask (batch, seq), result (batch, seq, hidden_width), or that width for each of
        `blocks` (ascending).

        Raises:
            ConfigError: Gradient checkpointing was switched on behind the model's back, or rows and stacks differ in
                number.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        ours = self._hooks.checkpoint
        if any(b.gradient_checkpointing and b._gradient_checkpointing_func != ours for b in blocks_of(self.network)):
            raise ConfigError(
                "gradient checkpointing was switched on at the backbone, where recomputation would lose the stack in "
                "force. Switch it on here: model.gradient_checkpointing(True)."
            )
        if stacks is None:
            return self._states(input_ids, attention_mask, blocks)
        if len(stacks) != len(input_ids):
            raise ConfigError(f"{len(stacks)} stacks were given for {len(input_ids)} rows; give one for each.")
        groups = RowGroups.of([resolved.plan for resolved in self._resolved_each(stacks)])
        ids, mask = groups.sorted(input_ids), groups.sorted(attention_mask)
        if self.backbone.architecture.row_wise:
            with self._hooks.in_force(plan_of_rows(groups)):
                return groups.restored(self._states(ids, mask, blocks))
        parts = []
        for plan, rows in zip(groups.plans, groups.rows, strict=True):
            with self._hooks.in_force(plan):
                parts.append(self._states(ids[rows], mask[rows], blocks))
        return groups.restored(torch.cat(parts))

    def _states(self, ids: Tensor, mask: Tensor, blocks: Sequence[int]) -> Tensor:
        # A decoder would keep its keys and values for a next token that nobody asks for.
        options = {"use_cache": False} if self.backbone.architecture.causal else {}
        if not blocks:
            return cast(Tensor, self.network(ids, mask, **options).last_hidden_state)
        every = blocks_of(self.network)
        with recorded([every[block] for block in blocks]) as states:
            self.network(ids, mask, **options)
        return torch.cat(states, dim=-1)

    def encode(
        self,
        texts: Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        batch_size: int = 32,
        max_length: int | None = None,
    ) -> Tensor:
        """Sentence vectors under `stack` (None: under no adapter): the mean over the hidden states of real tokens.

        A backbone from a folder of sentence-transformers gives the vectors that it gives there: by its own pooling,
        projections and normalisation, behind its default prompt, and cut at its own length (`max_length` is another).

        With `stacks`, each text is under its own; one batch may hold them all. A warning is logged once where texts are
        longer than the backbone reads, or are in another normal form than the text of the adapters' training.

        Shape: (len(texts), hidden_width, or the width of the backbone's own vectors), float32 on the CPU.

        Raises:
            ConfigError: `texts` is one string or holds something else than text, the batch size is below 1, or
                texts and stacks differ in number.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        if isinstance(texts, str):
            raise ConfigError("encode takes a list of texts, found one string; write encode([text]).")
        require_texts(texts, "text")
        each = self._stack_of_each(len(texts), stack, stacks)
        tell_of_forms(self, [[text] for text in texts], each)
        longest = max_length or self.backbone.longest_sentence
        rows = self.backbone.tokenize_cutting([(text, None) for text in texts], max_length=longest)
        if max_length is None:
            tell_of_cuts(self, sum(cut for _, cut in rows), len(rows), limit=longest)
        return self._finished(self.encode_ids([ids for ids, _ in rows], stacks=each, batch_size=batch_size))

    def _finished(self, pooled: Tensor) -> Tensor:
        """The backbone's own vectors. Shape: pooled (n, hidden_width), result (n, width), on the CPU."""
        if not len(self.sentences.after):
            return pooled
        with torch.inference_mode():
            pieces = torch.split(pooled, _FINISHED_AT_ONCE)
            return torch.cat([self.sentences.finished(piece.to(self.backbone.device)).cpu() for piece in pieces])

    def encode_ids(
        self,
        ids: Sequence[Sequence[int]],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        batch_size: int = 32,
        blocks: Sequence[int] = (),
    ) -> Tensor:
        """Pooled vectors of texts that are tokenized already, after the last block or after these, side by side.

        They are as training sees them, before projections and normalisation that a backbone may have.

        Shape: (len(ids), hidden_width), or that width for each of `blocks`; float32 on the CPU.

        Raises:
            ConfigError: The batch size is below 1, or texts and stacks differ in number.
            UnknownAdapter: A stack names an adapter that is not attached.
            OutOfMemory: The memory does not hold a batch.
        """
        each = self._stack_of_each(len(ids), stack, stacks)
        _require_batch(batch_size)
        vectors = torch.empty(len(ids), self.backbone.shape.hidden_width * max(1, len(blocks)))
        by_length = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        ways = f"Give a smaller batch_size (it is {batch_size})."
        with torch.inference_mode(), memory_errors_told("this batch", self.backbone.device, ways):
            for rows in chunks(by_length, batch_size):
                tokens, mask = self.backbone.pad([ids[row] for row in rows])
                hidden = self(tokens, mask, blocks=blocks, stacks=[each[row] for row in rows])
                vectors[rows] = self.sentences.pooled(hidden, mask).cpu()
        return vectors

    def predict(
        self,
        inputs: Sequence[Any],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        batch_size: int = 32,
        max_length: int | None = None,
        max_answer_tokens: int | None = None,
    ) -> list[Any]:
        """Answers of the head on top of `stack`: labels with probabilities, tags, answers, choices or similarities.

        An input is what its task type takes, written plainly (`("premise", "hypothesis")`, a list of words,
        `(question, context)`, ...; see `adaptkit.heads.inputs`), or an example with its label, which is not looked at.
        The result is one `PredictedLabel`, `PredictedTags`, `PredictedAnswer`, `PredictedChoice` or float each.

        With `stacks`, each input is under its own, with its own head, of any task type; one batch may hold them all.
        `max_answer_tokens` bounds answers to questions in place of the head's own bound. A warning is logged once where
        inputs are longer than the backbone reads, or in another normal form than the text of the adapters' training.

        Raises:
            NoHead: A stack ends in no task adapter.
            ConfigError: An input of another form, a batch size below 1, or inputs and stacks that differ in number.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        _require_batch(batch_size)
        require_list(inputs)
        each = self._stack_of_each(len(inputs), stack, stacks)
        if stacks is None:
            # Asked wrongly is asked wrongly, also of nothing.
            self.head_of(each[0] if each else stack)
        return predictions(
            self, inputs, each, batch_size=batch_size, max_length=max_length, max_answer_tokens=max_answer_tokens
        )

    def forms_of(self, stack: StackLike) -> dict[str, NormalForm]:
        """The adapters of a stack that were trained on text in a normal form (`normalize`), and that form."""
        adapters = (self.attached_adapter(name) for name in self._resolved(stack).stack.ids)
        return {adapter.id: adapter.normal_form for adapter in adapters if adapter is not None and adapter.normal_form}

    def tell(self, about: str, message: str) -> None:
        """Log a warning, one about each thing, so that a server's log does not fill with it."""
        if about not in self._told:
            self._told.add(about)
            _log.warning(message)

    def head_of(self, stack: StackLike) -> tuple[Head, HeadConfig]:
        """The head that answers under a stack: that of its last adapter.

        Raises:
            NoHead: That adapter has no head.
        """
        resolved = self._resolved(stack)
        if resolved.head is None:
            raise NoHead(str(resolved.stack), self._layers.with_heads)
        return resolved.head

    @property
    def n_replaced_tokens(self) -> int:
        """Tokens read so far that a trimmed vocabulary had dropped, and that their letters' pieces stood in for."""
        return sum(module.n_replaced for module in self.network.modules() if isinstance(module, TrimmedEmbeddings))

    def memory(self) -> MemoryReport:
        """Resident bytes by part: the backbone's embeddings, attention and feed-forward layers, adapters and heads."""
        with self._layers.lock:
            heads = [layers.head for layers in self._layers if layers.head is not None]
            attached = bytes_of(self.adapters.parameters())
        in_heads = sum(bytes_of(head.parameters()) for head in heads)
        return MemoryReport({**memory_of(self.network), "adapters": attached - in_heads, "heads": in_heads})

    def gradient_checkpointing(self, on: bool) -> None:
        """Recompute activations in backward instead of keeping them: less memory, about a third more time."""
        self.network._set_gradient_checkpointing(enable=on, gradient_checkpointing_func=self._hooks.checkpoint)
        for block in blocks_of(self.network):
            # transformers checkpoints only blocks that say they are training; their dropout layers stay in eval.
            block.training = on

    def copied_network(self) -> PreTrainedModel:
        """A copy of the backbone's network without hooks; the frozen embedding table is shared, not copied."""
        table = self.network.get_submodule(self.backbone.architecture.word_embeddings)
        # Our hooks are not copied either: another thread may be using them.
        network = copy.deepcopy(self.network, {id(table): table, id(self._hooks): self._hooks})
        shared = set(table.modules())
        for module in network.modules():
            if module not in shared:
                module._forward_hooks.clear()
        for block in blocks_of(network):
            setattr(block, "gradient_checkpointing", False)  # noqa: B010 - a plain attribute, which mypy takes for a module
            block.training = False
        return network

    def _stack_of_each(
        self, n_rows: int, stack: StackLike, stacks: Sequence[StackLike] | None
    ) -> Sequence[ResolvedStack]:
        if stacks is None:
            return [self._resolved(stack)] * n_rows
        if stack is not None:
            raise ConfigError("stack and stacks are both given; give one stack for all, or one for each.")
        if isinstance(stacks, str):
            raise ConfigError(
                f"stacks takes a list, one stack for each input; for one stack for all, stack={stacks!r}."
            )
        if len(stacks) != n_rows:
            raise ConfigError(f"stacks=[...] takes one stack for each of {n_rows} inputs, found {len(stacks)}.")
        return self._resolved_each(stacks)

    def _resolved_each(self, stacks: Sequence[StackLike]) -> list[ResolvedStack]:
        """All as they are at one time, so that no swap comes between two rows."""
        return self._attachments.stacks(stacks, self._checked)

    def _resolved(self, stack: StackLike) -> ResolvedStack:
        return self._attachments.stack(stack, self._checked)

    def _as_here(self, layers: AdapterLayers) -> AdapterLayers:
        """The layers, whose head makes sentence vectors as this backbone does, if that is what it gives."""
        if isinstance(layers.head, VectorHead):
            layers.head.use(self.sentences)
        return layers

    def _checked(self, adapters: Sequence[Adapter]) -> dict[str, tuple[AdapterLayers, Adapter]]:
        """The frozen layers of adapters that were found to be ones for this backbone, fusions last."""
        for adapter in adapters:
            check_identity(adapter, self.backbone)
        shapes = self.backbone.shape.sites()
        # A stack may be named for the first time inside inference mode, and its layers outlive that.
        with torch.inference_mode(mode=False):
            made = {
                adapter.id: (
                    self._as_here(AdapterLayers.holding(adapter.config, shapes, adapter.tensors, self.backbone.device)),
                    adapter,
                )
                for adapter in sorted(adapters, key=_fuses)
            }
        # Fusions one by one, as one may fuse what came before it.
        plain = [entry for entry in made.values() if not _fuses(entry[1])]
        beside = {adapter.id: layers for layers, adapter in plain}
        self._replay_probes(plain, beside)
        for layers, adapter in list(made.values())[len(plain) :]:
            self._replay_probes([(layers, adapter)], beside)
            beside[adapter.id] = layers
        return made

    def _replay_probes(
        self, entries: Sequence[tuple[AdapterLayers, Adapter]], beside: Mapping[str, AdapterLayers]
    ) -> None:
        """Replay what was recorded, each adapter alone, whatever it will be stacked on; all in the same batches."""
        unproven = [
            (adapter, readable_probes(adapter, self.backbone), self._layers.resolved_new(layers, beside))
            for layers, adapter in entries
            if not self._is_proven(adapter)
        ]
        ids = [probe.ids for _, probes, _ in unproven for probe in probes]
        stacks = [alone for _, probes, alone in unproven for _ in probes]
        vectors = torch.split(self.encode_ids(ids, stacks=stacks), [len(probes) for _, probes, _ in unproven])
        for (adapter, probes, _), found in zip(unproven, vectors, strict=True):
            precisions = (adapter.origin.fingerprint.precision, self.backbone.fingerprint.precision)
            error, bound = largest_error(probes, found), max(PROBE_TOLERANCE[name] for name in precisions)
            if not error <= bound:
                raise ProbeMismatch(
                    f"{adapter.id} fits this backbone in shape, tokenizer and sampled weights, but its outputs are "
                    f"{error:.2g} off the recorded ones (bound {bound:g}). The adapter or the backbone was changed, or "
                    f"pools in another way than where it was trained (here: {self.sentences}); fetch both again."
                )
            self._proven.add(_proof_of(adapter))

    def _is_proven(self, adapter: Adapter) -> bool:
        # What a fusion gives depends on the adapters that it fuses too.
        return _proof_of(adapter) in self._proven and not _fuses(adapter)


def load_model(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    bits: Bits = 32,
    embeddings: EmbeddingForm | None = None,
    vocabulary: Vocabulary | None = None,
    cache_bytes: int = CACHE_BYTES,
    device: str | torch.device = AUTO,
    dtype: torch.dtype | None = None,
) -> AdaptedModel:
    """Load a frozen backbone that adapters attach to; None is the embedded multilingual-e5-small.

    `name_or_path` is a hub id or local transformers folder of a BERT, RoBERTa / XLM-R, DistilBERT or DeBERTa-v2
    encoder, or of a Llama or Qwen 2 / 3 decoder.

    `device` is `auto` (CUDA where there is a GPU, else Apple's, else the CPU), `cpu`, `cuda`, `cuda:N` or `mps`.

    `bits` is 32, 16, 8 (the weights of LLM.int8) or 4 (nf4), for the linear layers of the blocks. `embeddings` says how
    the word embeddings are held, most of a multilingual encoder: `resident`, as they are; `paged`, read from the file
    on demand through a cache of `cache_bytes`, exact; `int8`; `nf4`. By default they are paged at 8 and 4 bits.
    `vocabulary` (from `adaptkit.vocabulary_of`) keeps the rows of some languages only, at 8 and 4 bits as int8 by
    default. `dtype` is the type of what is not quantised (default: float32, and half as long at 16 bits or on a GPU).

    Raises:
        BackboneUnavailable: Nothing at that name, or no hub answers.
        UnsupportedArchitecture: The model type has no row in the table.
        CorruptBackbone: A checkpoint that lacks weights.
        ConfigError: A device, bits or a form of embeddings that there is not, or a vocabulary of another tokenizer.
        OutOfMemory: The device's memory does not hold the backbone.
    """
    return AdaptedModel(
        load_backbone(
            name_or_path,
            bits=bits,
            embeddings=embeddings,
            vocabulary=vocabulary,
            cache_bytes=cache_bytes,
            device=device,
            dtype=dtype,
        )
    )


def _fuses(adapter: Adapter) -> bool:
    return isinstance(adapter.config.method, FusionConfig)


def _proof_of(adapter: Adapter) -> _Proof:
    return adapter.weights_sha256, adapter.config, adapter.probes


def _require_batch(batch_size: int) -> None:
    if batch_size < 1:
        raise ConfigError(f"batch_size must be at least 1, found {batch_size}.")
