"""The call: each backbone at hand looked at in turn, and all of them set in order."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adaptkit.backbones.device import device_for
from adaptkit.backbones.load import Outline, outline_of
from adaptkit.backbones.out_of_memory import free_bytes
from adaptkit.choosing.amount import gigabytes, memory_bytes
from adaptkit.choosing.at_hand import at_hand
from adaptkit.choosing.candidate import Candidate, Existing, Size
from adaptkit.choosing.choice import Choice
from adaptkit.choosing.coverage import coverage_of
from adaptkit.choosing.existing import existing_adapters, of_backbone
from adaptkit.choosing.licence import licence_of
from adaptkit.choosing.probe import MOST_LINES, Probed, probed, require_probed
from adaptkit.choosing.published import published_scores
from adaptkit.choosing.ranking import BY_PROBE, ordered, with_reasons
from adaptkit.choosing.size import size_of
from adaptkit.choosing.speed import measured_speed
from adaptkit.choosing.work import Work, kind_of, work_named
from adaptkit.data.corpus import TextSource, open_corpus
from adaptkit.data.sample import DESCRIPTION, sample_sentences
from adaptkit.data.tasks import TaskData
from adaptkit.errors import AdaptkitError, BackboneUnavailable
from adaptkit.format.architectures import architecture_of
from adaptkit.format.published import HUB_IDS
from adaptkit.holding import AUTO, BITS, Bits
from adaptkit.labelled import LabelledSource, read_labelled
from adaptkit.languages import canonical_tag, language_name
from adaptkit.model import AdaptedModel, load_model
from adaptkit.scores.bootstrap import Difference, paired_metric_difference
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed, option_name
from adaptkit.terminal.plain_text import one_line

_MOST_TEXT = 20_000


@dataclass(frozen=True)
class _Asked:
    """What every candidate is looked at for."""

    language: str
    work: Work | None
    memory: int | None
    lines: Sequence[str]
    labelled: TaskData | None
    existing: Sequence[tuple[str, Existing]]
    speed: bool
    device: str


def choose_backbone(
    *,
    lang: str,
    task: str | None = None,
    memory: str | float | None = None,
    text: "TextSource | None" = None,
    probe: "LabelledSource | TaskData | None" = None,
    backbones: Sequence[str | os.PathLike[str]] = (),
    only_named: bool = False,
    zoos: Sequence[str | os.PathLike[str]] = (),
    speed: bool = True,
    device: str = AUTO,
    note: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Set the backbones at hand side by side for a language and a task, and order them.

    At hand are those named in `backbones` (folders, folders of several, hub ids, GGUF files), the embedded ones, and
    models in the hub cache of this machine; with `only_named`, the named ones alone. A hub is asked for an id that is
    named, and for nothing else. One that cannot be read is a candidate with its `problem`; one that does not fit the
    memory, named or free, is looked at without its weights.

    Args:
        lang: the language, by name or tag.
        task: a task type, a benchmark, or a word such as `ner`, `nli`, `topics`, `search`, `generate`.
        memory: how much memory there is: `"2GB"`, `"800MiB"`, or bytes. The most exact form that fits is proposed.
        text: in the language, as for `train_adapter`; without it, the package's sample, where it has the language.
        probe: labelled lines: a linear head on frozen vectors is scored on them, in five folds.
        backbones: what to look at besides.
        only_named: look at nothing else.
        zoos: folders or archives of adapters; those for the language are named beside their backbone.
        speed: encode some of the text for two seconds and time it.
        device: where that is done.
        note: is told of each step.

    Raises:
        ConfigError: An unknown task, an amount of memory that is none, labelled lines that cannot be probed.
        UnknownLanguage: `lang` is none.
        DataError: Text or labelled lines that are not there or malformed; a zoo that is not there.
        BackboneUnavailable: No backbone is at hand.
    """
    language = canonical_tag(lang)
    found = at_hand(backbones, only_named=only_named)
    if not found.places:
        raise BackboneUnavailable(
            f"no backbone is at hand: none is named, and nothing else was to be looked at. Name some "
            f"({option_name('backbones', flag='backbone')})."
        )
    lines, told = _text(text, language)
    asked = _Asked(
        language=language,
        work=None if task is None else work_named(task),
        memory=None if memory is None else memory_bytes(memory),
        lines=lines,
        labelled=None if probe is None else _labelled(probe),
        existing=existing_adapters(zoos, language),
        speed=speed and bool(lines),
        device=device,
    )
    seen = [_looked_at(name, place, asked, note) for name, place in found.places.items()]
    candidates, decided_by = ordered([candidate for candidate, _ in seen], asked.work, memory_named=memory is not None)
    behind = _behind(candidates[0], {candidate.name: probing for candidate, probing in seen if probing is not None})
    return Choice(
        language=language,
        task=task,
        memory_bytes=asked.memory,
        text=told,
        candidates=tuple(with_reasons(candidate, asked.work, asked.memory, behind) for candidate in candidates),
        notes=(*_notes(asked), *_of_zoos(candidates, zoos, language), *found.notes),
        decided_by=_doubted(decided_by, candidates, behind),
    )


