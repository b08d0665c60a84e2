"""The summary of a plan as one self-contained page: no script, no font, no file from elsewhere."""

from collections.abc import Iterator, Sequence
from html import escape

from adaptkit.later import later
from adaptkit.plans.outcome import Learned, Outcome
from adaptkit.terminal.amounts import bytes_text, counted, time_text
from adaptkit.terminal.plain_text import one_line

# What evaluates needs torch, and so does its page; a plan does not.
_style = later("adaptkit.evaluation.report.style", "STYLE")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MARKS = {"trained": "▲", "was done": "○", "failed": "▼", "interrupted": "▼", "not begun": "▼", "left out": "○"}
_COLUMNS = (
    "adapter",
    "held-out loss",
    "gain",
    "time",
    "tokens/s",
    "peak memory",
    "size",
    "licence of its text",
    "folder",
)


def page(headline: str, outcomes: Sequence[Outcome], elapsed_s: float, at_once: int) -> str:
    """The whole page."""
    head = (
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{_text(headline)}</title>\n<style>{_style()}</style>"
    )
    body = "\n".join([_header(headline, outcomes, elapsed_s, at_once), _table(outcomes), _errors(outcomes), _reading()])
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n'
    )


def _header(headline: str, outcomes: Sequence[Outcome], elapsed_s: float, at_once: int) -> str:
    missing = [outcome for outcome in outcomes if outcome.is_missing]
    alert = (
        f'<p class="warning" role="note">{counted(len(missing), "adapter is", "adapters are")} missing: '
        f"{_text(', '.join(outcome.id for outcome in missing))}. The reasons are below the table.</p>"
        if missing
        else ""
    )
    return (
        f'<header><p class="kicker">adaptkit training plan</p><h1>{_text(headline)}</h1>{alert}'
        f"<p>This run took {time_text(elapsed_s)}, with {counted(at_once, 'training')} at a time.</p></header>"
    )


def _table(outcomes: Sequence[Outcome]) -> str:
    head = "".join(
        f'<th scope="col"{_number(number)}><div><span>{it}</span></div></th>' for number, it in enumerate(_COLUMNS)
    )
    rows = "".join(f"<tr>{''.join(_cells(outcome))}</tr>" for outcome in outcomes)
    return (
        '<section><h2>Adapters</h2><div class="scroll" role="region" aria-label="Adapters" tabindex="0">'
        f'<table class="plan stacked"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _cells(outcome: Outcome) -> Iterator[str]:
    kind = ' class="hurts"' if outcome.is_missing else ""
    came = f"<small{kind}>{_MARKS[outcome.came]} {outcome.came}</small>"
    yield f'<th scope="row"><div><span>{_text(outcome.id)}</span>{came}</div></th>'
    learned = outcome.learned if outcome.is_done else None
    values = [""] * (len(_COLUMNS) - 2) if learned is None else _values(learned)
    for number, value in enumerate([*values, str(outcome.folder) if outcome.is_done else ""], start=1):
        yield f'<td data-column="{_COLUMNS[number]}"{_number(number)}><div><span>{_text(value)}</span></div></td>'


def _values(learned: Learned) -> list[str]:
    return [
        f"{learned.heldout_loss_before:.3f} → {learned.heldout_loss_after:.3f}",
        f"{100 * learned.gain:.0f} %",
        time_text(learned.elapsed_s),
        f"{learned.tokens_per_s:,.0f}" if learned.steps else "",
        bytes_text(learned.peak_memory_bytes),
        bytes_text(learned.size_bytes),
        learned.licence,
    ]


def _number(column: int) -> str:
    return ' class="number"' if 1 <= column <= 6 else ""


def _errors(outcomes: Sequence[Outcome]) -> str:
    told = "".join(
        f"<div><dt>{_text(it.id)}</dt><dd>{_text(it.error or it.came)}{_log(it)}</dd></div>"
        for it in outcomes
        if not it.is_done
    )
    return f'<section><h2>What is missing</h2><dl class="notes">{told}</dl></section>' if told else ""


def _log(outcome: Outcome) -> str:
    return "" if outcome.log is None else f"<small>log: {_text(str(outcome.log))}</small>"


def _reading() -> str:
    return (
        "<section><h2>How to read this</h2><ul>"
        "<li>The held-out loss is that of sentences, or examples, that were not trained on, before and after. Losses "
        "of different objectives are not to be compared.</li>"
        "<li>The gain is the share by which that loss fell. It is no score of a task: whether an adapter helps is "
        "measured by <code>adaptkit evaluate</code>.</li>"
        "<li>The time is that of the steps. “Was done” is an adapter that an earlier run of this plan has made.</li>"
        "</ul></section>"
    )


def _text(text: str) -> str:
    return escape(one_line(text))
