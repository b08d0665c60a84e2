"""Which language adapters lie below the task adapter under each condition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from adaptkit.backbones import Backbone
from adaptkit.composition import Stack
from adaptkit.errors import ConfigError
from adaptkit.evaluation.results import CONDITIONS, Condition
from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE
from adaptkit.languages import family_for, nearest_relative, relative_trained_on
from adaptkit.storage import Adapter, Zoo, load_adapter
from adaptkit.storage.identity import compared
from adaptkit.storage.of_language import glossaries_and_others, is_glossary, of_language, several_of_one
from adaptkit.terminal.asking import as_typed

_Place: TypeAlias = tuple[Path, str]
"""A zoo, and the folder in it."""


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
        _require_one_of_each(self.adapters)

    @classmethod
    def of(cls, zoo: "Adapters", backbone: Backbone) -> "LanguageAdapters":
        """The language adapters of a zoo that are for this backbone, or those of a list of adapters, folders and zoos.

        One that a list names takes the place of what its zoos have of the same language and sort, or of the same id.

        Raises:
            ConfigError: A zoo holds no language adapter for it, or several of one language and sort.
            AdapterFileError: A folder that is not a sound adapter.
        """
        named: list[Adapter] = []
        of_zoos: dict[_Place, Adapter] = {}
        for entry in opened(zoo):
            if isinstance(entry, Zoo):
                of_zoos |= _in_zoo(entry, backbone)
            else:
                named.append(entry)
        left = {
            place: it
            for place, it in of_zoos.items()
            if not any(_are_rivals(one, it) or one.id == it.id for one in named)
        }
        _require_one_of_each((*named, *left.values()), left)
        return cls((*named, *left.values()))

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


def gathered(zoo: "Adapters | None") -> "Adapters | None":
    """The same, to be gone through more than once; what a list names is read.

    Raises:
        SourceNotFound, AdapterFileError: What is not there, or not sound.
    """
    return zoo if zoo is None or isinstance(zoo, str | PathLike | Zoo) else list(map(_opened, zoo))


def opened(zoo: "Adapters") -> list[Zoo | Adapter]:
    """The zoo, or the zoos and adapters of a list.

    Raises:
        SourceNotFound, AdapterFileError: What is not there, or not sound.
    """
    if isinstance(zoo, str | PathLike | Zoo):
        return [zoo if isinstance(zoo, Zoo) else Zoo(zoo)]
    return list(map(_opened, zoo))


def _opened(entry: "Zoo | Adapter | str | PathLike[str]") -> Zoo | Adapter:
    """An adapter, or a zoo where it is a folder that is no adapter itself, or an archive."""
    if isinstance(entry, Zoo | Adapter):
        return entry
    return load_adapter(entry) if _holds_one(entry) else Zoo(entry)


def _holds_one(entry: Zoo | str | PathLike[str]) -> bool:
    """Whether it is the folder of an adapter; what is not there was meant to be."""
    if isinstance(entry, Zoo):
        return False
    folder = Path(entry)
    return not folder.exists() or any((folder / name).exists() for name in (RECORD_FILE, CONFIG_FILE))


def _in_zoo(zoo: Zoo, backbone: Backbone) -> dict[_Place, Adapter]:
    """Its language adapters for this backbone, by where they lie."""
    zoo.require_sound()
    found = {
        (zoo.path, listing.place): listing.load()
        for listing in zoo
        # Of the record, so that no index hides one.
        if listing.record.kind == "language" and compared(listing.origin, backbone) != "different"
    }
    if not found:
        raise ConfigError(f"zoo {zoo.path} holds no language adapter for the backbone {backbone.name}.")
    return found


def _are_rivals(one: Adapter, other: Adapter) -> bool:
    """Whether both are of one language, and both glossaries or both none, so that one alone can lie below a task."""
    return one.language is not None and _sort(one) == _sort(other)


def _sort(adapter: Adapter) -> tuple[str | None, bool]:
    return adapter.language, is_glossary(adapter)


def _require_one_of_each(adapters: Sequence[Adapter], places: Mapping[_Place, Adapter] | None = None) -> None:
    """See that none has a rival; `places` say where those of a zoo lie.

    Raises:
        ConfigError: It names them, and how one is chosen.
    """
    several = several_of_one(adapters)
    if not several:
        return
    found = "; ".join(f"for {language} {', '.join(ids)}" for language, ids in sorted(several.items()))
    raise ConfigError(
        "of each language, one adapter with layers and one glossary at most can lie below a task, and there are "
        f"several language adapters: {found}. {_how_to_choose(adapters, places or {})}."
    )


def _how_to_choose(adapters: Sequence[Adapter], places: Mapping[_Place, Adapter]) -> str:
    named: dict[tuple[str | None, bool], _Place] = {}
    for place, adapter in places.items():
        if sum(_are_rivals(adapter, other) for other in adapters) > 1:
            named.setdefault(_sort(adapter), place)
    zoos = dict.fromkeys(str(zoo) for zoo, _ in named.values())
    if not named or not all(zoo.is_dir() for zoo, _ in named.values()):
        return f"Choose by {as_typed(zoo=...)}, given once for each adapter folder (in Python a list, zoo=[...])"
    folders = [str(zoo / place) for zoo, place in named.values()]
    return f"Name the one that is meant beside the zoo, such as {as_typed(zoo=[*zoos, *folders])}"


def _for_family(language: str, adapters: Iterable[Adapter]) -> tuple[Adapter, ...]:
    """The glossary and the adapter with layers of the family that a language belongs to."""
    found = (
        (family_for(language, {it.id: it.languages for it in part}), part) for part in glossaries_and_others(adapters)
    )
    return tuple(it for name, part in found for it in part if it.id == name)


Adapters = Zoo | str | PathLike[str] | Iterable[Adapter | Zoo | str | PathLike[str]]


def names_each(zoo: Adapters | None) -> bool:
    """Whether adapters were named one by one: in a list, or by the folder of one."""
    if zoo is None or isinstance(zoo, Zoo):
        return False
    if isinstance(zoo, str | PathLike):
        return (Path(zoo) / RECORD_FILE).is_file()
    return all(isinstance(entry, Adapter) or _holds_one(entry) for entry in zoo)


def check_conditions(compare: Sequence[str], *, names_stack: bool = False) -> tuple[Condition, ...]:
    """The conditions asked for, in their usual order, `none` always among them, and `stack` where one is named.

    Raises:
        ConfigError: One that is none, or `stack` where none is named.
    """
    unknown = [name for name in compare if name not in CONDITIONS]
    if unknown:
        raise ConfigError(f"compare has {unknown[0]!r}; conditions are {', '.join(CONDITIONS)}.")
    if "stack" in compare and not names_stack:
        raise ConfigError(f"compare has 'stack', and none is named: {as_typed(stack='sw > topics | topics')}.")
    always = {"none", "stack"} if names_stack else {"none"}
    return tuple(condition for condition in CONDITIONS if condition in compare or condition in always)


def need_languages(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Those under which the adapters of a language lie below."""
    return tuple(condition for condition in conditions if condition not in ("none", "stack"))


def stack_for(below: Sequence[Adapter], top: Sequence[Adapter]) -> Stack:
    """What stands on top, lowest first, on what lies below it under a condition."""
    return Stack(*(adapter.id for adapter in (*below, *top)))
