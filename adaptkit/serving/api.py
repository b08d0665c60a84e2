"""A worker: a process with a model of its own, which answers jobs."""

import hmac
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from litserve import LitAPI
from starlette.requests import Request

from adaptkit.errors import AdaptkitError
from adaptkit.named_modules import import_each, imported_names
from adaptkit.requests import Pretrained
from adaptkit.serving.jobs import Job, Reply
from adaptkit.serving.loop import TogetherLoop
from adaptkit.serving.refusal import NO_KEY, Refused
from adaptkit.serving.spec import ZooSpec

_log = logging.getLogger(__name__)


class ZooAPI(LitAPI):  # type: ignore[misc]  # it has no types
    """LitServe's view of a zoo: how a worker starts, what it does with a batch, and who may ask.

    It travels to each worker, so that it holds no model before it is set up there. Modules that this process has
    imported by name are imported there too, for task types and methods that they register.
    """

    def __init__(
        self,
        zoo: Path,
        backbone: Pretrained,
        spec: ZooSpec,
        *,
        api_key: str,
        batch_size: int,
        cache_bytes: int,
        slots: int | None = None,
        preload: bool = False,
    ) -> None:
        super().__init__(max_batch_size=batch_size, spec=spec, loop=TogetherLoop())
        self._zoo, self._backbone = zoo, backbone
        self.counted = spec.counted
        self._api_key, self._cache_bytes, self._slots = api_key, cache_bytes, slots
        self._preload, self._modules = preload, imported_names()
        self._answering: Any = None

    def setup(self, device: str) -> None:
        """Load the backbone and look at the zoo; what cannot be is said in a line, and ends the worker."""
        # What the terminal sends reaches the server too, which ends its workers.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        from adaptkit.model import load_model
        from adaptkit.serving.answering import Answering, slots_for

        try:
            import_each(self._modules)
            held = self._backbone
            model = load_model(held.backbone, bits=held.bits, embeddings=held.embeddings, device=device)
            slots = slots_for(model) if self._slots is None else self._slots
            if slots:
                model.use_banks(slots=slots)
            self._answering = Answering(model, self._zoo, cache_bytes=self._cache_bytes, batch_size=self.max_batch_size)
            for line in self._answering.preload() if self._preload else ():
                sys.stderr.write(f"{line}\n")
        except AdaptkitError as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.exit(1)

    def predict(self, x: Sequence[Job], **_: object) -> list[Reply]:
        """The reply to each of the jobs that waited."""
        replies: list[Reply] = self._answering.replies(x)
        return replies

    async def authorize(self, request: Request) -> None:
        """Let only those in who know the key, if there is one.

        Raises:
            Refused: Another key, or none.
        """
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        # Headers are read as latin-1, whatever the bytes are that came.
        if self._api_key and not hmac.compare_digest(given.encode("latin-1"), self._api_key.encode()):
            raise Refused(NO_KEY)
