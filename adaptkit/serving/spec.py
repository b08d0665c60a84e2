"""The endpoints: OpenAI's for embeddings and models, one for each kind of head, vLLM's for loading and unloading."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from litserve.specs.openai_embedding import OpenAIEmbeddingSpec
from litserve.utils import LitAPIStatus, ResponseBufferItem
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from adaptkit.serving.body import (
    adapter_name,
    asks_base64,
    asks_length_one,
    embedding_fields,
    head_fields,
    prefix_of,
    require_few,
    require_width,
    rows_of,
)
from adaptkit.serving.examples import ANY_HEAD, example_of
from adaptkit.serving.jobs import EMBEDDINGS, Answers, Ask, Describe, Described, Follow, Job, Load, Reply, Vectors
from adaptkit.serving.limits import Limits
from adaptkit.serving.listed import models_of
from adaptkit.serving.metrics import CONTENT_TYPE, Metrics
from adaptkit.serving.refusal import BROKEN, BUSY, LATE, Refusal, Refused, malformed
from adaptkit.serving.rendered import answers_body, vectors_body
from adaptkit.serving.shelf import Shelf
from adaptkit.task_types import TASK_TYPES

if TYPE_CHECKING:
    from litserve import LitAPI

_QUESTIONS = "answer"


class ZooSpec(OpenAIEmbeddingSpec):  # type: ignore[misc]  # it has no types
    """OpenAI's embeddings whose `model` is a stack of the zoo, and what belongs to it.

    LitServe's own specification drops `model`, and takes no list of inputs where requests are answered together.
    """

    def __init__(self, shelf: Shelf, limits: Limits) -> None:
        super().__init__()
        self._shelf, self._limits = shelf, limits
        self.counted = Metrics()
        self._changing = asyncio.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """What a worker gets of it: nothing of the zoo, which it reads itself."""
        return {**super().__getstate__(), "_shelf": None, "_changing": None, "_endpoints": []}

    def pre_setup(self, lit_api: "LitAPI") -> None:  # noqa: ARG002 - as the class above
        """Name the endpoints."""
        self.add_endpoint(self.api_path, self.embeddings, ["POST"])
        for endpoint in sorted({row.endpoint for row in TASK_TYPES.values()}):
            self.add_endpoint(f"/v1/{endpoint}", partial(self.answers, endpoint), ["POST"])
        self.add_endpoint(f"/v1/{ANY_HEAD}", partial(self.answers, ANY_HEAD), ["POST"])
        self.add_endpoint("/v1/models", self.models, ["GET"])
        self.add_endpoint("/metrics", self.metrics, ["GET"])
        self.add_endpoint("/v1/load_lora_adapter", self.load, ["POST"])
        self.add_endpoint("/v1/unload_lora_adapter", self.unload, ["POST"])

    async def embeddings(self, request: Request) -> Response:
        """Sentence vectors."""
        fields = embedding_fields(await request.body())
        as_base64, rows = asks_base64(fields), rows_of(fields, self._limits)
        prefix, normalize = prefix_of(fields), asks_length_one(fields)
        described = await self._described()
        require_width(fields, described.width)
        if not all(isinstance(given, str) for given in rows.inputs):
            raise malformed("a vector is that of a text; input is a text or a list of texts.", "input")
        stacks = [self._shelf.named(name).stack for name in rows.names]
        found = await self._asked(EMBEDDINGS, rows.inputs, stacks, cut=rows.cut, prefix=prefix, normalize=normalize)
        assert isinstance(found, Vectors)  # noqa: S101 - what a worker gives for these
        said = [stack or described.backbone for stack in stacks]
        return JSONResponse(vectors_body(found, said, as_base64=as_base64))

    async def answers(self, endpoint: str, request: Request) -> Response:
        """What heads answer."""
        fields = head_fields(await request.body(), asks_questions=endpoint == _QUESTIONS)
        rows = rows_of(fields, self._limits)
        await self._described()
        named = [self._shelf.named(name) for name in rows.names]
        require_few(sum(each.n_stacks for each in named), self._limits)
        examples = [
            example_of(endpoint, number, *row) for number, row in enumerate(zip(rows.inputs, named, strict=True))
        ]
        stacks = [each.stack for each in named]
        found = await self._asked(endpoint, examples, stacks, cut=rows.cut)
        assert isinstance(found, Answers)  # noqa: S101 - what a worker gives for these
        return JSONResponse(answers_body(found, examples, stacks))

    async def models(self) -> Response:
        """What there is."""
        return JSONResponse(models_of(self._shelf.served, await self._described()))

    async def metrics(self) -> Response:
        """Counts for Prometheus. No worker is asked, so that a busy server tells them too."""
        told = self.counted.text(waiting=len(self.response_buffer or ()), adapters=len(list(self._shelf.served)))
        return PlainTextResponse(told, media_type=CONTENT_TYPE)

    async def load(self, request: Request) -> Response:
        """Serve an adapter of the zoo, as its files are now; it is tried on the backbone before."""
        name = adapter_name(await request.body())
        async with self._changing:
            await self._described()
            listing = await asyncio.to_thread(self._shelf.seen, name)
            adapter_id = listing.id
            await self._reply(Load(adapter_id, self._shelf.roster, self._deadline()))
            self._shelf.put(adapter_id, listing)
        return PlainTextResponse(f"Success: LoRA adapter '{adapter_id}' added successfully.")

    async def unload(self, request: Request) -> Response:
        """Serve an adapter no longer. Requests that have begun end with it."""
        name = adapter_name(await request.body())
        async with self._changing:
            await self._described()
            adapter_id = self._shelf.adapter(name)
            self._shelf.take(adapter_id)
            await self._reply(Follow(self._shelf.roster, self._deadline()))
        return PlainTextResponse(f"Success: LoRA adapter '{adapter_id}' removed successfully.")

    async def _described(self) -> Described:
        """What a worker knows of backbone and zoo; it is asked once."""
        if self._shelf.described is None:
            found = await self._reply(Describe(self._shelf.roster, self._deadline()))
            assert isinstance(found, Described)  # noqa: S101 - what a worker gives for this
            self._shelf.tell(found)
            return found
        return self._shelf.described

    async def _asked(
        self,
        endpoint: str,
        inputs: Sequence[Any],
        stacks: Sequence[str],
        *,
        cut: bool,
        prefix: str | None = None,
        normalize: bool = False,
    ) -> Reply:
        return await self._reply(
            Ask(
                endpoint=endpoint,
                inputs=tuple(inputs),
                stacks=tuple(stacks),
                roster=self._shelf.roster,
                cut=cut,
                deadline=self._deadline(),
                prefix=prefix,
                normalize=normalize,
            )
        )

    def _deadline(self) -> float:
        return time.monotonic() + self._limits.timeout

    async def _reply(self, job: Job) -> Reply:
        """What a worker says to a job.

        Raises:
            Refused: It refuses, nothing came in time, or too many wait already.
        """
        if len(self.response_buffer) >= self._limits.max_waiting:
            raise Refused(BUSY)
        uid, come = str(uuid.uuid4()), asyncio.Event()
        self.response_buffer[uid] = item = ResponseBufferItem(event=come)
        try:
            self.request_queue.put((self.response_queue_id, uid, time.monotonic(), job))
            await asyncio.wait_for(come.wait(), self._limits.timeout)
        except TimeoutError as error:
            raise Refused(LATE) from error
        finally:
            self.response_buffer.pop(uid, None)
        reply: Reply = item.response[0]
        if item.response[1] != LitAPIStatus.OK:
            raise Refused(BROKEN)
        if isinstance(reply, Refusal):
            raise Refused(reply)
        return reply
