"""A frozen backbone with adapters attached to it. The file to read first.

texts ── tokenizer ── backbone ── hidden states ── mean over real tokens ── vectors
                         │
         forward hooks at sites: the layers of the stack in force act, in order
"""

import copy
import difflib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from adaptkit.attaching import Plan, SiteHooks, plan_of, recorded
from adaptkit.backbones import (
    CACHE_BYTES,
    Backbone,
    Bits,
    EmbeddingForm,
    MemoryReport,
    TrimmedEmbeddings,
    Vocabulary,
    architecture_of,
    blocks_of,
    bytes_of,
    load_backbone,
    memory_of,
)
from adaptkit.composition import Composition, Fuse, Part, Stack, resolved
from adaptkit.config import AdapterConfig, FusionConfig, HeadConfig
from adaptkit.data.batching import chunks
from adaptkit.errors import (
    AdapterExists,
    AmbiguousAdapter,
    ConfigError,
    NoHead,
    ProbeMismatch,
    UnknownAdapter,
)
from adaptkit.layers import AdapterLayers, Head
from adaptkit.layers.pooling import mean_pool
from adaptkit.storage import Adapter, Probe
from adaptkit.storage.identity import check_identity
from adaptkit.storage.probes import largest_error
from adaptkit.tasks import Item, examples_of, format_of, without_label

