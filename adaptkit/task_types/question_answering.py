"""A question, and its answer as a piece of a context."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adaptkit.config import MAX_ANSWER_TOKENS
from adaptkit.data.letters import NormalForm, normalized, respelled
from adaptkit.data.tasks import TaskData
from adaptkit.data.tasks.answer_spans import BadAnswers, context_of, located, stated_answers
from adaptkit.data.tasks.label_rules import Dropped, LabelRules, about
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.later import later
from adaptkit.scores import AnswerF1, ExactMatch, mlqa_normaliser
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.item import Item
from adaptkit.task_types.left_out import cut, part_of
from adaptkit.task_types.plain_texts import plain_texts
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import TaskType
from adaptkit.task_types.tensor_shapes import token_head
from adaptkit.terminal.asking import as_typed

NO_ANSWER = (0, 0)
"""Start and end of no answer: the opening special token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question on a context. Each answer is a text and the character where it starts; none means no answer."""

    id: str
    question: str
    context: str
    answers: tuple[tuple[str, int], ...]
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True, order=True)
class Span:
    """A piece of the context. `score` is the sum of the logits of its first and last token; `start` is a character."""

    score: float
    text: str
    start: int


@dataclass(frozen=True)
class PredictedAnswer:
    """The best answer; empty where the head says that there is none. `n_best` are the best spans, best first.

    `no_answer_score` is what the best span has to beat, for heads that know questions without an answer.
    """

    text: str
    n_best: tuple[Span, ...]
    no_answer_score: float


def _make(row: LabelledRow, _: LabelRules, dropped: Dropped) -> Question | None:
    """A question is left out if it has answers and the context has none of them: that is not "no answer"."""
    context = context_of(row.text("context"))
    try:
        stated = stated_answers(row.value("answers"), row.value("starts") if row.has("starts") else None)
    except BadAnswers as error:
        raise row.wrong(str(error), "answers as in SQuAD: text and answer_start") from error
    if row.has("impossible") and row.value("impossible") is True:
        stated = []
    kept = located(context, stated)
    empty = sum(not text.strip() for text, _ in stated)
    missing = {"empty answers": empty, "answers not in their context": len(stated) - len(kept) - empty}
    dropped.update({reason: count for reason, count in missing.items() if count})
    if stated and not kept:
        dropped["questions left without an answer"] += 1
        return None
    language, group = about(row)
    return Question(
        id=str(row.value("id")) if row.has("id") else str(row.number),
        question=row.text("question").strip(),
        context=context,
        answers=tuple(kept),
        language=language,
        group=group,
    )


def _plain(number: int, given: object) -> Question | None:
    pair = plain_texts(given, 2)
    return Question(id=str(number), question=pair[0], context=pair[1], answers=()) if pair else None


def _settled(example: Question, _: LabelRules) -> Question:
    """Answers as the context spells them; those that are not in it stay as they are."""
    return replace(example, answers=tuple(located(example.context, example.answers)) or example.answers)


def _respelled(example: Question, form: NormalForm) -> Question:
    context = respelled(example.context, form)
    spans = [
        context.here(start, start + len(text.rstrip())) for text, start in located(example.context, example.answers)
    ]
    answers = tuple((context.text[start:end], start) for start, end in spans)
    # Answers that are nowhere in their context stay, so that the question is no unanswerable one.
    return replace(
        example,
        question=normalized(example.question, form),
        context=context.text,
        answers=answers or example.answers,
    )


def _head_fields(data: TaskData) -> Mapping[str, object]:
    unanswered = any(isinstance(example, Question) and not example.answers for example in data.examples)
    return {"allows_no_answer": unanswered}


def longest_answer(items: Sequence[Item]) -> int:
    """Tokens of the longest answer that is a target; 0 where there is none."""
    spans = (item.target for item in items if item.target and item.target != NO_ANSWER)
    return max((int(last) - int(first) + 1 for first, last in spans), default=0)


def _fitted(head: HeadFields, items: Sequence[Item]) -> Mapping[str, object]:
    # Other languages may take more tokens for the same: half more than the longest that is trained on.
    enough = min(longest_answer(items) * 3 // 2, MAX_ANSWER_TOKENS)
    return {"max_answer_tokens": max(enough, head.max_answer_tokens)}


def _told(head: HeadFields) -> str:
    return f"{head.task_type}, answers of up to {head.max_answer_tokens} tokens"


def _plan(head: HeadFields, items: Sequence[Item]) -> list[str]:
    longest = longest_answer(items)
    return [f"answers: up to {head.max_answer_tokens} tokens (the longest in training has {longest})"]


def _lost(
    head: HeadFields, examples: Sequence[Question], items: Sequence[Item], /, *, max_length: int, scored: bool
) -> list[str]:
    # A question has half of each window, its context the rest.
    found = cut(items, "questions", len(examples), max_length // 2)
    found += _unplaced(examples, items, max_length, scored=scored)
    return [*found, *(_answers_above(head.max_answer_tokens, items) if scored else [])]


def _unplaced(examples: Sequence[Question], items: Sequence[Item], max_length: int, *, scored: bool) -> list[str]:
    answered = {number for number, example in enumerate(examples) if example.answers}
    lost = {item.example for item in items if not item.target} & answered
    if not lost:
        return []
    what = "cannot be answered rightly" if scored else "are left out"
    return [
        f"{part_of(len(lost), len(answered))} answered questions {what}: no window of {max_length} tokens holds a "
        "whole answer, or the context does not"
    ]


def _answers_above(bound: int, items: Sequence[Item]) -> list[str]:
    """How many questions have an answer of more tokens than a head gives."""
    questions = {item.example for item in items}
    above = {item.example for item in items if longest_answer([item]) > bound}
    if not above:
        return []
    return [
        f"the answers of {part_of(len(above), len(questions))} questions are longer than the {bound} tokens that the "
        f"head gives ({as_typed(max_answer_tokens=...)})"
    ]


def _predicted(prediction: PredictedAnswer) -> str:
    return prediction.text


def _right(example: Question) -> tuple[str, ...]:
    return tuple(text for text, _ in example.answers)


_Metric = TaskMetric[PredictedAnswer, Question]


def _squad_f1(_: HeadFields, __: str, ___: Sequence[Question]) -> _Metric:
    return TaskMetric(AnswerF1(), _predicted, _right)


def _squad_exact_match(_: HeadFields, __: str, ___: Sequence[Question]) -> _Metric:
    return TaskMetric(ExactMatch(), _predicted, _right)


def _mlqa_f1(_: HeadFields, language: str, __: Sequence[Question]) -> _Metric:
    return TaskMetric(AnswerF1(mlqa_normaliser(language)), _predicted, _right)


def _mlqa_exact_match(_: HeadFields, language: str, __: Sequence[Question]) -> _Metric:
    return TaskMetric(ExactMatch(mlqa_normaliser(language)), _predicted, _right)


QA = TaskType(
    name="qa",
    hub_task="question-answering",
    example=Question,
    columns={
        "question": ("question",),
        "context": ("context", "passage", "review"),
        "answers": ("answers", "answer", "human_ans_spans"),
        "starts": ("answer_start", "human_ans_indices"),
        "id": ("id", "qid", "q_review_id"),
        "impossible": ("is_impossible",),
    },
    optional=frozenset({"starts", "id", "impossible"}),
    make=_make,
    plain=_plain,
    plain_form="(question, context)",
    texts=("question", "context"),
    blank={"answers": ()},
    by_words=False,
    settled=_settled,
    respelled=_respelled,
    head_fields=_head_fields,
    fitted=_fitted,
    bounds_answers=True,
    endpoint="answer",
    told=_told,
    plan=_plan,
    lost=_lost,
    metrics={
        "SQuAD F1": _squad_f1,
        "SQuAD exact match": _squad_exact_match,
        "MLQA F1": _mlqa_f1,
        "MLQA exact match": _mlqa_exact_match,
    },
    default_metrics=("SQuAD F1", "SQuAD exact match"),
    transformers_class=later("transformers", "AutoModelForQuestionAnswering"),
    no_pipeline="transformers 5 has dropped its question-answering pipeline",
    tensors=token_head(lambda _: 2),
    upper=later("adaptkit.heads.question_answering", "QuestionAnswering"),
)
