"""What lies below the adapter in training: frozen adapters, some of them only in their own language's batches."""

from collections.abc import Sequence
from dataclasses import dataclass

from adaptkit.composition import Stack
from adaptkit.errors import ConfigError
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter


@dataclass(frozen=True)
class Foundation:
    """Frozen adapters under the one that trains.

    One language adapter lies under every batch. Of several, a batch has that of its own language, and none where there
    is none for it; domain adapters lie above it under every batch.

    Raises:
        ConfigError: A task adapter, or two language adapters of one language.
    """

    adapters: tuple[Adapter, ...]

    def __post_init__(self) -> None:
        above = [adapter.id for adapter in self.adapters if adapter.kind == "task"]
        if above:
            raise ConfigError(f"on=... names what lies below: language and domain adapters, found {', '.join(above)}.")
        languages = [adapter.language for adapter in self.languages]
        if len(set(languages)) < len(languages):
            raise ConfigError(
                f"on=... has several language adapters of one language: {', '.join(map(str, languages))}."
            )

    @property
    def languages(self) -> tuple[Adapter, ...]:
        """The language adapters."""
        return tuple(adapter for adapter in self.adapters if adapter.kind == "language")

    @property
    def below(self) -> tuple[str, ...]:
        """What the record says: the adapters under every batch; of swapped ones, the first."""
        domains = (adapter.id for adapter in self.adapters if adapter.kind == "domain")
        return (*(adapter.id for adapter in self.languages[:1]), *domains)

    def attach_to(self, model: AdaptedModel) -> list[str]:
        """Attach what is not attached yet; gives the ids that were."""
        missing = [adapter for adapter in self.adapters if adapter.id not in model.attached]
        model.attach(*missing)
        return [adapter.id for adapter in missing]

    def stack_under(self, top: str, language: str | None) -> Stack:
        """The stack for text in a language."""
        by_language = {adapter.language: adapter.id for adapter in self.languages}
        only = next(iter(by_language.values()), None)
        own = by_language.get(language) if len(by_language) > 1 else only
        domains = [adapter.id for adapter in self.adapters if adapter.kind == "domain"]
        return Stack(*([own] if own else []), *domains, top)

    def languages_without(self, found: Sequence[str | None]) -> list[str]:
        """Languages of the data that train without a language adapter below although others have one."""
        if len(self.languages) < 2:
            return []
        known = {adapter.language for adapter in self.languages}
        return sorted({language or "unnamed" for language in found} - {language or "" for language in known})
