"""The benchmarks that are known by name, one row each."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from adaptkit.data.rows import read_rows, read_tsv
from adaptkit.data.tasks.conll import read_sentences
from adaptkit.data.tasks.labelled_row import Columns
from adaptkit.data.tasks.nli import NLI_LABELS
from adaptkit.data.tasks.specs import FileLayout, HubLayout, TaskSpec
from adaptkit.data.tasks.squad import read_questions

_PARQUET_BRANCH = "refs/convert/parquet"

_NLI: Columns = {"text": "premise", "pair": "hypothesis", "label": "label"}
_XNLI_RELEASE: Columns = {"text": "sentence1", "pair": "sentence2", "label": "gold_label", "group": "genre"}
_WORDS: Columns = {"words": "words", "tags": "tags"}
_TOKENS: Columns = {"words": "tokens", "tags": "ner_tags"}
_QUESTION: Columns = {"id": "id", "question": "question", "context": "context", "answers": "answers"}
_TOPIC: Columns = {"text": "text", "label": "category"}
_NEWS: Columns = {"text": ("headline", "text"), "label": "category"}
_TWEET: Columns = {"text": "tweet", "label": "label"}
_CHOICE: Columns = {
    "prompt": "premise",
    "question": "question",
    "first": "choice1",
    "second": "choice2",
    "answer": "label",
}


def _entity_tags(*types: str) -> tuple[str, ...]:
    return ("O", *(f"{position}-{entity}" for entity in types for position in "BI"))


_TSV = FileLayout(path="", read=read_tsv, columns={})
_QUOTED_TSV = FileLayout(path="", read=partial(read_tsv, quoted=True), columns={})
_CONLL = FileLayout(path="", read=read_sentences, columns=_WORDS)
_SQUAD = FileLayout(path="", read=read_questions, columns=_QUESTION)

_MASAKHANER = TaskSpec(
    name="masakhaner",
    task_type="tagging",
    labels=_entity_tags("PER", "ORG", "LOC", "DATE"),
    metrics=("entity F1",),
    folders=("masakhaner2", "MasakhaNER2.0/data", "masakhaner1"),
    layouts=(replace(_CONLL, path="{code}/{split}.txt"),),
    hub=HubLayout(name="masakhane/masakhaner2", config="{code}", columns=_TOKENS, revision=_PARQUET_BRANCH),
)

_UPOS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ"),
    *("SYM", "VERB", "X"),
)

_ROWS = (
    TaskSpec(
        name="xnli",
        task_type="classification",
        labels=NLI_LABELS,
        metrics=("accuracy",),
        folders=("xnli", "XNLI-1.0"),
        layouts=(
            FileLayout(
                path="{split}-{code}.tsv",
                read=partial(read_tsv, names=("premise", "hypothesis", "label")),
                columns=_NLI,
                groups="genres.{split}.tsv",
            ),
            replace(_TSV, path="xnli.{split}.tsv", columns=_XNLI_RELEASE, language_column="language"),
            FileLayout(path="xnli.{split}.jsonl", read=read_rows, columns=_XNLI_RELEASE, language_column="language"),
        ),
        hub=HubLayout(name="facebook/xnli", config="{code}", columns=_NLI),
        nli=True,
    ),
    TaskSpec(
        name="americasnli",
        task_type="classification",
        labels=NLI_LABELS,
        metrics=("accuracy",),
        folders=("americasnli",),
        layouts=(replace(_TSV, path="{split}/{code}.tsv", columns=_NLI),),
        hub=HubLayout(name="nala-cub/americas_nli", config="{code}", columns=_NLI),
        nli=True,
    ),
    TaskSpec(
        name="mlqa",
        task_type="qa",
        metrics=("MLQA F1", "MLQA exact match"),
        folders=("mlqa", "MLQA_V1"),
        layouts=(replace(_SQUAD, path="{split}/{split}-context-{code}-question-{other}.json"),),
        hub=HubLayout(name="facebook/mlqa", config="mlqa.{code}.{other}", columns=_QUESTION, revision=_PARQUET_BRANCH),
        pairs=True,
    ),
    TaskSpec(
        name="xquad",
        task_type="qa",
        metrics=("SQuAD F1", "SQuAD exact match"),
        folders=("xquad",),
        layouts=(replace(_SQUAD, path="xquad.{code}.json"),),
        hub=HubLayout(name="google/xquad", config="xquad.{code}", columns=_QUESTION, splits={"test": "validation"}),
    ),
    TaskSpec(
        name="tydiqa",
        task_type="qa",
        metrics=("SQuAD F1", "SQuAD exact match"),
        folders=("tydiqa-goldp", "tydiqa"),
        layouts=(
            replace(_SQUAD, path="tydiqa-goldp-v1.1-{split}/tydiqa.goldp.{code}.{split}.json"),
            replace(_SQUAD, path="tydiqa-goldp-v1.1-{split}/tydiqa-goldp-{split}-{code}.json"),
        ),
        hub=HubLayout(
            name="google-research-datasets/tydiqa",
            config="secondary_task",
            columns=_QUESTION,
            language_column="id",
        ),
    ),
    TaskSpec(
        name="sib200",
        task_type="classification",
        labels=("science/technology", "travel", "politics", "sports", "health", "entertainment", "geography"),
        metrics=("accuracy", "macro F1"),
        folders=("sib200", "data/annotated"),
        layouts=(replace(_QUOTED_TSV, path="{code}/{split}.tsv", columns=_TOPIC),),
        hub=HubLayout(name="Davlan/sib200", config="{code}", columns=_TOPIC),
    ),
    _MASAKHANER,
    replace(_MASAKHANER, name="masakhaner2", folders=("masakhaner2", "MasakhaNER2.0/data")),
    replace(
        _MASAKHANER,
        name="masakhaner1",
        folders=("masakhaner1",),
        hub=HubLayout(name="masakhane/masakhaner", config="{code}", columns=_TOKENS, revision=_PARQUET_BRANCH),
    ),
    TaskSpec(
        name="masakhapos",
        task_type="pos",
        labels=_UPOS,
        metrics=("accuracy", "macro F1"),
        folders=("masakhapos", "masakhane-pos/data"),
        layouts=(replace(_CONLL, path="{code}/{split}.txt"),),
        hub=HubLayout(
            name="masakhane/masakhapos",
            config="{code}",
            columns={"words": "tokens", "tags": "upos"},
            revision=_PARQUET_BRANCH,
        ),
    ),
    TaskSpec(
        name="wikiann",
        task_type="tagging",
        labels=_entity_tags("PER", "ORG", "LOC"),
        metrics=("entity F1",),
        folders=("wikiann", "panx"),
        layouts=(replace(_CONLL, path="{split}-{code}.tsv"),),
        hub=HubLayout(name="unimelb-nlp/wikiann", config="{code}", columns=_TOKENS),
    ),
    TaskSpec(
        name="masakhanews",
        task_type="classification",
        labels=("business", "entertainment", "health", "politics", "religion", "sports", "technology"),
        metrics=("macro F1", "accuracy"),
        folders=("masakhanews",),
        layouts=(
            replace(_QUOTED_TSV, path="data/{code}/{split}.tsv", columns=_NEWS),
            replace(_QUOTED_TSV, path="few_shot_data/{split}/{code}/train.tsv", columns=_NEWS),
        ),
        hub=HubLayout(
            name="masakhane/masakhanews",
            config="{code}",
            columns={"text": ("headline", "text"), "label": "label"},
            revision=_PARQUET_BRANCH,
        ),
    ),
    TaskSpec(
        name="afrisenti",
        task_type="classification",
        labels=("positive", "neutral", "negative"),
        metrics=("macro F1", "accuracy"),
        folders=("afrisenti",),
        layouts=(replace(_TSV, path="{code}/{split}.tsv", columns=_TWEET),),
        hub=HubLayout(
            name="shmuhammad/AfriSenti-twitter-sentiment",
            config="{code}",
            columns=_TWEET,
            revision=_PARQUET_BRANCH,
        ),
    ),
    TaskSpec(
        name="xcopa",
        task_type="choice",
        metrics=("accuracy",),
        folders=("xcopa/data", "xcopa"),
        layouts=(
            FileLayout(path="{code}/{split}.{code}.jsonl", read=read_rows, columns=_CHOICE, splits={"dev": "val"}),
        ),
        hub=HubLayout(name="cambridgeltl/xcopa", config="{code}", columns=_CHOICE),
    ),
)

TASKS: Mapping[str, TaskSpec] = {spec.name: spec for spec in _ROWS}
"""Public tasks whose files are read as their publishers give them, by name: labels, columns and splits of each."""