StackLike: TypeAlias = Composition | Adapter | str | None

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
        self.adapters = nn.ModuleList()
        # The same layers by id; a module's own name may hold no dot, and an id may.
        self._by_id: dict[str, AdapterLayers] = {}
        self._adapters: dict[str, Adapter] = {}
        self._plans: dict[tuple[Stack, bool], tuple[Stack, Plan]] = {}
        self._hooks = SiteHooks(self.network)
        self._proven: set[tuple[str, AdapterConfig, tuple[Probe, ...]]] = set()

    def train(self, mode: bool = True) -> "AdaptedModel":
        """Set the adapters' mode; the frozen backbone stays in evaluation, as its dropout would only add noise."""
        self.training = mode
        for layers in self._by_id.values():
            layers.train(mode)
        return self

    @property
    def attached(self) -> tuple[str, ...]:
        """Ids of the attached adapters."""
        return tuple(self._by_id)

    def attached_adapter(self, name: str) -> Adapter | None:
        """The adapter that is attached under an id or bare name; None for layers in training, or for nothing."""
        meant = self._meant_by(name)
        return self._adapters.get(meant[0]) if len(meant) == 1 else None

    def attach(self, *adapters: Adapter) -> None:
        """Put trained adapters on the model, frozen, all or none. What a fusion fuses is attached before it.

        Raises:
            ArchitectureMismatch: The adapter's backbone has other layers or widths.
            TokenizerMismatch: The adapter's tokenizer gives other ids.
            BackboneMismatch: The adapter's backbone has other weights.
            ProbeMismatch: All of that fits, and the outputs are not the recorded ones.
            UnknownAdapter: A fusion of adapters that are not attached.
            AdapterExists: The id is taken.
        """
        put: list[str] = []
        try:
            for adapter in adapters:
                check_identity(adapter, self.backbone)
                layers = self.attach_layers(adapter.id, adapter.config)
                put.append(adapter.id)
                with torch.no_grad():
                    for name, parameter in layers.named_tensors().items():
                        parameter.copy_(adapter.tensors[name])
                layers.requires_grad_(requires_grad=False).eval()
                self._replay_probes(adapter)
                self._adapters[adapter.id] = adapter
        except BaseException:
            self.detach(*put)
            raise

    def attach_layers(self, adapter_id: str, config: AdapterConfig) -> AdapterLayers:
        """Put fresh, trainable layers on the model under an id, and return them.

        Raises:
            AdapterExists: The id is taken.
            ArchitectureMismatch: The config names a block that the backbone does not have.
        """
        if adapter_id in self._by_id:
            raise AdapterExists(
                f"{adapter_id} is attached already. Detach it first: model.detach({adapter_id!r}), or give the new one "
                "another name."
            )
        layers = AdapterLayers(config, self.backbone.shape.sites()).to(self.backbone.device)
        self._by_id[adapter_id] = layers
        self._put_in_place()
        return layers

    def detach(self, *names: str) -> None:
        """Take adapters off; with none left, the backbone is bit for bit as loaded.

        Raises:
            UnknownAdapter: Nothing is attached under that name.
        """
        for name in names:
            adapter_id = self._resolve(name)
            del self._by_id[adapter_id]
            self._adapters.pop(adapter_id, None)
        self._put_in_place()

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
        return self._planned(stack)[1]

    def resolve(self, stack: StackLike) -> Stack:
        """The stack with whole ids for bare names.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `plan`.
        """
        return self._planned(stack)[0]

    def forward(self, input_ids: Tensor, attention_mask: Tensor, *, blocks: Sequence[int] = ()) -> Tensor:
        """Hidden states of the last block, or of these blocks side by side, under the stack in force.

        Shape: input_ids and attention_mask (batch, seq), result (batch, seq, hidden_width), or that width for each of
        `blocks` (ascending).

        Raises:
            ConfigError: Gradient checkpointing was switched on behind the model's back.
        """
        ours = self._hooks.checkpoint
        if any(b.gradient_checkpointing and b._gradient_checkpointing_func != ours for b in blocks_of(self.network)):
            raise ConfigError(
                "gradient checkpointing was switched on at the backbone, where recomputation would lose the stack in "
                "force. Switch it on here: model.gradient_checkpointing(True)."
            )
        # A decoder would keep its keys and values for a next token that nobody asks for.
        options = {"use_cache": False} if self.backbone.shape.causal else {}
        if not blocks:
            return cast(Tensor, self.network(input_ids, attention_mask, **options).last_hidden_state)
        every = blocks_of(self.network)
        with recorded([every[block] for block in blocks]) as states:
            self.network(input_ids, attention_mask, **options)
        return torch.cat(states, dim=-1)

    def encode(
        self, texts: Sequence[str], *, stack: StackLike = None, batch_size: int = 32, max_length: int | None = None
    ) -> Tensor:
        """Sentence vectors: the mean over the hidden states of real tokens, under `stack` (None: under no adapter).

        Shape: (len(texts), hidden_width), float32 on the CPU.

        Raises:
            ConfigError: `texts` is one string, or the batch size is below 1.
            UnknownAdapter: The stack names an adapter that is not attached.
        """
        if isinstance(texts, str):
            raise ConfigError("encode takes a list of texts, found one string; write encode([text]).")
        # transformers' tokenizers cannot take an empty list.
        ids = self.backbone.tokenize(texts, max_length=max_length) if len(texts) else []
        return self.encode_ids(ids, stack=stack, batch_size=batch_size)

    def encode_ids(
        self,
        ids: Sequence[Sequence[int]],
        *,
        stack: StackLike = None,
        batch_size: int = 32,
        blocks: Sequence[int] = (),
    ) -> Tensor:
        """Sentence vectors of texts that are tokenized already, after the last block or after these, side by side.

        Shape: (len(ids), hidden_width), or that width for each of `blocks`; float32 on the CPU.

        Raises:
            ConfigError: The batch size is below 1.
            UnknownAdapter: The stack names an adapter that is not attached.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, found {batch_size}.")
        vectors = torch.empty(len(ids), self.backbone.shape.hidden_width * max(1, len(blocks)))
        by_length = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        with torch.inference_mode(), self.active(stack):
            for rows in chunks(by_length, batch_size):
                tokens, mask = self.backbone.pad([ids[row] for row in rows])
                vectors[rows] = mean_pool(self(tokens, mask, blocks=blocks), mask).cpu()
        return vectors

    def predict(
        self,
        inputs: Sequence[Any],
        *,
        stack: StackLike = None,
        batch_size: int = 32,
        max_length: int | None = None,
    ) -> list[Any]:
        """Answers of the head on top of `stack`: labels with probabilities, tags, answers, choices or similarities.

        An input is what its task type takes, written plainly (`("premise", "hypothesis")`, a list of words,
        `(question, context)`, ...; see `adaptkit.tasks.inputs`), or an example with its label, which is not looked at.
        The result is one `PredictedLabel`, `PredictedTags`, `PredictedAnswer`, `PredictedChoice` or float each.

        Raises:
            NoHead: The stack ends in no task adapter.
            ConfigError: An input of another form, or a batch size below 1.
            UnknownAdapter: The stack names an adapter that is not attached.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, found {batch_size}.")
        head, config = self.head_of(stack)
        task_format = format_of(self.backbone, config, max_length=max_length)
        examples = examples_of(config.task_type, inputs)
        items = task_format.items([without_label(example) for example in examples]) if examples else []
        return task_format.predictions(examples, items, self._head_outputs(items, head, stack, batch_size))

    def head_of(self, stack: StackLike) -> tuple[Head, HeadConfig]:
        """The head that answers under a stack: that of its last adapter.

        Raises:
            NoHead: That adapter has no head.
        """
        whole = self.resolve(stack)
        top: Part | None = whole
        while isinstance(top, Stack):
            top = top.parts[-1] if top.parts else None
        last = self._by_id[top] if isinstance(top, str) else None
        if last is None or last.head is None or last.config.head is None:
            heads = [name for name, layers in self._by_id.items() if layers.head is not None]
            raise NoHead(str(whole), heads)
        return last.head, last.config.head

    def _head_outputs(self, items: Sequence[Item], head: Head, stack: StackLike, batch_size: int) -> list[Tensor]:
        """The head's outputs for each item, on the CPU. Shape: for each item (rows of the item, ...)."""
        outputs: list[Tensor] = [torch.empty(0)] * len(items)
        by_length = sorted(range(len(items)), key=lambda number: items[number].length)
        with torch.inference_mode(), self.active(stack):
            for numbers in chunks(by_length, batch_size):
                rows = [row for number in numbers for row in items[number].rows]
                ids, mask = self.backbone.pad(rows)
                found = head(self(ids, mask), mask).cpu().split([len(items[number].rows) for number in numbers])
                for number, output in zip(numbers, found, strict=True):
                    outputs[number] = output
        return outputs

    @property
    def n_replaced_tokens(self) -> int:
        """Tokens read so far that a trimmed vocabulary had dropped, and that their letters' pieces stood in for."""
        return sum(module.n_replaced for module in self.network.modules() if isinstance(module, TrimmedEmbeddings))

    def memory(self) -> MemoryReport:
        """Resident bytes by part: the backbone's embeddings, attention and feed-forward layers, adapters and heads."""
        heads = [layers.head for layers in self._by_id.values() if layers.head is not None]
        in_heads = sum(bytes_of(head.parameters()) for head in heads)
        attached = sum(bytes_of(layers.parameters()) for layers in self._by_id.values())
        return MemoryReport({**memory_of(self.network), "adapters": attached - in_heads, "heads": in_heads})

    def gradient_checkpointing(self, on: bool) -> None:
        """Recompute activations in backward instead of keeping them: less memory, about a third more time."""
        self.network._set_gradient_checkpointing(enable=on, gradient_checkpointing_func=self._hooks.checkpoint)
        for block in blocks_of(self.network):
            # transformers checkpoints only blocks that say they are training; their dropout layers stay in eval.
            block.training = on

    def copied_network(self) -> PreTrainedModel:
        """A copy of the backbone's network without hooks; the frozen embedding table is shared, not copied."""
        table = self.network.get_submodule(architecture_of(self.backbone.shape.model_type).word_embeddings)
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

    def _replay_probes(self, adapter: Adapter) -> None:
        """Replay the recorded inputs under this adapter alone: what lies below it is another adapter in transfer."""
        key = (adapter.weights_sha256, adapter.config, adapter.probes)
        # What a fusion gives depends on the adapters that it fuses too.
        if key in self._proven and not isinstance(adapter.config.method, FusionConfig):
            return
        vectors = self.encode_ids([probe.ids for probe in adapter.probes], stack=adapter.id)
        precisions = (adapter.origin.fingerprint.precision, self.backbone.fingerprint.precision)
        error, bound = largest_error(adapter.probes, vectors), max(PROBE_TOLERANCE[name] for name in precisions)
        if not error <= bound:
            raise ProbeMismatch(
                f"{adapter.id} fits this backbone in shape, tokenizer and sampled weights, but its outputs are "
                f"{error:.2g} off the recorded ones (bound {bound:g}). The adapter or the backbone was changed; "
                "fetch both again."
            )
        self._proven.add(key)

    def _planned(self, stack: StackLike) -> tuple[Stack, Plan]:
        asked = _as_stack(stack)
        key = (asked, asked.any_order)
        if key not in self._plans:
            whole = resolved(asked, self._resolve, self._fusion_of)
            assert isinstance(whole, Stack)  # noqa: S101 - a stack resolves to a stack
            self._plans[key] = (whole, plan_of(whole, lambda name: self._by_id[self._resolve(name)]))
        return self._plans[key]

    def _fusion_of(self, fuse: Fuse) -> str:
        """The id of the attached adapter that fuses these."""
        methods = {name: layers.config.method for name, layers in self._by_id.items()}
        found = [
            name
            for name, method in methods.items()
            if isinstance(method, FusionConfig) and set(method.fuses) == set(fuse.parts)
        ]
        if len(found) > 1:
            raise AmbiguousAdapter(str(fuse), found)
        if not found:
            raise UnknownAdapter(str(fuse), self.attached)
        return found[0]

    def _put_in_place(self) -> None:
        self._plans.clear()
        self.adapters = nn.ModuleList(self._by_id.values())
        self._hooks.install(module for layers in self._by_id.values() for module, _ in layers.items())

    def _resolve(self, name: str) -> str:
        candidates = self._meant_by(name)
        if len(candidates) > 1:
            raise AmbiguousAdapter(name, candidates)
        if not candidates:
            raise UnknownAdapter(name, self.attached, difflib.get_close_matches(name, self.attached, n=2))
        return candidates[0]

    def _meant_by(self, name: str) -> list[str]:
        """The attached ids that an id or a bare name may mean."""
        return [name] if name in self._by_id else [full for full in self.attached if full.partition("/")[2] == name]


