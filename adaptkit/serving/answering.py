"""What a worker does with all jobs that wait: one batch for all of them, whatever their stacks are."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import nn

from adaptkit.errors import AdaptkitError
from adaptkit.model import AdaptedModel, ResolvedEnsemble, ResolvedStack
from adaptkit.serving.jobs import EMBEDDINGS, Answers, Ask, Describe, Done, Follow, Job, Load, Reply, Vectors
from adaptkit.serving.reading import tokens_of_examples, tokens_of_texts
from adaptkit.serving.refusal import BROKEN, Refusal, Refused, refusal_of
from adaptkit.serving.served_zoo import ServedZoo

_log = logging.getLogger(__name__)
Found = TypeVar("Found")
StackT = TypeVar("StackT", ResolvedStack, ResolvedEnsemble)
_SLOTS_ON_CUDA = 64


@dataclass(frozen=True)
class _Ready(Generic[StackT]):
    """A request whose stacks are looked up, of answers as ensembles; what changes later changes nothing in it."""

    ask: Ask
    stacks: tuple[StackT, ...]
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
        for_vectors: dict[int, _Ready[ResolvedStack]] = {}
        for_answers: dict[int, _Ready[ResolvedEnsemble]] = {}
        for number, job in enumerate(jobs):
            # In turn, so that what was asked before an adapter is unloaded is answered by it. What is wrong in the zoo
            # is the matter of those that name it.
            self._tried(self._zoo.follow, job.roster)
            if not isinstance(job, Ask):
                found[number] = self._tried(self._done, job)
            elif job.endpoint == EMBEDDINGS:
                _sort(number, self._tried(self._for_vectors, job), for_vectors, found)
            else:
                _sort(number, self._tried(self._for_answers, job), for_answers, found)
        found |= self._together(self._vectors, for_vectors) | self._together(self._answers, for_answers)
        self._zoo.let_go_unloaded()
        return [found[number] for number in range(len(jobs))]

    def _done(self, job: Load | Describe | Follow) -> Reply:
        """The reply to what is no request for vectors or answers."""
        if isinstance(job, Load):
            self._zoo.load(job.adapter_id)
        return self._zoo.described() if isinstance(job, Describe) else Done()

    def _for_vectors(self, ask: Ask) -> _Ready[ResolvedStack]:
        stacks = tuple(self._model.pinned(stack or None) for stack in ask.stacks)
        n_tokens = tokens_of_texts(self._model.backbone, ask.inputs, stacks, cut=ask.cut, prefix=ask.prefix)
        return _Ready(ask, stacks, n_tokens)

    def _for_answers(self, ask: Ask) -> _Ready[ResolvedEnsemble]:
        ensembles = tuple(map(self._model.pinned_ensemble, ask.stacks))
        return _Ready(ask, ensembles, tokens_of_examples(self._model.backbone, ask.inputs, ensembles, cut=ask.cut))

    def _together(
        self, compute: Callable[[Sequence[_Ready[StackT]]], list[Reply]], ready: Mapping[int, _Ready[StackT]]
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

    def _vectors(self, ready: Sequence[_Ready[ResolvedStack]]) -> list[Reply]:
        by_prefix: dict[str | None, list[int]] = {}
        for number, each in enumerate(ready):
            by_prefix.setdefault(each.ask.prefix, []).append(number)
        replies: dict[int, Reply] = {}
        for prefix, numbers in by_prefix.items():
            replies |= zip(numbers, self._encoded([ready[number] for number in numbers], prefix), strict=True)
        return [replies[number] for number in range(len(ready))]

    def _encoded(self, ready: Sequence[_Ready[ResolvedStack]], prefix: str | None) -> Iterator[Vectors]:
        texts = [text for each in ready for text in each.ask.inputs]
        stacks = [stack for each in ready for stack in each.stacks]
        found = self._model.encode(texts, stacks=stacks, batch_size=self._batch_size, prefix=prefix)
        for each, rows in zip(ready, torch.split(found, [len(each.stacks) for each in ready]), strict=True):
            told = nn.functional.normalize(rows, dim=-1) if each.ask.normalize else rows
            yield Vectors(told.shape[1], told.numpy().astype("<f4").tobytes(), each.n_tokens)

    def _answers(self, ready: Sequence[_Ready[ResolvedEnsemble]]) -> list[Reply]:
        inputs = [given for each in ready for given in each.ask.inputs]
        ensembles = [ensemble for each in ready for ensemble in each.stacks]
        found = iter(self._model.predict(inputs, stacks=ensembles, batch_size=self._batch_size))
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


def _sort(
    number: int, begun: _Ready[StackT] | Refusal, ready: dict[int, _Ready[StackT]], found: dict[int, Reply]
) -> None:
    """Put a request among those that are ready, or its refusal among the replies."""
    if isinstance(begun, Refusal):
        found[number] = begun
    else:
        ready[number] = begun
