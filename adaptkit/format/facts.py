"""What a list shows of an adapter and a search asks for: little, so that an index can hold it for thousands."""

from dataclasses import dataclass

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What record and config say, without what it takes to compute.

    `backbone` is a name, `method` is in words, `head` is the task type of a head, `fuses` names what a fusion fuses.
    """

    id: str
    language: str | None
    backbone: str
    method: str
    head: str | None
    fuses: tuple[str, ...]
    licence: str
    source: str
    scores: tuple[Evaluation, ...]

    @classmethod
    def of(cls, adapter_id: str, language: str | None, backbone: str, card: Card, config: AdapterConfig) -> "Facts":
        """Those of an adapter, from what its record and its config say."""
        head = None if config.head is None else config.head.task_type
        return cls(
            id=adapter_id,
            language=language,
            backbone=backbone,
            method=config.method_name + _with(head),
            head=head,
            fuses=config.method.fuses,
            licence=card.licence,
            source=card.source,
            scores=card.evaluations,
        )

    @property
    def kind(self) -> str:
        """What its id begins with."""
        return self.id.partition("/")[0]

    @property
    def method_name(self) -> str:
        """Its method without its head."""
        return self.method.removesuffix(_with(self.head))


def _with(head: str | None) -> str:
    return "" if head is None else f" + {head} head"
