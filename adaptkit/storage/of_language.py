"""Which of many adapters text in a language has below: one with layers and one glossary at most."""

from collections.abc import Iterable, Mapping

from adaptkit.languages import trained_on
from adaptkit.storage.adapter import Adapter

WHERE_GLOSSARIES_HELP = (
    "glossaries help single texts and search, cost points in names and pairs of texts, and were not measured elsewhere"
)


def of_language(language: str | None, adapters: Iterable[Adapter]) -> tuple[Adapter, ...]:
    """The glossary and the adapter with layers that serve a language, lowest first: of each, as `trained_on` says."""
    having = [adapter for adapter in adapters if language in adapter.languages]
    return tuple(
        {adapter.id: adapter for adapter in part}[name]
        for part in glossaries_and_others(having)
        if (name := trained_on(language, {adapter.id: adapter.languages for adapter in part})) is not None
    )


def glossaries_and_others(adapters: Iterable[Adapter]) -> tuple[list[Adapter], list[Adapter]]:
    """Glossaries, and adapters that are none."""
    known = list(adapters)
    return [it for it in known if is_glossary(it)], [it for it in known if not is_glossary(it)]


def glossaries_first(adapters: Iterable[Adapter]) -> tuple[Adapter, ...]:
    """All of them, as they lie below each other."""
    glossaries, others = glossaries_and_others(adapters)
    return (*glossaries, *others)


def several_of_one(adapters: Iterable[Adapter]) -> Mapping[str, list[str]]:
    """Each language that alone has several glossaries, or several adapters that are none, with the ids of all."""
    own: dict[str, list[Adapter]] = {}
    for adapter in adapters:
        if adapter.language is not None:
            own.setdefault(adapter.language, []).append(adapter)
    return {
        language: [adapter.id for adapter in of_one]
        for language, of_one in own.items()
        if any(len(part) > 1 for part in glossaries_and_others(of_one))
    }


def is_glossary(adapter: Adapter) -> bool:
    """Whether it is words with translations, and no layers."""
    return adapter.config.reading.glossary is not None
