"""A frozen backbone with adapters attached to it. The file to read first.

texts ── tokenizer ── backbone ── hidden states ── mean over real tokens, or the backbone's own pooling ── vectors
                         │
         forward hooks at sites: the layers of the active stack act, in order

What a request asks goes down: a stack is looked up (`lookup`) in what is attached (`registry`), read from the zoo
where it is not (`paging`), proven there (`proof`), and acts on forward passes (`passes`), from which vectors
(`encoding`), answers (`prediction`), the reasons for them (`explaining`) and texts (`generation`) are made.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, overload

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.attaching import AdapterLayers, BoundNetwork, Plan, SiteHooks
from adaptkit.backbones import Backbone, MemoryReport, TrimmedEmbeddings, memory_of
from adaptkit.data.columns import require_texts
from adaptkit.data.corpus import TextSource
from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.explanations import Explanation
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.heads import of_type
from adaptkit.labelled import examples_of, require_list
from adaptkit.layers import Head
from adaptkit.model.building import LayerBuilder
from adaptkit.model.copies import copy_without_hooks
from adaptkit.model.encoding import Encoder, require_batch
from adaptkit.model.explaining import explanations, wanted_of
from adaptkit.model.filling import BACKBONE, FilledMask, Filling
from adaptkit.model.generation import (
    MAX_TRANSLATED_TOKENS,
    Generated,
    GeneratedPiece,
    Generator,
    Translator,
    Wanted,
    bound_of_answers,
    writes,
)
from adaptkit.model.lookup import StackLookup
from adaptkit.model.notices import Notices
from adaptkit.model.paging import ZOO_CACHE_BYTES, PagedZoo
from adaptkit.model.passes import Passes
from adaptkit.model.prediction import predictions
from adaptkit.model.proof import Prover, require_adapters
from adaptkit.model.registry import Attachment, Registry
from adaptkit.model.remembered import RememberedStacks
from adaptkit.model.resolving import Resolver
from adaptkit.model.search_index import SearchIndex, made_index
from adaptkit.model.stacks import ResolvedStack, StackLike
from adaptkit.requests import Explaining, Sampling
from adaptkit.requests.sampling import GREEDY
from adaptkit.storage import Adapter, Zoo
from adaptkit.task_types import HeadConfig, Translation
from adaptkit.terminal.amounts import counted

OneInput: TypeAlias = str | tuple[Any, ...] | Example


class AdaptedModel(nn.Module):
    """A backbone that stays as loaded, and the adapters attached to it. Nothing acts until a stack is active."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.network = backbone.network
        self.sentences = backbone.sentences
        self._hooks = SiteHooks(self.network)
        self._passes = Passes(backbone, self._hooks)
        self._encoder = Encoder(self._passes)
        self._generator = Generator(self._passes)
        remembered = RememberedStacks()
        self._registry = Registry(self._hooks, remembered)
        self.adapters = self._registry.modules
        resolver = Resolver(self._registry, remembered, backbone.shape.same_inputs())
        self._notices = Notices()
        self._prover = Prover(backbone, self._encoder, resolver, self._notices)
        self._stacks = StackLookup(self._registry, resolver, self._prover)

    def train(self, mode: bool = True) -> "AdaptedModel":
        """Set the adapters' mode; the frozen backbone stays in evaluation, as its dropout would only add noise."""
        self.training = mode
        self.adapters.train(mode)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "AdaptedModel":
        """What `to`, `half` and their like are made of."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._registry.forget_all_plans()
        return self

    def __repr__(self) -> str:
        """Backbone, how it is held, and what is attached, in three lines."""
        shape = self.backbone.shape
        return (
            f"AdaptedModel on {self.backbone.name} ({shape.model_type}, {counted(shape.n_blocks, 'block')} of width "
            f"{shape.hidden_width:,})\n"
            f"  held as {self.backbone.held_as}, on {self.device}\n"
            f"  attached: {', '.join(self.attached) or 'nothing'}"
        )

    @property
    def device(self) -> torch.device:
        """Where the backbone's weights are."""
        return self.backbone.device

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The backbone's tokenizer. Texts are read behind `backbone.text_prefix`."""
        return self.backbone.tokenizer

    @property
    def attached(self) -> tuple[str, ...]:
        """Ids of the attached adapters."""
        return self._registry.names.ids

    def attached_adapter(self, name: str) -> Adapter | None:
        """The adapter that is attached under an id or bare name; None for layers in training, or for nothing."""
        return self._registry.adapter(name)

    def attach(self, *adapters: Adapter, replay: bool = False) -> None:
        """Put trained adapters on the model, frozen, all or none. What a fusion fuses is attached before it.

        Each is tried once: what it gave for its probes when it was saved must come out again. That is remembered in the
        cache folder, under a key that only this user can read; with `replay`, it is tried again whatever is remembered.

        A warning is logged of an adapter that changes nothing, as its training found nothing better than its start.

        Raises:
            ConfigError: Something that is no adapter, such as a folder's name.
            ArchitectureMismatch: The adapter's backbone has other layers or widths.
            TokenizerMismatch: The adapter's tokenizer gives other ids.
            BackboneMismatch: The adapter's backbone has other weights.
            ProbeMismatch: All of that fits, and the outputs are not the recorded ones.
            UnknownAdapter: A fusion of adapters that are not attached.
            AdapterExists: The id is taken.
        """
        require_adapters(adapters)
        # Ids are looked at before the costly check, and again behind it.
        self._registry.require_free(*(adapter.id for adapter in adapters))
        self._registry.add(self._prover.proven(adapters, replay=replay))

    def swap(self, adapter: Adapter) -> None:
        """Put a trained adapter in the place of the attached one of the same id, while others may be serving.

        It is checked first. A request (`encode`, `predict`, a forward pass) that has begun ends with the old layers and
        the old head, one that begins later has the new ones; none waits, and none has some of both.

        Raises:
            UnknownAdapter: None is attached under that id, or was detached meanwhile, and the zoo has none.
            AdaptkitError: As `attach`; the attached one stays.
        """
        self._registry.require_there(adapter.id)
        self._registry.replace(self._prover.proven([adapter]))

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
        self._registry.use_zoo(paged)
        return tuple(paged.listings)

    def attach_layers(self, adapter_id: str, config: AdapterConfig) -> AdapterLayers:
        """Put fresh, trainable layers on the model under an id, and return them.

        Raises:
            AdapterExists: The id is taken.
            ArchitectureMismatch: The config names a block that the backbone does not have.
        """
        self._registry.require_free(adapter_id)
        layers = LayerBuilder(self.backbone).fresh(config)
        self._registry.add({adapter_id: Attachment(layers)})
        return layers

    def detach(self, *names: str) -> None:
        """Take adapters off, all or none; with none left, the backbone is bit for bit as loaded.

        Raises:
            UnknownAdapter: Nothing is attached under that name.
        """
        self._registry.remove(names)

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
            AmbiguousAdapter: A bare name that two attached adapters share.
            ConfigError: Two names of one adapter, or kinds out of order.
        """
        return self._stacks.one(stack)

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

    def encode(
        self,
        texts: str | Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        batch_size: int = 32,
        max_length: int | None = None,
        prefix: str | None = None,
        normalize_embeddings: bool = False,
    ) -> Tensor:
        """Sentence vectors under `stack` (None: under no adapter): the mean over the hidden states of real tokens.

        A backbone from a folder of sentence-transformers gives the vectors that it gives there: by its own pooling,
        projections and normalisation, behind its default prompt, and cut at its own length (`max_length` is another).
        `prefix` takes the place of that prompt (the embedded backbone has `query: `, and wants `passage: ` before
        documents that are searched). With `normalize_embeddings`, vectors have length 1.

        With `stacks`, each text is under its own; one batch may hold them all. A warning is logged once where texts are
        longer than the backbone reads, or are in another normal form than the text of the adapters' training.

        Shape: (len(texts), hidden_width, or the width of the backbone's own vectors), float32 on the CPU; of one string
        its vector alone.

        Raises:
            ConfigError: `texts` holds something else than text, the batch size is below 1, or texts and stacks differ
                in number.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        listed = [texts] if isinstance(texts, str) else texts
        require_texts(listed, "text")
        each = self._stacks.for_each(len(listed), stack, stacks)
        vectors = self._encoder.vectors(
            listed, each, self._notices, batch_size=batch_size, max_length=max_length, prefix=prefix
        )
        vectors = nn.functional.normalize(vectors, dim=-1) if normalize_embeddings else vectors
        return vectors[0] if isinstance(texts, str) else vectors

    def encode_ids(
        self,
        ids: Sequence[Sequence[int]],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        batch_size: int = 32,
        blocks: Sequence[int] = (),
        whole: bool = False,
    ) -> Tensor:
        """Pooled vectors of texts that are tokenized already, after the last block or after these, side by side.

        They are as training sees them, before projections and normalisation that a backbone may have. With `whole`,
        those of an encoder-decoder are of its decoder, which has read the same texts; so probes are made.

        Shape: (len(ids), hidden_width), or that width for each of `blocks`; float32 on the CPU.

        Raises:
            ConfigError: The batch size is below 1, or texts and stacks differ in number.
            UnknownAdapter: A stack names an adapter that is not attached.
            OutOfMemory: The memory does not hold a batch.
        """
        plans = [each.plan for each in self._stacks.for_each(len(ids), stack, stacks)]
        return self._encoder.pooled(ids, plans, batch_size=batch_size, blocks=blocks, whole=whole)

    def search_index(
        self,
        corpus: TextSource,
        *,
        stack: StackLike = None,
        column: str | None = None,
        prefix: str | None = None,
        batch_size: int = 32,
        progress: bool = True,
    ) -> SearchIndex:
        """Encode the sentences of a corpus under a stack, each once, so that the nearest to a query can be found.

        `corpus` is a list of sentences, or a file as `train_adapter(text=...)` reads it (`column`: the field of its
        rows). `prefix` stands before each sentence in place of the backbone's own.

        Raises:
            DataError, ConfigError: Text that is not there, malformed or none; an adapter that is in training.
            UnknownAdapter: The stack names an adapter that is not attached.
        """
        return made_index(
            self, corpus, stack=stack, column=column, prefix=prefix, batch_size=batch_size, progress=progress
        )

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
        The result is one `PredictedLabel`, `PredictedLabels`, `PredictedTags`, `PredictedAnswer`, `PredictedChoice`,
        float or translation each.

        With `stacks`, each input is under its own, with its own head, of any task type; one batch may hold them all.
        `max_answer_tokens` bounds answers to questions in place of the head's own bound, and translations. A warning is
        logged once where inputs are longer than the backbone reads, or in another normal form than the text of the
        adapters' training.

        Raises:
            NoHead: A stack ends in no task adapter.
            ConfigError: An input of another form, a batch size below 1, inputs and stacks that differ in number, or
                `max_length` where the answers are translations.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        require_batch(batch_size)
        require_list(inputs)
        each = self._stacks.for_each(len(inputs), stack, stacks)
        if stacks is None:
            # Validate even when there are no inputs.
            self._stacks.head_of(each[0] if each else stack)
        heads = [self._stacks.head_of(one) for one in each]
        if writes([config for _, config in heads]):
            examples = examples_of("translation", inputs)
            wanted = [Wanted(it.source, it.source_language, it.language) for it in of_type(Translation, examples)]
            most = bound_of_answers(max_answer_tokens, max_length)
            return self._translated(wanted, each, max_new_tokens=most, batch_size=batch_size)
        return predictions(
            self._passes,
            inputs,
            each,
            heads,
            self._notices,
            batch_size=batch_size,
            max_length=max_length,
            max_answer_tokens=max_answer_tokens,
        )

    @overload
    def generate(  # type: ignore[overload-overlap]  # one string is a sequence of strings too
        self,
        prompts: str,
        *,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        max_new_tokens: int = ...,
        sampling: Sampling = ...,
        batch_size: int = ...,
        log_probabilities: bool = ...,
    ) -> Generated: ...
    @overload
    def generate(
        self,
        prompts: Sequence[str],
        *,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        max_new_tokens: int = ...,
        sampling: Sampling = ...,
        batch_size: int = ...,
        log_probabilities: bool = ...,
    ) -> list[Generated]: ...
    def generate(
        self,
        prompts: str | Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        max_new_tokens: int = 128,
        sampling: Sampling = GREEDY,
        batch_size: int = 16,
        log_probabilities: bool = False,
    ) -> Generated | list[Generated]:
        """What a decoder writes behind each prompt under `stack`, until it ends by itself or by the `sampling`.

        Of one string, its text alone. With `stacks`, each prompt is under its own; one batch may hold them all. The
        whole output projection is held from the first call on, which takes memory of its own where the embeddings are
        not resident. The invertible layer of a stack's last adapter is undone before tokens are predicted, as in its
        training.

        Raises:
            ConfigError: The backbone is an encoder, `prompts` holds something else than text, a prompt fills the
                window, a number cannot be right, or prompts and stacks differ in number.
            UnknownAdapter: A stack names an adapter that is not attached.
            CorruptBackbone: The decoder's output projection is not in its checkpoint.
            OutOfMemory: The memory does not hold a batch.
        """
        pieces = self.generate_stream(
            prompts,
            stack=stack,
            stacks=stacks,
            max_new_tokens=max_new_tokens,
            sampling=sampling,
            batch_size=batch_size,
            log_probabilities=log_probabilities,
        )
        ended = {piece.prompt: piece.generated for piece in pieces if piece.generated is not None}
        return ended[0] if isinstance(prompts, str) else [ended[number] for number in range(len(prompts))]

    def generate_stream(
        self,
        prompts: str | Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        max_new_tokens: int = 128,
        sampling: Sampling = GREEDY,
        batch_size: int = 16,
        log_probabilities: bool = False,
    ) -> Iterator[GeneratedPiece]:
        """As `generate`, piece by piece: `for piece in ...: print(piece, end="")`.

        The pieces of a prompt, one behind the other, are its whole text. Stacks are looked up in the call itself.

        Raises:
            AdaptkitError: As `generate`; of memory, while pieces are asked for.
        """
        listed = [prompts] if isinstance(prompts, str) else prompts
        require_texts(listed, "prompt")
        each = self._stacks.for_each(len(listed), stack, stacks)
        if stacks is None:
            # Validate even when there are no inputs.
            self._stacks.one(stack)
        self._notices.of_forms([[prompt] for prompt in listed], each)
        return self._generator.pieces(
            listed,
            each,
            sampling,
            max_new_tokens=max_new_tokens,
            batch_size=batch_size,
            log_probabilities=log_probabilities,
        )

    @overload
    def explain(
        self,
        inputs: list[Any],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        target: Any = None,  # noqa: ANN401
        word: Any = None,  # noqa: ANN401
        how: Explaining | None = None,
    ) -> list[Explanation]: ...

    @overload
    def explain(
        self,
        inputs: OneInput,
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        target: Any = None,  # noqa: ANN401
        word: Any = None,  # noqa: ANN401
        how: Explaining | None = None,
    ) -> Explanation: ...

    def explain(
        self,
        inputs: list[Any] | OneInput,
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        target: Any = None,
        word: Any = None,
        how: Explaining | None = None,
    ) -> Explanation | list[Explanation]:
        """Why the head on top of `stack` gives its answer: what each word adds, and what each adapter does.

        An input is what `predict` takes. A list is several, and gives a list; anything else (a text, a tuple of texts
        or words, an example) is one. `target` is another answer than the one that is given (a label, a piece of the
        context, a choice), and `word` the word whose tag is explained, or its number; each may be a list, with one for
        each input. With `stacks`, each input is under its own.

        Words add to the log odds of the answer (where the head gives a number, to that), by integrated gradients from
        the same input with a mask token in the place of each word. Where what they add does not add up, more steps are
        taken; a warning is logged where that was not enough.

        Raises:
            NoHead: A stack ends in no task adapter.
            ConfigError: An input, target or word that the task type does not have, a task type that cannot be
                explained, or captum is not installed.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        given = inputs if isinstance(inputs, list) else [inputs]
        each = self._stacks.for_each(len(given), stack, stacks)
        heads = [self._stacks.head_of(one) for one in each or [self._stacks.one(stack)]][: len(given)]
        wanted = wanted_of(len(given), target, word)
        found = explanations(self._passes, given, each, heads, self._notices, how or Explaining(), wanted)
        return found if isinstance(inputs, list) else found[0]

    def translate(
        self,
        texts: Sequence[str],
        *,
        to: str | None = None,
        source_lang: str | None = None,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        max_new_tokens: int = MAX_TRANSLATED_TOKENS,
        batch_size: int = 16,
    ) -> list[str]:
        """Translations of texts `to` a language, each of one line, the most probable token each time.

        The languages are those that the adapter on top of `stack` was trained to translate, where they are not named. A
        decoder is asked by a prompt (`English: <text>`, and in the next line `Swahili:`), an encoder-decoder by its
        tokens for languages, where it has them, else as T5 is (`translate English to Swahili: <text>`). Without an
        adapter for it, the backbone does what it can. With `stacks`, each text is under its own. A warning is logged
        once where texts are longer than an encoder reads; what fills a decoder's window is refused.

        Raises:
            ConfigError: The backbone is an encoder, `texts` is one string or holds something else than text, a language
                is not named or not trained, or texts and stacks differ in number.
            UnknownAdapter: A stack names an adapter that is not attached.
            OutOfMemory: The memory does not hold a batch.
        """
        if isinstance(texts, str):
            raise ConfigError("translate takes a list of texts, found one string; write translate([text]).")
        require_texts(texts, "text")
        each = self._stacks.for_each(len(texts), stack, stacks)
        wanted = [Wanted(text, source_lang, to) for text in texts]
        return self._translated(wanted, each, max_new_tokens=max_new_tokens, batch_size=batch_size)

    def _translated(
        self,
        wanted: Sequence[Wanted],
        stacks: Sequence[ResolvedStack],
        *,
        max_new_tokens: int,
        batch_size: int,
    ) -> list[str]:
        self._notices.of_forms([[one.text] for one in wanted], stacks)
        translator = Translator(self._passes, self._generator)
        return translator.translations(
            wanted, stacks, self._notices, max_new_tokens=max_new_tokens, batch_size=batch_size
        )

    def fill_mask(
        self,
        texts: Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        top: int = 5,
        by: StackLike = None,
        batch_size: int = 32,
    ) -> list[tuple[FilledMask, ...]]:
        """The `top` most probable tokens at each mask of each text, with probabilities, under `stack` or `stacks`.

        A mask is written as the tokenizer has it, or `<mask>` or `[MASK]`. Tokens are told apart by the projection that
        the uppermost adapter of a text's stack has kept (`Mlm(keep_projection=True)`), else by the head of the
        backbone's own checkpoint; `by` names another attached adapter for it, or `"backbone"`. Probabilities are over
        all tokens that the projection knows; special tokens are not named.

        Raises:
            ConfigError: A text without a mask, nothing that tells tokens apart, no encoder, or another wrong option.
            UnknownAdapter: A stack names an adapter that is not attached.
            OutOfMemory: The memory does not hold a batch.
        """
        each = self._stacks.for_each(len(texts), stack, stacks)
        named = BACKBONE if by == BACKBONE else None if by is None else self.pinned(by)
        return Filling(self._passes, self._notices, named).fill(texts, each, top=top, batch_size=batch_size)

    def head_of(self, stack: StackLike) -> tuple[Head, HeadConfig]:
        """The head that answers under a stack: that of its last adapter.

        Raises:
            NoHead: That adapter has no head.
        """
        return self._stacks.head_of(stack)

    @property
    def n_replaced_tokens(self) -> int:
        """Tokens read so far that a trimmed vocabulary had dropped, and that their letters' pieces stood in for."""
        return sum(module.n_replaced for module in self.network.modules() if isinstance(module, TrimmedEmbeddings))

    def memory(self) -> MemoryReport:
        """Resident bytes by part: the backbone's embeddings, attention and feed-forward layers, adapters and heads.

        A decoder that has generated may hold its output projection too.
        """
        held = self._generator.held_bytes
        parts = {**memory_of(self.network), **({"projection": held} if held else {})}
        return MemoryReport({**parts, **self._registry.memory()})

    def gradient_checkpointing(self, on: bool) -> None:
        """Recompute activations in backward instead of keeping them: less memory, about a third more time."""
        self._passes.recompute(on)

    def bound(self, stack: StackLike) -> BoundNetwork:
        """The backbone with a stack's layers in place, as ordinary code that `torch.compile(fullgraph=True)` traces.

        It maps `input_ids` and `attention_mask`, (batch, seq) both, to hidden states (batch, seq, hidden_width), equal
        to those under `active(stack)`, on the same weights. What is attached or swapped later changes nothing in it.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `pinned`.
        """
        return BoundNetwork(self.backbone, self.pinned(stack).plan)

    def copied_network(self) -> PreTrainedModel:
        """A copy of the backbone's network without hooks; the frozen embedding table is shared, not copied."""
        return copy_without_hooks(self.backbone, self._hooks)
