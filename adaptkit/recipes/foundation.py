"""What lies below the adapter in training: frozen adapters, some of them only in their own language's batches."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from adaptkit.composition import AdapterId, Stack
from adaptkit.data.letters import NormalForm
from adaptkit.errors import AdapterExists, ConfigError
from adaptkit.methods import Reading
from adaptkit.model import AdaptedModel
from adaptkit.requests import AdapterBelow
from adaptkit.requests.output import PathOrName
from adaptkit.storage import Adapter, load_adapter
from adaptkit.storage.identity import check_identity
from adaptkit.storage.of_language import (
    WHERE_GLOSSARIES_HELP,
    glossaries_and_others,
    glossaries_first,
    of_language,
    several_of_one,
)
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.asking import as_typed


def foundation_of(on: Sequence[AdapterBelow | PathOrName]) -> "Foundation":
    """The adapters that are to lie below; folders are loaded.

    Raises:
        AdapterFileError: A folder that is not an adapter.
        ConfigError: Something that is neither an adapter nor a folder, or adapters that cannot lie below.
    """
    return Foundation(tuple(_loaded(entry) for entry in on))


def _loaded(entry: AdapterBelow | PathOrName) -> Adapter:
    if isinstance(entry, str | os.PathLike):
        return load_adapter(entry)
    if not isinstance(entry, Adapter):
        raise ConfigError(f"{as_typed(on=...)} names adapters or their folders, found {entry!r:.80}.")
    return entry


@dataclass(frozen=True)
class Foundation:
    """Frozen adapters under the one that trains.

    One language adapter lies under every batch, and so does one with the glossary of its language. Of those of several
    languages, a batch has what was trained on its own (`of_language`), and none where there is none for it; domain
    adapters lie above that under every batch.

    Raises:
        ConfigError: A task adapter, or several language adapters of one language that are not one and a glossary.
    """

    adapters: tuple[Adapter, ...]

    def __post_init__(self) -> None:
        above = [adapter.id for adapter in self.adapters if adapter.kind == "task"]
        if above:
            raise ConfigError(
                f"{as_typed(on=...)} names what lies below: language and domain adapters, found {', '.join(above)}."
            )
        if several := several_of_one(self.languages):
            found = "; ".join(f"for {language} {', '.join(ids)}" for language, ids in several.items())
            raise ConfigError(
                f"{as_typed(on=...)} has several language adapters of one language: {found}. One with layers and one "
                "glossary may lie below."
            )

    @property
    def languages(self) -> tuple[Adapter, ...]:
        """The language adapters that stand for themselves; those that a fusion in the list fuses act through it."""
        return tuple(adapter for adapter in standing(self.adapters) if adapter.kind == "language")

    @property
    def differs_by_language(self) -> bool:
        """Whether what lies below a batch depends on its language."""
        several = any(len(part) > 1 for part in glossaries_and_others(self.languages))
        return several or len({adapter.languages for adapter in self.languages}) > 1

    def __str__(self) -> str:
        if not self.adapters:
            return "trained without adapters below"
        own = [adapter.id for adapter in self.languages] if self.differs_by_language else []
        others = " > ".join(adapter.id for adapter in glossaries_first(self.adapters) if adapter.id not in own)
        lower = filter(None, [f"each language's own ({', '.join(own)})" if own else "", others])
        return f"trained on top of {' > '.join(lower)}"

    def below(self, languages: set[str | None]) -> tuple[str, ...]:
        """What lies under every batch of text in these languages, for the record."""
        stacks = [self.stack_below(language).ids for language in languages]
        return tuple(name for name in stacks[0] if all(name in ids for ids in stacks)) if stacks else ()

    def require_for(self, top: AdapterId, model: AdaptedModel, *, fused: bool = False) -> None:
        """See before any work that these can lie below an adapter on a model, or be fused by it.

        Raises:
            ConfigError: One of them is given twice, has the same name, or acts behind it.
            CompatibilityError: One is for another backbone.
        """
        ids = [adapter.id for adapter in self.adapters]
        if str(top) in ids:
            raise ConfigError(
                f"{top} would be trained on top of itself: an adapter of that name is in {as_typed(on=...)}. Leave "
                "it out, or give "
                "what lies below another name: adapter.renamed(...)."
            )
        if len(set(ids)) < len(ids):
            raise ConfigError(f"{as_typed(on=...)} names an adapter twice: {', '.join(ids)}.")
        domains = [adapter.id for adapter in self.adapters if adapter.kind == "domain"]
        if top.kind == "language" and domains and not fused:
            raise ConfigError(
                f"{', '.join(domains)} cannot lie below a language adapter: language comes first, then domain, then "
                "task. Train the domain adapter on top of the language adapter."
            )
        for adapter in self.adapters:
            check_identity(adapter, model.backbone)

    def attach_to(self, model: AdaptedModel) -> list[str]:
        """Attach what is not attached yet; gives the ids that were.

        Raises:
            AdapterExists: Another adapter is attached under one of the ids.
        """
        missing = []
        for adapter in sorted(self.adapters, key=lambda entry: bool(entry.config.method.fuses)):
            there = model.attached_adapter(adapter.id)
            if there is not None and there.weights_sha256 != adapter.weights_sha256:
                raise AdapterExists(
                    f"another {adapter.id} is attached to the model than the one in {as_typed(on=...)}. Detach it "
                    "first: "
                    f"model.detach({adapter.id!r})."
                )
            if there is None:
                missing.append(adapter)
        model.attach(*missing)
        return [adapter.id for adapter in missing]

    def stack_under(self, top: str, language: str | None) -> Stack:
        """The stack for text in a language."""
        return Stack(*self._ids_for(language), top)

    def stack_below(self, language: str | None) -> Stack:
        """What lies below the adapter in training for text in a language; empty where nothing does."""
        return Stack(*self._ids_for(language))

    def require_plain_reading(self, why: str) -> None:
        """Let none bring pieces of text or a glossary, because of what is asked for.

        Raises:
            ConfigError: One does.
        """
        if having := [adapter for adapter in self.adapters if adapter.config.reading.changes_words]:
            raise ConfigError(
                f"{why}, and each text is read once, by {having[0].config.reading} of {having[0].id}. Ask for one of "
                "the two."
            )

    def reading_for(self, language: str | None) -> Reading:
        """What text in a language is read by because of what lies below, besides the backbone's own pieces."""
        ids = self._ids_for(language)
        brought = [adapter.config.reading for adapter in self.adapters if adapter.id in ids]
        return Reading(
            next((reading.pieces for reading in brought if reading.pieces), None),
            next((reading.glossary for reading in brought if reading.glossary), None),
        )

    def _ids_for(self, language: str | None) -> list[str]:
        own = of_language(language, self.languages) if self.differs_by_language else glossaries_first(self.languages)
        return [adapter.id for adapter in (*own, *(it for it in self.adapters if it.kind == "domain"))]

    def in_other_forms(self, form: NormalForm | None) -> list[str]:
        """Say which adapters were trained on text in another normal form than this run's."""
        others = [
            f"{adapter.id} ({adapter.normal_form or 'text as it was'})"
            for adapter in self.adapters
            if adapter.normal_form != form
        ]
        return (
            [f"note: trained on text in another form: {', '.join(others)}; see {as_typed(normalize=...)}"]
            if others
            else []
        )

    def glossaries_doubted(self, head: HeadConfig) -> list[str]:
        """Say which glossaries lie below a head that answers better without them."""
        found = [adapter.id for adapter in glossaries_and_others(self.languages)[0] if not head.reads_glosses]
        return (
            [f"{', '.join(found)} may hurt here: {WHERE_GLOSSARIES_HELP}. Train without, and compare"] if found else []
        )

    def languages_without(self, found: set[str | None]) -> list[str]:
        """Languages of the data that train without a language adapter below although others have one."""
        if not self.differs_by_language:
            return []
        known = {language for adapter in self.languages for language in adapter.languages}
        return sorted({language or "unnamed" for language in found} - known)


def standing(adapters: Sequence[Adapter]) -> tuple[Adapter, ...]:
    """The adapters that are part of a stack by themselves, not through a fusion among them."""
    fused = {name for entry in adapters for name in entry.config.method.fuses}
    return tuple(adapter for adapter in adapters if adapter.id not in fused)
