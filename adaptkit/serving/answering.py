"""What a worker does with all jobs that wait: one batch for all of them, whatever their stacks are."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from adaptkit.errors import AdaptkitError, NoHead
from adaptkit.model import AdaptedModel, ResolvedStack
from adaptkit.serving.jobs import EMBEDDINGS, Answers, Ask, Describe, Done, Job, Load, Reply, Vectors
from adaptkit.serving.reading import tokens_of_examples, tokens_of_texts
from adaptkit.serving.refusal import BROKEN, Refusal, Refused, refusal_of
from adaptkit.serving.served_zoo import ServedZoo
from adaptkit.task_types import HeadConfig

_log = logging.getLogger(__name__)
Found = TypeVar("Found")
_SLOTS_ON_CUDA = 64


@dataclass(frozen=True)
class _Ready:
    """A request whose stacks are looked up; what changes later changes nothing in it."""

    ask: Ask
    stacks: tuple[ResolvedStack, ...]
    n_tokens: int


class Answering:
    """One model with a zoo, used by one thread.

    Raises:
        AdaptkitError: The zoo is not there, or not sound.
    """

    def __init__(self, model: AdaptedModel, zoo: Path, *, cache_bytes: int, batch_size: int) -> None:
        self._model = model
        self._folder = str(zoo)
        self._batch_size = batch_size
        self._zoo = ServedZoo(model, zoo, cache_bytes)

    def preload(self) -> Iterator[str]:
        """Read the adapters for this backbone that fit, so that their first request does not wait, and say how it went.

        Raises:
            OutOfMemory: They do not fit into memory.
        """
        return self._zoo.preload()

    def replies(self, jobs: Sequence[Job]) -> list[Reply]:
        """The reply to each job. What is wrong in one of them harms no other."""
        found: dict[int, Reply] = {}
        ready: dict[int, _Ready] = {}
        for number, job in enumerate(jobs):
            # In turn, so that what was asked before an adapter is unloaded is answered by it. What is wrong in the zoo
            # is the matter of those that name it.
            self._tried(self._zoo.follow, job.roster)
            begun = self._tried(self._begun, job)
            if isinstance(begun, _Ready):
                ready[number] = begun
            else:
                found[number] = begun
        for compute in (self._vectors, self._answers):
            own = {
                n: each for n, each in ready.items() if (each.ask.endpoint == EMBEDDINGS) == (compute == self._vectors)
            }
            found |= self._together(compute, own)
        self._zoo.let_go_unloaded()
        return [found[number] for number in range(len(jobs))]

    def _begun(self, job: Job) -> "_Ready | Reply":
        """A request made ready, or the reply to what is no request for vectors or answers."""
        if isinstance(job, Ask):
            stacks = tuple(self._model.pinned(stack or None) for stack in job.stacks)
            return _Ready(job, stacks, self._n_tokens(job, stacks))
        if isinstance(job, Load):
            self._zoo.load(job.adapter_id)
        return self._zoo.described() if isinstance(job, Describe) else Done()

    def _n_tokens(self, ask: Ask, stacks: Sequence[ResolvedStack]) -> int:
        backbone = self._model.backbone
        if ask.endpoint == EMBEDDINGS:
            return tokens_of_texts(backbone, ask.inputs, stacks, cut=ask.cut, prefix=ask.prefix)
        count = 0
        for head in {id(config): config for config in map(_head_of, stacks)}.values():
            places = [place for place, stack in enumerate(stacks) if _head_of(stack) is head]
            inputs, own = [ask.inputs[place] for place in places], [stacks[place] for place in places]
            count += tokens_of_examples(backbone, inputs, own, head, cut=ask.cut)
        return count

    def _together(
        self, compute: "Callable[[Sequence[_Ready]], list[Reply]]", ready: Mapping[int, _Ready]
    ) -> dict[int, Reply]:
        """Replies of one batch; where that fails, each request for itself, so that the others are answered."""
        if not ready:
            return {}
        found = self._tried(compute, list(ready.values()))
        if not isinstance(found, Refusal):
            return dict(zip(ready, found, strict=True))
        if len(ready) == 1:
            return dict.fromkeys(ready, found)
        return {n: reply for n, each in ready.items() for reply in self._together(compute, {n: each}).values()}

    def _vectors(self, ready: Sequence[_Ready]) -> list[Reply]:
        by_prefix: dict[str | None, list[int]] = {}
        for number, each in enumerate(ready):
            by_prefix.setdefault(each.ask.prefix, []).append(number)
        replies: dict[int, Reply] = {}
        for prefix, numbers in by_prefix.items():
            replies |= zip(numbers, self._encoded([ready[number] for number in numbers], prefix), strict=True)
        return [replies[number] for number in range(len(ready))]

    def _encoded(self, ready: Sequence[_Ready], prefix: str | None) -> Iterator[Vectors]:
        texts = [text for each in ready for text in each.ask.inputs]
        stacks = [stack for each in ready for stack in each.stacks]
        found = self._model.encode(texts, stacks=stacks, batch_size=self._batch_size, prefix=prefix)
        for each, rows in zip(ready, torch.split(found, [len(each.stacks) for each in ready]), strict=True):
            told = nn.functional.normalize(rows, dim=-1) if each.ask.normalize else rows
            yield Vectors(told.shape[1], told.numpy().astype("<f4").tobytes(), each.n_tokens)

    def _answers(self, ready: Sequence[_Ready]) -> list[Reply]:
        inputs = [given for each in ready for given in each.ask.inputs]
        stacks = [stack for each in ready for stack in each.stacks]
        found = iter(self._model.predict(inputs, stacks=stacks, batch_size=self._batch_size))
        return [Answers(tuple(islice(found, len(each.stacks))), each.n_tokens) for each in ready]

    def _tried(self, compute: Callable[..., Found], *given: object) -> Found | Refusal:
        try:
            return compute(*given)
        except Refused as error:
            return error.refusal
        except AdaptkitError as error:
            return refusal_of(error, folder=self._folder)
        except Exception:
            _log.exception("a request could not be answered")
            return BROKEN


def slots_for(model: AdaptedModel) -> int:
    """How many places in banks a worker has by itself: on a CPU they do not pay, and some architectures cannot."""
    return _SLOTS_ON_CUDA if model.device.type == "cuda" and model.backbone.architecture.row_wise else 0


def _head_of(stack: ResolvedStack) -> HeadConfig:
    if stack.head is None:
        raise NoHead(str(stack.stack), ())
    return stack.head[1]
