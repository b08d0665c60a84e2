"""Which language adapter lies below the task adapter under each condition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

from adaptkit.backbones import Backbone
from adaptkit.composition import Stack
from adaptkit.errors import ConfigError
from adaptkit.evaluation.results import CONDITIONS, Condition
from adaptkit.languages import family_for, nearest_relative, relative_trained_on, trained_on
from adaptkit.storage import Adapter, Zoo, load_adapter
from adaptkit.storage.identity import compared
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True)
class LanguageAdapters:
    """Language adapters: one at most for each language alone, and any for several languages at once.

    Raises:
        ConfigError: Two of one language, or an adapter that is for no language.
    """

    adapters: tuple[Adapter, ...]

    def __post_init__(self) -> None:
        for adapter in self.adapters:
            if adapter.kind != "language" or not adapter.languages:
                raise ConfigError(
                    f"{adapter.id} is not a language adapter; give language adapters as {as_typed(zoo=...)}."
                )
        named = [adapter.language for adapter in self.adapters if adapter.language is not None]
        if len(self.by_language) < len(named):
            twice = sorted({str(language) for language in named if named.count(language) > 1})
            raise ConfigError(
                f"the zoo has several language adapters for {', '.join(twice)}; give a list with one for each language."
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

    @property
    def by_language(self) -> Mapping[str, Adapter]:
        """The adapter of each language that has one of its own."""
        return {adapter.language: adapter for adapter in self.adapters if adapter.language is not None}

    @property
    def families(self) -> Mapping[str, Adapter]:
        """Adapters for several languages, by id."""
        return {adapter.id: adapter for adapter in self.adapters if adapter.language is None}

    def below(self, condition: Condition, *, source: str, target: str) -> Adapter | None:
        """The adapter of a condition other than `none`; None where there is none."""
        if condition == "relative":
            return self._relative(source=source, target=target)
        return self._trained_on(source if condition == "source" else target)

    def _trained_on(self, language: str) -> Adapter | None:
        """A language's own adapter, else the one of a family that it was in: what training has below it too."""
        name = trained_on(language, self._members)
        return self.by_language.get(language) or (None if name is None else self.families[name])

    def _relative(self, *, source: str, target: str) -> Adapter | None:
        """That of the family, for a language without one of its own; else that of the nearest relative.

        Where no relative has one of its own, it is one for several languages that was trained on a relative.
        """
        others = {name: found for name, found in self._members.items() if target not in found}
        if target not in self.by_language and (family := family_for(target, others)) is not None:
            return self.families[family]
        alone = self.by_language.get(nearest_relative(target, set(self.by_language) - {source}) or "")
        in_one = None if alone else relative_trained_on(target, others)
        return alone if in_one is None else self.families[in_one[0]]

    @property
    def _members(self) -> Mapping[str, tuple[str, ...]]:
        return {name: adapter.languages for name, adapter in self.families.items()}


Adapters = Zoo | str | PathLike[str] | Iterable[Adapter | str | PathLike[str]]


def check_conditions(compare: Sequence[str]) -> tuple[Condition, ...]:
    """The conditions asked for, in their usual order, `none` always among them.

    Raises:
        ConfigError: One that is none.
    """
    unknown = [name for name in compare if name not in CONDITIONS]
    if unknown:
        raise ConfigError(f"compare has {unknown[0]!r}; conditions are {', '.join(CONDITIONS)}.")
    return tuple(condition for condition in CONDITIONS if condition in compare or condition == "none")


def stack_for(below: Adapter | None, top: Sequence[Adapter]) -> Stack:
    """What stands on top, lowest first, on what lies below it under a condition."""
    return Stack(*([below.id] if below is not None else []), *(adapter.id for adapter in top))