def _looked_at(name: str, place: str, asked: _Asked, note: Callable[[str], None]) -> tuple[Candidate, Probed | None]:
    """Everything that can be found out of one; an error of one is no error of the others."""
    note(f"looking at {one_line(name)}")
    candidate, probing = Candidate(name=name), None
    try:
        outline = outline_of(place)
        candidate = _outlined(candidate, outline, asked)
        names = (outline.name, name, Path(place).name)
        candidate = replace(candidate, existing=of_backbone(names, asked.existing))
        if candidate.usable and (asked.speed or asked.labelled is not None):
            candidate = replace(candidate, not_measured=_why_not_measured(candidate, asked))
            if candidate.not_measured is None:
                note(f"encoding with {one_line(name)}")
                candidate, probing = _measured(candidate, place, asked)
    except (AdaptkitError, OSError) as error:
        return replace(candidate, problem=one_line(str(error))), None
    return candidate, probing


def _outlined(candidate: Candidate, outline: Outline, asked: _Asked) -> Candidate:
    """What its files say, without its weights."""
    row = architecture_of(outline.config.model_type)
    source = outline.checkpoint.source
    hub_id = _hub_id(candidate.name, outline)
    size = size_of(outline.checkpoint, len(outline.tokenizer))
    return replace(
        candidate,
        hub_id=hub_id,
        family=row.name,
        kind=kind_of(row),
        problem=None if asked.work is None else asked.work.why_not(row),
        makes_sentences=outline.makes_sentences,
        coverage=coverage_of(outline, asked.lines, asked.language) if asked.lines else None,
        size=size,
        bits=_most_exact(size, asked.memory),
        licence=licence_of(_card_folder(source), hub_id),
        published=published_scores(hub_id, asked.work.published_as if asked.work else None, asked.language),
    )


def _why_not_measured(candidate: Candidate, asked: _Asked) -> str | None:
    """Where its weights would fill the memory that was named, or what is free here, they are not loaded."""
    if candidate.size is None:
        return None
    if asked.memory is not None and candidate.bits is None:
        return "It was not measured here: it does not fit the memory that you named."
    bits = candidate.bits or 32
    needed, free = candidate.size.memory[bits], free_bytes(device_for(asked.device))
    if needed <= free:
        return None
    return (
        f"It was not measured here: at {bits} bits it needs about {gigabytes(needed)}, and {gigabytes(free)} are free "
        f"now. Free some, or name less memory ({as_typed(memory=...)}), so that fewer bits are taken."
    )


def _measured(candidate: Candidate, place: str, asked: _Asked) -> tuple[Candidate, Probed | None]:
    """What it takes its weights to find out."""
    bits: Bits = candidate.bits or 32
    model: AdaptedModel = load_model(place, bits=bits, device=asked.device)
    speed = measured_speed(model, asked.lines) if asked.speed else None
    probing = None if asked.labelled is None else probed(model, asked.labelled)
    return replace(candidate, speed=speed, probe=None if probing is None else probing.score), probing


