"""What every request for a training says."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, TypeAlias

from adaptkit.config import SITES, Kind
from adaptkit.data.letters import NormalForm
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.shapes import BackboneShape
from adaptkit.format.tensor_shapes import sites_in
from adaptkit.methods import Below, Lora, Method, MethodConfig, MethodOptions, Surroundings, method_of
from adaptkit.options import Options, Recorded, Shell, option, recorded
from adaptkit.requests.encoder_blocks import in_encoder
from adaptkit.requests.output import Output
from adaptkit.requests.pretrained import Pretrained
from adaptkit.requests.run import Run


class AdapterBelow(Protocol):
    """An adapter that is loaded: an `Adapter`."""

    @property
    def id(self) -> str:
        """Such as `language/sw`."""
        ...

    @property
    def config(self) -> AdapterConfig:
        """What it is made of."""
        ...


class LoadedModel(Protocol):
    """A model that is loaded: an `AdaptedModel`."""

    @property
    def attached(self) -> tuple[str, ...]:
        """The ids of what is attached to it."""
        ...


SAMPLING_ALPHA = 0.3
"""The power of their size by which several languages are drawn, after Devlin et al. 2019 for mBERT."""
On: TypeAlias = AdapterBelow | str | os.PathLike[str]


@dataclass(frozen=True, kw_only=True)
class Request(Options):
    """A training that is asked for, of whichever kind.

    Raises:
        ConfigError: Options that cannot be right, or that contradict each other.
    """

    kind: ClassVar[Kind]

    on: tuple[On, ...] = option(
        (),
        "adapters to train on top of, frozen: values or folders",
        recorded=False,
        shell=Shell(list[Path], "folder of an adapter to train on top of, frozen; may be repeated", metavar="<folder>"),
    )
    normalize: NormalForm | None = option(
        None, "form in which all text is read: NFC, NFD, NFKC, NFKD (default: as it is)"
    )
    sampling_alpha: float | None = option(
        None,
        "how often several languages, or several sources of a text, are drawn: by size ** sampling_alpha, so 1 is by "
        "size and 0 equally often (default: 0.3 for languages, 1 for sources)",
        least=0,
        most=1,
    )
    method: MethodOptions = field(default=Lora())
    backbone: Pretrained | LoadedModel = field(default=Pretrained())
    run: Run = field(default=Run())
    output: Output = field(default=Output())

    def __post_init__(self) -> None:
        super().__post_init__()
        self.method_row.require_kind(self.kind)
        if not self.on:
            self.method_config()

    @property
    def method_row(self) -> Method:
        """The row of its method."""
        return method_of(self.method)

    @property
    def drawing_alpha(self) -> float:
        """The power of their size by which its languages are drawn, or the sources of a text in one language."""
        if self.sampling_alpha is not None:
            return self.sampling_alpha
        return SAMPLING_ALPHA if self.draws_languages else 1.0

    @property
    def draws_languages(self) -> bool:
        """Whether it is languages that are drawn, as far as that is known before the data are read."""
        return True

    def method_config(
        self, shape: BackboneShape | None = None, below: Sequence[AdapterBelow] = (), *, decodes: bool = False
    ) -> MethodConfig:
        """The method as it is meant on a backbone of these sizes, or on any, over these adapters.

        On an encoder-decoder, it acts in the encoder alone, unless the training `decodes`.

        Raises:
            ConfigError: Options that cannot be right there.
        """
        method = self.method if shape is None or decodes else in_encoder(self.method, shape)
        return method.config(
            Surroundings(
                sites=SITES if shape is None else sites_in(getattr(method, "blocks", None), shape.sites()),
                below=tuple(
                    Below(entry.id, entry.config.method.sites, inverts=entry.config.invertible is not None)
                    for entry in below
                ),
            )
        )

    def record(self) -> Mapping[str, Recorded]:
        """The options that decide the result, for card and checkpoint; no path and no text."""
        unnamed: Mapping[str, Recorded] = dict.fromkeys(("lang", "domain", "task"))
        return {
            **unnamed,
            **recorded(self),
            "method": self.method_row.name,
            **recorded(self.method),
            **recorded(self.run),
            **recorded(self.output),
        }
