"""The order of candidates, and why: rules in sentences, so that nobody has to guess what a rank means."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from adaptkit.choosing.amount import gigabytes
from adaptkit.choosing.candidate import Candidate, Existing
from adaptkit.choosing.work import Work
from adaptkit.format.architectures import ARCHITECTURES
from adaptkit.scores.bootstrap import Difference
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.plain_text import one_line

RULES = (
    "Usable ones that fit the memory come first; then by the probe, where there is one, those that it could not be "
    "taken on behind; then fewer letters without a "
    "piece of their own, in tenths, and fewer unknown tokens, in whole per cents; then the kind that suits the task "
    "(encoders for labels and search, decoders for writing); then published scores, where all have one on the same "
    "data; for search and similarity, those trained for vectors of sentences; then fewer tokens a word; then more "
    "parameters."
)


_PROBE, _LETTERS, _SCORES = "the probe", "fewer letters without a piece of their own", "published scores"
BY_PROBE = f"{_PROBE}."
"""How the sentence ends that says so."""

_DECISIVE = (
    "that one cannot be taken",
    "that one cannot read this text",
    "that one does not fit the memory",
    "that one could not be probed here",
    _PROBE,
    _LETTERS,
    "fewer unknown tokens",
    "the kind that suits the task",
    _SCORES,
    "it was trained for vectors of sentences",
    "fewer tokens a word",
    "more parameters, and no more than that",
)

_NOTED_LETTERS = 0.001


def ordered(candidates: Sequence[Candidate], work: Work | None, *, memory_named: bool) -> tuple[list[Candidate], str]:
    """The best first, and what sets the first before the second."""
    usable = [candidate for candidate in candidates if candidate.usable]
    probed = all(candidate.probe for candidate in usable if candidate.not_measured is None)
    by_probe = probed and any(candidate.probe for candidate in usable)
    compared = _common_data(usable)

    def place(candidate: Candidate) -> tuple[float, ...]:
        coverage, probe = candidate.coverage, candidate.probe
        scores = {each.dataset: each.score for each in candidate.published}
        wants_vectors = work is not None and work.wants_vectors
        return (
            candidate.problem is not None,
            not candidate.usable,
            memory_named and candidate.bits is None,
            by_probe and probe is None,
            -probe.score if by_probe and probe else 0.0,
            round(1 - coverage.letter_share, 1) if coverage else 0.0,
            round(coverage.unknown_share, 2) if coverage and candidate.usable else 0.0,
            not suits(candidate, work),
            -scores[compared] if compared in scores else 0.0,
            wants_vectors and not candidate.makes_sentences,
            round(coverage.tokens_per_word, 1) if coverage else 0.0,
            -candidate.size.parameters if candidate.size else 0,
        )

    found = sorted(candidates, key=place)
    if len(found) < 2:
        return found, ""
    first, second = place(found[0]), place(found[1])
    decisive = next((rule for rule, one, other in zip(_DECISIVE, first, second, strict=True) if one != other), None)
    if decisive is None:
        return found, f"Nothing at hand sets it before {found[1].name}."
    return found, f"What sets it before {found[1].name}: {decisive}{_compared(decisive, found, compared)}."


def _compared(rule: str, found: Sequence[Candidate], data: str | None) -> str:
    """What the first two have, in brackets, where the table does not show it."""
    if rule == _LETTERS:
        shares = [1 - candidate.coverage.letter_share for candidate in found[:2] if candidate.coverage]
        return f" ({shares[0]:.1%} against {shares[1]:.1%})"
    if rule == _SCORES:
        scores = [each.score for candidate in found[:2] for each in candidate.published if each.dataset == data]
        return f" ({scores[0]:.1f} against {scores[1]:.1f} on {data})"
    return ""


def suits(candidate: Candidate, work: Work | None) -> bool:
    """Whether its family is of the side that does the task better."""
    return work is None or candidate.family is None or work.suits(ARCHITECTURES[candidate.family])


def with_reasons(
    candidate: Candidate,
    work: Work | None,
    memory: int | None,
    behind: Mapping[str, Difference],
) -> Candidate:
    """The candidate with what is known of it in sentences; `behind` says by how much it is behind the first."""
    if candidate.problem is not None:
        return replace(candidate, reasons=(candidate.problem,))
    return replace(
        candidate,
        reasons=(
            *_of_text(candidate),
            *([] if work is None or suits(candidate, work) else [_wrong_side(candidate, work)]),
            *_of_memory(candidate, memory),
            *([] if candidate.not_measured is None else [candidate.not_measured]),
            *_of_probe(candidate, behind.get(candidate.name)),
            *map(_of_existing, candidate.existing),
            *(f"Published: {it.metric} {it.score:.1f} on {it.dataset} ({it.source})." for it in candidate.published),
            *_of_speed(candidate),
            _of_licence(candidate),
        ),
    )


def _common_data(usable: Sequence[Candidate]) -> str | None:
    """A data set on which all have a published score."""
    sets = [{each.dataset for each in candidate.published} for candidate in usable]
    return min(set.intersection(*sets), default=None) if sets else None


def _of_text(candidate: Candidate) -> list[str]:
    found = candidate.coverage
    if found is None:
        return []
    if found.refusal is not None:
        return [f"Nothing useful can be trained: {found.refusal}"]
    if not found.reads:
        return [
            f"It does not know the script: {1 - found.letter_share:.0%} of the letters have no piece of their own and "
            f"are spelled in bytes, so that a word takes {found.tokens_per_word:.0f} tokens. Choose one that knows it."
        ]
    lacking = 1 - found.letter_share
    letters = f"; {lacking:.1%} of the letters have no piece of their own" if lacking >= _NOTED_LETTERS else ""
    return [
        f"{found.unknown_share:.1%} of the tokens are unknown; a word takes {found.tokens_per_word:.1f} "
        f"tokens{letters}. The text needs {found.pieces_used:,} of {found.pieces:,} pieces."
    ]


def _wrong_side(candidate: Candidate, work: Work) -> str:
    if candidate.kind == "decoder" and work.task_type is not None:
        return "It is a decoder: a word is read without what follows it, which costs most in tasks on labels."
    return f"It is of the kind {candidate.kind}; for {work.name}, {' or '.join(work.better)} suits better."


def _of_memory(candidate: Candidate, memory: int | None) -> list[str]:
    if candidate.size is None:
        return []
    needs = candidate.size.memory
    size = f"{candidate.size.parameters / 1e6:,.0f} M parameters"
    if memory is None:
        return [
            f"{size}; to answer, a process needs about {gigabytes(needs[32])} at 32 bits, {gigabytes(needs[4])} at 4."
        ]
    if candidate.bits is None:
        return [f"{size}; about {gigabytes(min(needs.values()))} at the least, which {gigabytes(memory)} do not hold."]
    return [f"{size}; at {candidate.bits} bits a process needs about {gigabytes(needs[candidate.bits])} to answer."]


def _of_probe(candidate: Candidate, behind: Difference | None) -> list[str]:
    probe = candidate.probe
    if probe is None:
        return []
    told = (
        f"On your {probe.n_examples:,} lines a linear head scores {probe.metric} {probe.score:.1f} ({probe.low:.1f} to "
        f"{probe.high:.1f}); the most frequent answer alone scores {probe.majority:.1f}."
    )
    if behind is None:
        return [told]
    verdict = "is behind" if behind.high < 0 else "may be as good"
    return [
        f"{told} Beside the first that is {behind.mean:+.1f} ({behind.low:+.1f} to {behind.high:+.1f}): it {verdict}."
    ]


def _of_existing(adapter: Existing) -> str:
    tested = "no test is on its card" if adapter.gain is None else f"{adapter.test}: {adapter.gain}"
    return one_line(
        f"An adapter for the language on it exists already: {adapter.id} ({tested}; {adapter.licence}), in "
        f"{adapter.path}."
    )


def _of_speed(candidate: Candidate) -> list[str]:
    speed = candidate.speed
    if speed is None:
        return []
    return [
        f"Here it encodes {few(speed.sentences_per_s)} sentences a second ({speed.tokens_per_s:,.0f} tokens; "
        f"{speed.bits} bits, {speed.hardware})."
    ]


def few(number: float) -> str:
    """A number to about two digits: `0.4`, `9.1`, `35`, `1,204`."""
    return f"{number:.1f}" if number < 10 else f"{number:,.0f}"


def _of_licence(candidate: Candidate) -> str:
    if candidate.licence is None:
        return "Nothing beside it states a licence: look for it before you publish what is trained on it."
    return f"Licence: {candidate.licence}, by its model card."


def recommendation(best: Candidate, memory: int | None) -> str:
    """What to take, and how."""
    if not best.usable:
        return f"None of these can be recommended as it is. Nearest comes {best.name}. {''.join(best.reasons[:1])}"
    if memory is not None and best.bits is None:
        return f"None of these fits {gigabytes(memory)}; {best.name} comes nearest."
    bits = f", {as_typed(bits=best.bits)}" if best.bits not in (None, 32) else ""
    return f"Take {best.name}: {as_typed(backbone=best.name)}{bits}."
