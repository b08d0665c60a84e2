"""Which backbone a training loads."""

import os
from dataclasses import KW_ONLY, dataclass

from adaptkit.holding import AUTO, BITS_HELP, DEVICES, EMBEDDING_FORMS, Bits, embedding_form, embeddings_help
from adaptkit.options import Options, Shell, option


@dataclass(frozen=True)
class Pretrained(Options):
    """A pretrained backbone that is loaded for a training, and how it is held.

    A model that is loaded already (`load_model`) can be given in its place.

    Raises:
        ConfigError: Bits or a form of embeddings that there is not.
    """

    backbone: str | os.PathLike[str] | None = option(
        None,
        "hub id, folder or GGUF file of the backbone (default: the embedded one)",
        recorded=False,
        shell=Shell(str, metavar="<id or folder>", read=str),
    )
    _: KW_ONLY
    bits: Bits = option(32, BITS_HELP)
    embeddings: str | None = option(None, embeddings_help(), choices=EMBEDDING_FORMS)
    device: str = option(AUTO, DEVICES)

    def __post_init__(self) -> None:
        super().__post_init__()
        embedding_form(self.bits, self.embeddings)
