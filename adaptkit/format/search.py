"""What is looked for in a zoo, and whether an adapter is it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from adaptkit.config import Kind
from adaptkit.errors import ConfigError
from adaptkit.format.listing import Listing
from adaptkit.languages import branches, branches_called, canonical_tag, script_code, script_name

_KINDS = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """All of it must hold; None is anything. `facts` are compared as they stand."""

    facts: Mapping[str, str | None]
    language: str | None
    script: str | None
    within: frozenset[str] | None
    """Branches of families, in one of which the language is to be."""
    task: str | None

    @classmethod
    def of(
        cls,
        *,
        language: str | None,
        script: str | None,
        family: str | None,
        kind: str | None,
        method: str | None,
        task: str | None,
        licence: str | None,
        backbone: str | None,
    ) -> "Wanted":
        """What `Catalogue.search` was asked for.

        Raises:
            ConfigError: `language`, `family` or `kind` is none.
        """
        tag = None if language is None else canonical_tag(language)
        within = None if family is None else branches_called(family)
        if kind is not None and kind not in _KINDS:
            raise ConfigError(f"kind is one of {', '.join(_KINDS)}, found {kind!r}.")
        facts = {
            "kind": kind,
            "method": method,
            "backbone": backbone,
            "licence": None if licence is None else _plain(licence),
        }
        return cls(facts=facts, language=tag, script=script, within=within, task=task)

    def holds_for(self, listing: Listing) -> bool:
        """Whether an adapter is what is wanted."""
        return (
            all(value is None or value == _facts(listing)[name] for name, value in self.facts.items())
            and (self.language is None or self.language in listing.languages)
            and (self.within is None or any(not self.within.isdisjoint(found) for found in _branches(listing)))
            and (self.script is None or self.script.lower() in _scripts(listing))
            and (self.task is None or any(found.lower().startswith(self.task.lower()) for found in _tasks(listing)))
        )


def tasks_in(listings: Iterable[Listing]) -> Mapping[str, list[str]]:
    """What a search for a task finds these adapters by, in order; what there is none of is left out.

    A test is called by what stands before its languages.
    """
    found: dict[str, set[str]] = {"task": set(), "task type": set(), "test": set()}
    for listing in listings:
        found["task"].update(_called(listing))
        found["task type"].update(filter(None, [listing.facts.head]))
        found["test"].update(score.task.partition(",")[0] for score in listing.scores)
    return {what: sorted(names) for what, names in found.items() if names}


def _facts(listing: Listing) -> dict[str, str | None]:
    return {
        "kind": listing.kind,
        "method": listing.facts.method_name,
        "backbone": listing.backbone,
        "licence": _plain(listing.licence),
    }


def _scripts(listing: Listing) -> set[str]:
    return {name(tag).lower() for tag in listing.languages for name in (script_code, script_name)}


def _branches(listing: Listing) -> list[tuple[str, ...]]:
    return [branches(tag) or () for tag in listing.languages]


def _tasks(listing: Listing) -> set[str]:
    head = listing.facts.head
    called = {name for each in _called(listing) for name in (each, listing.id)}
    return {score.task for score in listing.scores} | ({head} if head else set()) | called


def _called(listing: Listing) -> list[str]:
    """The name of its task, where it is a task adapter."""
    return [listing.id.partition("/")[2]] if listing.kind == "task" else []


def _plain(licence: str) -> str:
    return "-".join(licence.lower().replace("_", " ").replace("-", " ").split())
