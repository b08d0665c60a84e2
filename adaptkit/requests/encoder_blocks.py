"""Where an adapter acts in an encoder-decoder whose training runs the encoder alone."""

from dataclasses import fields, replace
from typing import Any

from adaptkit.errors import ConfigError
from adaptkit.format.shapes import BackboneShape
from adaptkit.methods import MethodOptions
from adaptkit.terminal.asking import as_typed


def in_encoder(method: MethodOptions, shape: BackboneShape) -> MethodOptions:
    """The method in the encoder's blocks: layers in the decoder's would have no part in any loss.

    Raises:
        ConfigError: Blocks of the decoder are asked for.
    """
    if shape.n_all_blocks == shape.n_blocks or "blocks" not in {field.name for field in fields(method)}:
        return method
    options: Any = method
    if options.blocks is None:
        return replace(options, blocks=tuple(range(shape.n_blocks)))  # type: ignore[no-any-return]
    if beyond := [block for block in options.blocks if shape.n_blocks <= block < shape.n_all_blocks]:
        raise ConfigError(
            f"the blocks {', '.join(map(str, beyond))} are those of the decoder, and this training runs the encoder "
            f"alone: name blocks from 0 to {shape.n_blocks - 1}, or train a translation "
            f"({as_typed(task='translation')})."
        )
    return method
