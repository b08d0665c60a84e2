"""A worker's loop: everything that waits is answered together, and nothing waits for more to come."""

import os
import sys
import time
from queue import Empty, Queue
from typing import Any, cast

from litserve import LitAPI
from litserve.callbacks import CallbackRunner
from litserve.loops.base import LitLoop
from litserve.transport.base import MessageTransport
from litserve.utils import LitAPIStatus, LoopResponseType

from adaptkit.serving.jobs import Ask, Job
from adaptkit.serving.spare_memory import give_back

_LOOKED_AFTER_S = 2.0
"""How often an idle worker sees whether the server that started it is still there."""


class TogetherLoop(LitLoop):  # type: ignore[misc]  # it has no types
    """Takes what waits, up to `max_batch_size` rows, has it answered in one call, and sends each reply to its request.

    LitServe's own loop fills batches by waiting, and asks the queue a thousand times a second meanwhile. When nothing
    has come for two seconds, what the batches before have freed is given back to the system.
    """

    _has_worked = False

    def run(
        self,
        lit_api: LitAPI,
        device: str,  # noqa: ARG002 - as LitServe calls it
        worker_id: int,  # noqa: ARG002
        request_queue: "Queue[Any]",
        transport: MessageTransport,
        workers_setup_status: dict[int, str],  # noqa: ARG002
        callback_runner: CallbackRunner,  # noqa: ARG002
    ) -> None:
        """One batch, or a look at whether there is still a server."""
        try:
            waiting = _taken(request_queue, lit_api.max_batch_size)
        except (EOFError, ConnectionError):
            sys.exit(0)  # the server has ended, and its queues with it
        if not waiting and os.getppid() != self._server_pid:
            sys.exit(0)
        if not waiting:
            if self._has_worked:
                give_back()
            self._has_worked = False
            return
        self._has_worked = True
        replies = lit_api.predict([job for _, _, job in waiting])
        for (queue_id, uid, _), reply in zip(waiting, replies, strict=True):
            self.put_response(transport, queue_id, uid, reply, LitAPIStatus.OK, LoopResponseType.REGULAR)


def _taken(queue: "Queue[Any]", most_rows: int) -> list[tuple[int, str, Job]]:
    """What waits, without what nobody waits for any more."""
    found: list[tuple[int, str, Job]] = []
    n_rows = 0
    try:
        while n_rows < most_rows:
            queue_id, uid, _, job = queue.get_nowait() if found else queue.get(timeout=_LOOKED_AFTER_S)
            if time.monotonic() <= cast(Job, job).deadline:
                found.append((queue_id, uid, job))
                n_rows += len(job.inputs) if isinstance(job, Ask) else 1
    except Empty:
        pass
    return found