def _most_exact(size: Size, memory: int | None) -> Bits | None:
    if memory is None:
        return None
    return next((bits for bits in BITS if size.memory[bits] <= memory), None)


def _hub_id(name: str, outline: Outline) -> str | None:
    """Under which id it was published; a folder of weights may be anybody's, so that none is guessed for it."""
    if outline.name is not None and outline.name in HUB_IDS:
        return HUB_IDS[outline.name]
    return name if not Path(name).exists() else None


def _card_folder(source: str) -> Path:
    folder = Path(source)
    if folder.exists():
        return folder
    from huggingface_hub import try_to_load_from_cache

    card = try_to_load_from_cache(source, "README.md")
    return Path(card).parent if isinstance(card, str) else folder


def _text(text: "TextSource | None", language: str) -> tuple[list[str], str]:
    """Lines in the language, and what they are."""
    if text is None:
        lines = [sentence.texts[language] for sentence in sample_sentences() if language in sentence.texts]
        return lines, f"{DESCRIPTION} ({counted(len(lines), 'sentence')})" if lines else "none"
    corpus = open_corpus(text)
    lines = [line for line, _ in zip(corpus.lines(), range(_MOST_TEXT), strict=False)]
    return lines, f"{corpus.description} ({counted(len(lines), 'line')})"


def _labelled(probe: "LabelledSource | TaskData") -> TaskData:
    data = probe if isinstance(probe, TaskData) else read_labelled(probe)
    require_probed(data)
    return data


def _behind(first: Candidate, probes: Mapping[str, Probed]) -> dict[str, Difference]:
    """By how much each other one is behind the first on the same lines."""
    best = probes.get(first.name)
    if best is None:
        return {}
    return {
        name: paired_metric_difference(best.metric.metric, other.statistics, best.statistics)
        for name, other in probes.items()
        if name != first.name
    }


def _doubted(decided_by: str, candidates: Sequence[Candidate], behind: Mapping[str, Difference]) -> str:
    """With a word on a probe whose difference may be none."""
    second = behind.get(candidates[1].name) if len(candidates) > 1 else None
    if second is None or second.high < 0 or not decided_by.endswith(BY_PROBE):
        return decided_by
    return (
        f"{decided_by.removesuffix('.')}, and the difference is no evidence ({second.low:+.1f} to {second.high:+.1f})."
    )


def _of_zoos(candidates: Sequence[Candidate], zoos: Sequence[str | os.PathLike[str]], language: str) -> Sequence[str]:
    """What to say of adapters that exist already where no candidate has one."""
    if not zoos:
        return [
            f"Adapters for {language_name(language)} that exist already are named where zoos are "
            f"({option_name('zoos', flag='zoo')})."
        ]
    if any(candidate.existing for candidate in candidates):
        return []
    return [
        f"{' and '.join(map(str, zoos))} has no adapter for {language_name(language)} and one of these backbones; "
        f"adaptkit list --language {language} --nearest names those of relatives."
    ]


def _notes(asked: _Asked) -> list[str]:
    notes = []
    if not asked.lines:
        notes.append(
            f"No text in {language_name(asked.language)} is at hand, so nothing is known of unknown tokens and speed: "
            f"give some ({as_typed(text=...)})."
        )
    if asked.labelled is None:
        notes.append(
            f"What a backbone knows of the language shows on labelled lines of your own ({as_typed(probe=...)}); a "
            "hundred say much more than any table."
        )
    elif len(asked.labelled.examples) > MOST_LINES:
        notes.append(f"The probe read {MOST_LINES} of {len(asked.labelled.examples):,} labelled lines, drawn evenly.")
    notes.append(
        "Memory is an estimate for answering, tokenizer and Python counted; training takes more, which adaptkit "
        "estimate measures."
    )
    return notes
