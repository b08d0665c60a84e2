"""Bodies of requests, read strictly: every field is known, every size within its bound."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adaptkit.serving.limits import MAX_NAME, MAX_PREFIX, Limits
from adaptkit.serving.refusal import malformed
from adaptkit.terminal.amounts import row_of

_FROM_CLIENTS = ("user",)
"""What OpenAI's clients may send along, and which changes nothing."""
_ABOUT_ROWS = ("model", "stacks", "input", "truncate_prompt_tokens", *_FROM_CLIENTS)


@dataclass(frozen=True)
class Rows:
    """Inputs as they were given, and for each the stack as it was named. `cut` allows cutting what is too long."""

    inputs: tuple[Any, ...]
    names: tuple[str, ...]
    cut: bool


def fields_of(content: bytes, known: Collection[str]) -> dict[str, Any]:
    """The fields of a body.

    Raises:
        Refused: It is not a JSON object, or has a field that is not known here.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise malformed("the body is not JSON that can be read; send a JSON object.") from error
    if not isinstance(found, dict):
        raise malformed("the body is not a JSON object; send one with input and model.")
    for name in found:
        if name not in known:
            raise malformed(f"the field {name[:80]!r} is not known here; known are {', '.join(known)}.", name[:80])
    return found


def embedding_fields(content: bytes) -> dict[str, Any]:
    """The fields of a request for vectors.

    Raises:
        Refused: As `fields_of`.
    """
    return fields_of(content, (*_ABOUT_ROWS, "encoding_format", "dimensions", "prefix", "normalize"))


def head_fields(content: bytes, *, asks_questions: bool = False) -> dict[str, Any]:
    """The fields of a request for answers of heads; a question and its context may be named so.

    Raises:
        Refused: As `fields_of`; or a question without its context.
    """
    fields = fields_of(content, (*_ABOUT_ROWS, *(("question", "context") if asks_questions else ())))
    pair = [fields.pop(name, None) for name in ("question", "context")]
    if pair != [None, None]:
        if None in pair or "input" in fields:
            raise malformed("give question and context, or pairs of them as input.", "question")
        fields["input"] = [pair]
    return fields


def rows_of(fields: Mapping[str, Any], limits: Limits) -> Rows:
    """Inputs and the stack of each: one for all, or one for each, or one input under all.

    Raises:
        Refused: Fields that are not there, of another type, or beyond a bound.
    """
    inputs, names = _inputs(fields, limits), _names(fields)
    n_rows = max(len(inputs), len(names))
    if len(inputs) not in (1, n_rows) or len(names) not in (1, n_rows):
        raise malformed(
            f"{len(inputs)} inputs and {len(names)} stacks came. Give one stack for all inputs, one stack for each, or "
            "one input for all stacks.",
            "stacks",
        )
    require_few(n_rows, limits)
    return Rows(
        inputs if len(inputs) == n_rows else inputs * n_rows,
        names if len(names) == n_rows else names * n_rows,
        _cut(fields),
    )


def require_few(n_inputs: int, limits: Limits) -> None:
    """Let a request be within the bound; an input under an ensemble counts once for each of its stacks.

    Raises:
        Refused: It has more.
    """
    if n_inputs > limits.max_inputs:
        raise malformed(
            f"{n_inputs:,} inputs are asked for (one under an ensemble counts once for each stack), and a request may "
            f"have {limits.max_inputs:,}. Send several.",
            "input",
        )


def _inputs(fields: Mapping[str, Any], limits: Limits) -> tuple[Any, ...]:
    given = fields.get("input")
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not listed:
        raise malformed("input is a text, or a list of inputs with something in it.", "input")
    for number, each in enumerate(listed):
        _require_text(number, each, limits.max_characters)
    return tuple(listed)


def _require_text(number: int, given: object, most: int) -> None:
    """Let an input be of texts that are no longer, all together, than a bound."""
    texts, where = list(_texts(given)), row_of(number, "inputs")
    if any(isinstance(text, int) for text in texts):
        raise malformed(
            f"{where} holds token ids, and this server reads text: its tokenizer is not the one that made them. "
            "In LangChain, OpenAIEmbeddings(check_embedding_ctx_length=False) sends text.",
            "input",
        )
    if not texts or not all(isinstance(text, str) for text in texts):
        raise malformed(f"{where} is neither a text nor a list of texts.", "input")
    if not all(text.strip() for text in texts):
        raise malformed(f"{where} is empty, or a text in it is; leave it out.", "input")
    if sum(len(text) + 1 for text in texts) - 1 > most:
        raise malformed(f"{where} is longer than {most:,} characters. Send it in parts.", "input")
    if any(map(_is_broken, texts)):
        raise malformed(f"{where} holds half of a character (a lone surrogate), which is no text.", "input")


def _is_broken(text: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in text)


def _texts(given: object, levels: int = 3) -> "Sequence[Any]":
    """All that lies in lists within lists."""
    if not isinstance(given, list) or not levels:
        return [given]
    return [part for each in given for part in _texts(each, levels - 1)]


def _names(fields: Mapping[str, Any]) -> tuple[str, ...]:
    model, stacks = fields.get("model"), fields.get("stacks")
    if stacks is not None and model not in (None, "", stacks):
        raise malformed("model and stacks both say what acts; give one of them (beside stacks, model is '').", "stacks")
    named, field = (model, "model") if stacks is None else (stacks, "stacks")
    listed = [named] if isinstance(named, str) else named
    if not isinstance(listed, list) or not listed or not all(isinstance(name, str) for name in listed):
        raise malformed(
            f"{field} names a stack of the zoo, such as 'language/sw' or 'sw > topics', or a list of stacks; "
            "GET /v1/models lists what there is.",
            field,
        )
    for name in listed:
        if len(name) > MAX_NAME or not name.strip():
            raise malformed(f"the name of a stack has up to {MAX_NAME:,} characters, and at least one.", field)
    return tuple(listed)


def _cut(fields: Mapping[str, Any]) -> bool:
    given = fields.get("truncate_prompt_tokens")
    if given not in (None, -1) or isinstance(given, bool):
        raise malformed(
            "truncate_prompt_tokens is -1 (cut what is longer than the backbone reads) or is left out.",
            "truncate_prompt_tokens",
        )
    return given == -1


def asks_base64(fields: Mapping[str, Any]) -> bool:
    """Whether vectors are asked for as base64 of little-endian float32.

    Raises:
        Refused: Another form than float or base64.
    """
    form = fields.get("encoding_format")
    if form not in (None, "float", "base64"):
        raise malformed("encoding_format is 'float' or 'base64'.", "encoding_format")
    return form == "base64"


def prefix_of(fields: Mapping[str, Any]) -> str | None:
    """What is to stand before every text in place of the backbone's own prefix; None: that one.

    Raises:
        Refused: No text, or one beyond the bound.
    """
    given = fields.get("prefix")
    if given is None:
        return None
    if not isinstance(given, str) or len(given) > MAX_PREFIX or _is_broken(given):
        raise malformed(
            f"prefix is a text of up to {MAX_PREFIX:,} characters that stands before every input in place of the "
            "backbone's own, such as 'passage: '; '' is none.",
            "prefix",
        )
    return given


def asks_length_one(fields: Mapping[str, Any]) -> bool:
    """Whether vectors are asked for that have length 1.

    Raises:
        Refused: It is neither true nor false.
    """
    given = fields.get("normalize")
    if given is not None and not isinstance(given, bool):
        raise malformed("normalize is true (vectors of length 1) or false (as the model gives them).", "normalize")
    return given is True


def require_width(fields: Mapping[str, Any], width: int) -> None:
    """Let the dimensions that are asked for, if any are, be those that vectors have.

    Raises:
        Refused: Others.
    """
    asked = fields.get("dimensions")
    if asked is not None and (asked != width or isinstance(asked, bool)):
        raise malformed(
            f"dimensions={asked!r:.40} is asked for, and vectors here have {width}, which mean nothing when they are "
            "shortened. Leave it out.",
            "dimensions",
        )


def adapter_name(content: bytes) -> str:
    """The adapter that is to be loaded or unloaded, from what vLLM's clients send.

    Raises:
        Refused: A field that is not known, a name that is none, or a path.
    """
    fields = fields_of(content, ("lora_name", "lora_path", "lora_int_id", "load_inplace"))
    name, path = fields.get("lora_name"), fields.get("lora_path")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise malformed("lora_name is the id of an adapter in the zoo, such as 'language/sw'.", "lora_name")
    if path not in (None, "", name):
        raise malformed(
            "no path that comes with a request is opened here: only adapters in the zoo that the server was started "
            "with are loaded, by their ids. Leave lora_path out, or say the same as in lora_name.",
            "lora_path",
        )
    return name
