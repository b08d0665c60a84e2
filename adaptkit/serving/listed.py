"""The zoo as a list of models: what OpenAI's clients read, and what an adapter's card says."""

from collections.abc import Iterable

from adaptkit.format.listing import Listing
from adaptkit.languages import language_name
from adaptkit.serving.jobs import Described
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.json_values import as_json


def models_of(served: Iterable[Listing], described: Described) -> dict[str, object]:
    """The backbone alone, and each adapter by its id."""
    backbone = {
        "id": described.backbone,
        "kind": "backbone",
        "width": described.width,
        "max_tokens": described.n_tokens,
    }
    return {"object": "list", "data": [_as_model(backbone), *(_as_model(_facts(each)) for each in served)]}


def _as_model(facts: dict[str, object]) -> dict[str, object]:
    return {"object": "model", "created": 0, "owned_by": "adaptkit", **facts}


def _facts(listing: Listing) -> dict[str, object]:
    facts: dict[str, object] = {
        "id": listing.id,
        "kind": listing.kind,
        "backbone": listing.backbone,
        "languages": {tag: language_name(tag) for tag in listing.languages},
        "method": listing.method,
        "licence": listing.licence,
        "source": listing.source,
        "scores": as_json(listing.scores),
        "size_bytes": listing.size_bytes,
    }
    return facts | ({} if listing.config.head is None else _of_head(listing.config.head))


def _of_head(head: HeadConfig) -> dict[str, object]:
    """What a head answers to, and where; `fields` are the texts of an input."""
    row = head.row
    return {
        "task_type": row.name,
        "input": row.plain_form,
        "fields": [name for name in row.texts if name != "pair" or head.pairs],
        "labels": list(head.labels),
        "endpoint": "" if row.writes else f"/v1/{row.endpoint}",
    }
