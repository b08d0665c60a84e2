"""Replies of workers as bodies in the forms of OpenAI's API."""

import base64
import struct
from collections.abc import Sequence
from typing import Any

from adaptkit.serving.jobs import Answers, Vectors
from adaptkit.terminal.json_values import as_json

_FLOAT_BYTES = 4


def vectors_body(found: Vectors, stacks: Sequence[str], *, as_base64: bool) -> dict[str, object]:
    """Vectors as OpenAI's embeddings; of several stacks each says its own."""
    step = found.width * _FLOAT_BYTES
    rows = [found.values[start : start + step] for start in range(0, len(found.values), step)]
    data: list[dict[str, object]] = [
        {"object": "embedding", "embedding": _vector(row, as_base64=as_base64)} for row in rows
    ]
    return _listed(data, stacks, found.n_tokens)


def _vector(row: bytes, *, as_base64: bool) -> str | list[float]:
    if as_base64:
        return base64.b64encode(row).decode("ascii")
    return list(struct.unpack(f"<{len(row) // _FLOAT_BYTES}f", row))


def answers_body(found: Answers, inputs: Sequence[Any], stacks: Sequence[str]) -> dict[str, object]:
    """What heads answered. A number alone is a score; tags stand beside their words."""
    data = [_answer(answer, given) for answer, given in zip(found.answers, inputs, strict=True)]
    return _listed(data, stacks, found.n_tokens)


def _answer(answer: object, given: object) -> dict[str, object]:
    plain = as_json(answer)
    fields: dict[str, object] = plain if isinstance(plain, dict) else {"score": plain}
    words = getattr(given, "words", None)
    return {"object": "answer", **({} if words is None else {"words": list(words)}), **fields}


def _listed(data: Sequence[dict[str, object]], stacks: Sequence[str], n_tokens: int) -> dict[str, object]:
    several = dict.fromkeys(stacks)
    rows = [
        {"index": number, **row, **({"model": stack} if len(several) > 1 else {})}
        for number, (row, stack) in enumerate(zip(data, stacks, strict=True))
    ]
    return {
        "object": "list",
        "data": rows,
        "model": ", ".join(several),
        "usage": {"prompt_tokens": n_tokens, "total_tokens": n_tokens},
    }