def load_model(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    bits: Bits = 32,
    embeddings: EmbeddingForm | None = None,
    vocabulary: Vocabulary | None = None,
    cache_bytes: int = CACHE_BYTES,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
) -> AdaptedModel:
    """Load a frozen backbone that adapters attach to; None is the embedded multilingual-e5-small.

    `name_or_path` is a hub id or local transformers folder of a BERT, RoBERTa / XLM-R, DistilBERT or DeBERTa-v2
    encoder, or of a Llama or Qwen 2 / 3 decoder.

    `bits` is 32, 16, 8 (LLM.int8) or 4 (nf4), for the linear layers of the blocks. `embeddings` says how the word
    embeddings are held, most of a multilingual encoder: `resident`, as they are; `paged`, read from the file on demand
    through a cache of `cache_bytes`, exact; `int8`; `nf4`. By default they are paged at 8 and 4 bits. `vocabulary`
    (from `adaptkit.vocabulary_of`) keeps the rows of some languages only, at 8 and 4 bits as int8 by default. `dtype`
    is the type of what is not quantised (default: float32, and half as long at 16 bits or on a GPU).

    Raises:
        BackboneUnavailable: Nothing at that name, or no hub answers.
        UnsupportedArchitecture: The model type has no row in the table.
        CorruptBackbone: A checkpoint that lacks weights.
        ConfigError: Bits or a form of embeddings that there is not, or a vocabulary of another tokenizer.
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


def _as_stack(stack: StackLike) -> Stack:
    if stack is None:
        return Stack()
    if isinstance(stack, Adapter):
        return Stack(*stack.below, stack.id, any_order=True)
    if isinstance(stack, str):
        return Stack.parse(stack)
    return stack if isinstance(stack, Stack) else Stack(stack)
