"""What the columns of a labelled file are called, and which task they make.

The first row whose columns are all there decides:

| task type      | columns                                                                           |
|----------------|-----------------------------------------------------------------------------------|
| tagging        | words, tags                                                                       |
| choice         | premise, choice1, choice2, label                                                  |
| qa             | question, context, answers                                                        |
| classification | text, label; with a second text (pair), pairs of texts                            |
| similarity     | first sentence, second sentence, score                                            |
"""

from collections.abc import Mapping
from pathlib import Path

from adaptkit.data.columns import Row
from adaptkit.data.tasks.examples import TaskType
from adaptkit.data.tasks.records import Columns
from adaptkit.errors import ConfigError, MalformedText

_FIRST = ("premise", "prem", "sentence1", "sentence_a")
_SECOND = ("hypothesis", "hyp", "sentence2", "sentence_b", "pair")

# An earlier name goes before a later one: SICK's entailment_label before any other label.
SYNONYMS: Mapping[TaskType, Mapping[str, tuple[str, ...]]] = {
    "tagging": {"words": ("words", "tokens"), "tags": ("tags", "ner_tags", "upos")},
    "choice": {
        "prompt": ("premise", "prompt"),
        "first": ("choice1",),
        "second": ("choice2",),
        "answer": ("label", "answer"),
        "question": ("question",),
    },
    "qa": {
        "question": ("question",),
        "context": ("context", "passage", "review"),
        "answers": ("answers", "answer", "human_ans_spans"),
        "starts": ("answer_start", "human_ans_indices"),
        "id": ("id", "qid", "q_review_id"),
        "impossible": ("is_impossible",),
    },
    "classification": {
        "text": (*_FIRST, "text", "sentence", "tweet", "content"),
        "pair": _SECOND,
        "label": ("entailment_label", "gold_label", "label", "category", "class"),
    },
    "similarity": {
        "first": (*_FIRST, "text"),
        "second": _SECOND,
        "score": ("score", "similarity", "relatedness_score", "label"),
    },
}
OPTIONAL = frozenset({"question", "starts", "id", "impossible", "pair"})
# In questions and answers, the question is what is asked.
_NEEDED_ANYWAY = {("qa", "question")}
SHARED: Mapping[str, tuple[str, ...]] = {"language": ("language", "lang"), "group": ("genre", "group", "domain")}


def recognise(
    file: str | Path, number: int, row: Row, task_type: TaskType | None, named: Mapping[str, str]
) -> tuple[TaskType, Columns]:
    """Find the task type, unless it is given, and the column of each role; `named` are those that the caller named.

    Raises:
        ConfigError: a role that no task type, or not this one, has.
        MalformedText: the row has no such columns.

    """
    types: tuple[TaskType, ...] = tuple(SYNONYMS) if task_type is None else (task_type,)
    candidates = [kind for kind in types if named.keys() <= {*SYNONYMS[kind], *SHARED}]
    if not candidates:
        raise ConfigError(f"no task of {', '.join(types)} has columns for {', '.join(named)}.")
    if absent := [column for column in named.values() if column not in row]:
        quoted = f'"{absent[0]}"' in row
        hint = "; the names stand in quotes: quoted=True" if quoted else ""
        raise MalformedText(file, number, _found(row), f"a column {absent[0]!r}, as columns=... names it{hint}")
    for kind in candidates:
        columns = _columns(row, kind, named)
        if not _missing(kind, columns):
            return kind, columns
    raise MalformedText(file, number, _found(row), _expected(candidates, row, named))


def _columns(row: Row, kind: TaskType, named: Mapping[str, str]) -> Columns:
    by_name: dict[str, str] = {}
    for column in row:
        by_name.setdefault(column.strip().lower(), column)
    found = {
        role: by_name[name]
        for role, names in {**SYNONYMS[kind], **SHARED}.items()
        if (name := next((name for name in names if name in by_name), None))
    }
    return {**found, **named}


def _missing(kind: TaskType, columns: Columns) -> list[str]:
    needed = (role for role in SYNONYMS[kind] if role not in OPTIONAL or (kind, role) in _NEEDED_ANYWAY)
    return [role for role in needed if role not in columns]


def _found(row: Row) -> str:
    """Name the columns, cut short: where line 1 is no header, they are somebody's sentences."""
    return f"the columns {', '.join(f'{column:.24}' for column in row)} (is line 1 a header?)"


def _expected(candidates: list[TaskType], row: Row, named: Mapping[str, str]) -> str:
    missing = {kind: _missing(kind, _columns(row, kind, named)) for kind in candidates}
    if len(missing) == 1:
        names = (f"{role} ({' or '.join(SYNONYMS[kind][role])})" for kind, roles in missing.items() for role in roles)
        wanted = f"also a column for {', '.join(names)}"
    else:
        wanted = "the columns of a task, such as text and label, or question, context and answers"
    return f"{wanted}; or name them: columns={{'text': ..., 'label': ...}}"
