"""The training plan of a transfer, as a file that a person can read, change and run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from adaptkit.requests.toml_text import toml
from adaptkit.transfers.ways import TaskHead, Way, Ways


def plan_text(
    ways: Ways,
    chosen: Sequence[Way],
    *,
    output: Path,
    examples: Mapping[str, Path],
    projected: Path | None,
    words: Mapping[str, object],
    sentences: Mapping[str, object],
    language_options: Mapping[str, object],
    task_options: Mapping[str, object],
    shared: Mapping[str, object],
) -> str:
    """TOML for all that these ways need.

    `examples` are files of labelled examples by their language, the source first, and `projected` that of projected
    ones, if there are any. `words` is the text that words are learned from, with what is known of it, and `sentences`
    that of the adapter with layers. `shared` is said for all adapters, `language_options` for that with layers, and
    `task_options` for the heads.
    """
    tables = [
        *_languages(ways, chosen, words, {**sentences, **language_options}),
        *(
            (_table(head.id), {**_head(ways, head, examples, projected, output), **task_options})
            for head in ways.heads(chosen)
        ),
    ]
    return "\n".join(
        [
            f"{first_line(ways)}\n" + _lines({"output": str(output), **shared}),
            *(f"{header}\n{_lines(options)}" for header, options in tables),
        ]
    )


def first_line(ways: Ways) -> str:
    """By which a plan says whose it is."""
    return (
        f"# Made by `adaptkit transfer`: what brings {ways.task} to {ways.language}. It is written anew at each call."
    )


def brought_by(line: str) -> str:
    """What is brought where, by such a first line, as `topics to ha`; empty for any other line."""
    found = re.search(r"what brings (.* to \S+)\. It is", line)
    return found[1] if found else ""


def _lines(options: Mapping[str, object]) -> str:
    return "".join(f"{name} = {toml(value)}\n" for name, value in options.items() if value is not None)


def _languages(
    ways: Ways,
    chosen: Sequence[Way],
    words: Mapping[str, object],
    options: Mapping[str, object],
) -> Iterator[tuple[str, Mapping[str, object]]]:
    needed = ways.language_adapters(chosen)
    if ways.glossary in needed:
        yield _table(ways.glossary), {"lang": ways.language, **words, "method": "glossary"}
    if ways.adapter in needed and ways.trained is None:
        yield _table(ways.adapter), {"lang": ways.language, **options}


def _head(
    ways: Ways, head: TaskHead, examples: Mapping[str, Path], projected: Path | None, output: Path
) -> Mapping[str, object]:
    (source, file), *translated = examples.items()
    added = [str(other) for _, other in translated if head.words]
    added += [str(projected)] if head.projected else []
    data = {source: [str(file)], **({ways.language: added} if added else {})}
    on = [str(output / id_) if id_ == ways.trained else id_ for id_ in head.below]
    method = "head" if ways.reads_glosses else None
    return {"data": data, "task_type": ways.head.task_type, "method": method, "on": on or None}


def _table(id_: str) -> str:
    kind, _, name = id_.partition("/")
    return f"[{kind}.{toml(name)}]"
