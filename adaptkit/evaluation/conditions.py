"""Which language adapters lie below the task adapter under each condition."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from adaptkit.backbones import Backbone
from adaptkit.composition import Stack
from adaptkit.errors import ConfigError
from adaptkit.evaluation.results import CONDITIONS, Condition
from adaptkit.format.spec import RECORD_FILE
from adaptkit.languages import family_for, nearest_relative, relative_trained_on
from adaptkit.storage import Adapter, Zoo, load_adapter
from adaptkit.storage.identity import compared
from adaptkit.storage.of_language import glossaries_and_others, of_language, several_of_one
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True)
class LanguageAdapters:
    """Language adapters: for each language alone one with layers and one glossary at most, and any for several at once.

    Raises:
        ConfigError: More of one language, or an adapter that is for no language.

    Attributes:
        left_out: glossaries that a task has no gain of.
    """

    adapters: tuple[Adapter, ...]
    left_out: tuple[Adapter, ...] = ()

    def __post_init__(self) -> None:
        for adapter in self.adapters:
            if adapter.kind != "language" or not adapter.languages:
                raise ConfigError(
                    f"{adapter.id} is not a language adapter; give language adapters as {as_typed(zoo=...)}."
                )
        if several := several_of_one(self.adapters):
            found = "; ".join(f"for {language} {', '.join(ids)}" for language, ids in sorted(several.items()))
            raise ConfigError(
                "of each language, one adapter with layers and one glossary at most can lie below a task, and there "
                f"are several language adapters: {found}. Choose by {as_typed(zoo=...)}, which takes several adapter "
                "folders too (in Python a list, zoo=[...], of folders or adapters)."
            )

    @classmethod
    def of(cls, zoo: "Adapters", backbone: Backbone) -> "LanguageAdapters":
        """The language adapters in a list of adapters and folders, or those in a zoo that are for this backbone.

        Raises:
            ConfigError: The zoo holds no language adapter for it.
            AdapterFileError: A folder that is not a sound adapter.
        """
        if not isinstance(zoo, str | PathLike | Zoo):
            return cls(tuple(entry if isinstance(entry, Adapter) else load_adapter(entry) for entry in zoo))
        zoo = zoo if isinstance(zoo, Zoo) else Zoo(zoo)
        zoo.require_sound()
        found = tuple(
            listing.load()
            for listing in zoo
            # Of the record, so that no index hides one.
            if listing.record.kind == "language" and compared(listing.origin, backbone) != "different"
        )
        if not found:
            raise ConfigError(f"zoo {zoo.path} holds no language adapter for the backbone {backbone.name}.")
        return cls(found)

    def without_glossaries(self) -> "LanguageAdapters":
        """The others; glossaries are left out."""
        glossaries, others = glossaries_and_others(self.adapters)
        return LanguageAdapters(tuple(others), tuple(glossaries))

    def left_out_below(self, condition: Condition, *, source: str, target: str) -> tuple[Adapter, ...]:
        """What would be below too if nothing were left out."""
        if not self.left_out:
            return ()
        every = LanguageAdapters((*self.left_out, *self.adapters))
        return tuple(glossaries_and_others(every.below(condition, source=source, target=target))[0])

    @property
    def languages(self) -> frozenset[str]:
        """The languages that have an adapter of their own."""
        return frozenset(adapter.language for adapter in self.adapters if adapter.language is not None)

    def below(self, condition: Condition, *, source: str, target: str) -> tuple[Adapter, ...]:
        """The adapters of a condition other than `none`, lowest first; empty where there is none."""
        if condition == "relative":
            return self._relative(source=source, target=target)
        # A language's own, else those of a family that it was in: what training has below it too.
        return of_language(source if condition == "source" else target, self.adapters)

    def _relative(self, *, source: str, target: str) -> tuple[Adapter, ...]:
        """Those of the family, for a language without one of its own; else those of the nearest relative.

        Where no relative has one of its own, they are for several languages and were trained on a relative.
        """
        others = [it for it in self.adapters if it.language is None and target not in it.languages]
        if target not in self.languages and (found := _for_family(target, others)):
            return found
        relative = nearest_relative(target, self.languages - {source})
        if relative is not None:
            return of_language(relative, (it for it in self.adapters if it.language == relative))
        in_one = relative_trained_on(target, {it.id: it.languages for it in others})
        return () if in_one is None else of_language(in_one[1], others)


def _for_family(language: str, adapters: Iterable[Adapter]) -> tuple[Adapter, ...]:
    """The glossary and the adapter with layers of the family that a language belongs to."""
    found = (
        (family_for(language, {it.id: it.languages for it in part}), part) for part in glossaries_and_others(adapters)
    )
    return tuple(it for name, part in found for it in part if it.id == name)


Adapters = Zoo | str | PathLike[str] | Iterable[Adapter | str | PathLike[str]]


def names_each(zoo: Adapters | None) -> bool:
    """Whether adapters were named one by one: in a list, or by the folder of one."""
    if zoo is None or isinstance(zoo, Zoo):
        return False
    return not isinstance(zoo, str | PathLike) or (Path(zoo) / RECORD_FILE).is_file()


def check_conditions(compare: Sequence[str]) -> tuple[Condition, ...]:
    """The conditions asked for, in their usual order, `none` always among them.

    Raises:
        ConfigError: One that is none.
    """
    unknown = [name for name in compare if name not in CONDITIONS]
    if unknown:
        raise ConfigError(f"compare has {unknown[0]!r}; conditions are {', '.join(CONDITIONS)}.")
    return tuple(condition for condition in CONDITIONS if condition in compare or condition == "none")


def stack_for(below: Sequence[Adapter], top: Sequence[Adapter]) -> Stack:
    """What stands on top, lowest first, on what lies below it under a condition."""
    return Stack(*(adapter.id for adapter in (*below, *top)))
