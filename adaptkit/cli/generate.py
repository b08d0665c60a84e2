"""`adaptkit generate`."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import BitsOption, DeviceOption, EmbeddingsOption
from adaptkit.cli.json_lines import json_line
from adaptkit.cli.lines_in import lines_in
from adaptkit.cli.named_stacks import StackZooOption, named_stacks
from adaptkit.cli.options import with_options
from adaptkit.composition import Stack
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.requests import Pretrained, Sampling
from adaptkit.terminal.plain_text import printable

_DECODER = "embedded/smollm2-135m"

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel, Generated, GeneratedPiece


def generate_flags() -> Callable[..., Answer | None]:
    """The command, with a flag for every option of `Sampling`."""
    return with_options(_generate, "sampling", Sampling)


def _generate(
    sampling: Sampling,
    prompt: Annotated[
        str | None, typer.Argument(help="text to continue (default: each line of standard input is a prompt)")
    ] = None,
    on: Annotated[
        list[Path] | None, typer.Option(help="adapter that acts, lowest first; may be repeated (default: none)")
    ] = None,
    stack: Annotated[str | None, typer.Option(help="the same by names of a zoo: 'sw > news'")] = None,
    zoo: StackZooOption = None,
    max_new_tokens: Annotated[int, typer.Option(help="tokens of the longest text")] = 128,
    log_probabilities: Annotated[
        bool, typer.Option("--log-probabilities", help="in JSON lines, give the log probability of each token too")
    ] = False,
    backbone: Annotated[str, typer.Option(help="hub id or folder of a decoder", metavar="<id or folder>")] = _DECODER,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    batch_size: Annotated[int, typer.Option(help="prompts in a batch")] = 16,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON lines even for a single prompt")] = False,
) -> None:
    """Continue a prompt with a decoder. One prompt is shown as it is written; many prompts give JSON lines.

    A line of standard input is a prompt, or a JSON string, which may hold ends of lines. Each gives a JSON line with
    the text, why it ended, and its number of tokens.
    """
    from adaptkit.recipes.place import model_of

    if stack is not None and on:
        raise ConfigError("--on and --stack both say what acts; give one of them.")
    prompts = [prompt] if prompt is not None else [_prompt(*numbered) for numbered in enumerate(lines_in(None), 1)]
    model = model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device))
    pieces = model.generate_stream(
        prompts,
        stack=_attached(model, on or ()) if on else named_stacks(model, zoo, stack)[0],
        max_new_tokens=max_new_tokens,
        sampling=sampling,
        batch_size=batch_size,
        log_probabilities=log_probabilities,
    )
    if prompt is not None and not as_json:
        for piece in pieces:
            sys.stdout.write(printable(piece.text))
            sys.stdout.flush()
        sys.stdout.write("\n")
        return
    for generated in _in_order(pieces):
        sys.stdout.write(json_line(_plain(generated)) + "\n")
        sys.stdout.flush()


def _prompt(number: int, line: str) -> str:
    """A line as it is, or the text that it is in JSON."""
    if not line.strip():
        raise ConfigError(f"line {number} of the input is empty; texts are printed line by line, so remove it.")
    if line[:1] != '"':
        return line
    try:
        found: str = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"line {number} of the input is broken JSON ({error}): {line[:80]}") from error
    return found


def _attached(model: "AdaptedModel", folders: "list[Path] | tuple[()]") -> Stack:
    from adaptkit.recipes.foundation import foundation_of, standing

    adapters = foundation_of(folders).adapters
    model.attach(*adapters)
    return Stack(*(adapter.id for adapter in standing(adapters)))


def _in_order(pieces: "Iterator[GeneratedPiece]") -> "Iterator[Generated]":
    """The whole texts in the order of their prompts, each as soon as those before it are there."""
    ended: dict[int, Generated] = {}
    following = 0
    for piece in pieces:
        if piece.generated is not None:
            ended[piece.prompt] = piece.generated
        while following in ended:
            yield ended.pop(following)
            following += 1


def _plain(generated: "Generated") -> dict[str, object]:
    found: dict[str, object] = {"text": generated.text, "stopped": generated.stopped, "n_tokens": generated.n_tokens}
    if generated.stop is not None:
        found["stop"] = generated.stop
    if generated.log_probabilities is not None:
        found["log_probabilities"] = [round(each, 6) for each in generated.log_probabilities]
    return found
