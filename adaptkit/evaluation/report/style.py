"""The style of report.html: readable on a phone, on a desk, on paper, in the light and in the dark."""

from adaptkit.terminal.colours import IN_THE_DARK, ON_PAPER, STEPS, Colour, css, ink_on, shade

_LIGHT_WORDS = """
:root { --page: #fdfcfa; --card: #f5f3ee; --text: #1b1e23; --quiet: #5b616b; --line: #dcd8cf; --strong-line: #7d828b;
  --helps: #17548f; --hurts: #94480a; --unclear: #5b616b; --warning: #fff1cc; --warning-line: #d89b00; }
"""
_DARK_WORDS = """
:root { --page: #15171b; --card: #1e2126; --text: #e9e7e2; --quiet: #a3a9b3; --line: #33373e; --strong-line: #8a909a;
  --helps: #83bbf5; --hurts: #f2ab66; --unclear: #a3a9b3; --warning: #3a2f10; --warning-line: #d89b00; }
"""
_RULES = """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1, .verdict { font-family: Charter, "Bitstream Charter", "Iowan Old Style", Cambria, "Noto Serif", "Liberation Serif",
  Georgia, serif; }
h1 { font-size: clamp(1.7rem, 1.2rem + 2.6vw, 2.6rem); line-height: 1.15; margin: 0 0 1rem; font-weight: 600;
  letter-spacing: -0.01em; text-wrap: balance; }
h2 { font-size: 1.0625rem; line-height: 1.3; margin: 0 0 .6rem; font-weight: 650; }
section { margin-top: 2.5rem; }
ul { margin: 0; padding-left: 1.15rem; } li { margin: .3rem 0; }
.kicker { margin: 0 0 .4rem; color: var(--quiet); font-size: .8125rem; letter-spacing: .02em; }
.warning { margin: 0 0 .75rem; padding: .6rem .9rem; background: var(--warning); font-weight: 600;
  border-left: 4px solid var(--warning-line); }
.verdict { font-size: clamp(1.125rem, 1.05rem + .4vw, 1.3rem); line-height: 1.45; max-width: 46rem; }
.verdict p { margin: 0 0 .6rem; }
.verdict .answer { font-weight: 600; }
.counts { list-style: none; margin: 1.1rem 0 0; padding: 0; font-variant-numeric: tabular-nums; }
.counts li { display: grid; grid-template-columns: minmax(5rem, 9rem) 5.5em 8.5em 5.5em; column-gap: .8rem;
  margin: 0; padding: .35rem 0; border-top: 1px solid var(--line); }
.counts li:last-child { border-bottom: 1px solid var(--line); }
.helps { color: var(--helps); } .hurts { color: var(--hurts); } .unclear { color: var(--unclear); }
.counts span { white-space: nowrap; }
.counts .nobody { color: var(--quiet); opacity: .75; } .counts .nobody b { font-weight: 400; }
.facts { margin: 1.4rem 0 0; display: grid; gap: .7rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.facts dt { font-size: .8125rem; color: var(--quiet); } .facts dd { margin: 0; }
.notes { background: var(--card); padding: 1rem 1.1rem; border-radius: 6px; }
.charts > div { display: grid; gap: 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
figure { margin: 0; } svg { display: block; width: 100%; max-width: 32rem; height: auto; }
.key { margin: .8rem 0 0; font-size: .875rem; display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
.key > :first-child { color: var(--quiet); }
svg text { font-size: 12px; fill: var(--text); font-variant-numeric: tabular-nums; }
svg .axis { fill: var(--quiet); font-size: 11px; } svg .strong, svg .figure { font-weight: 600; }
svg .figure.helps { fill: var(--helps); } svg .figure.hurts { fill: var(--hurts); }
svg .figure.unclear { fill: var(--unclear); font-weight: 400; }
svg .rule { stroke: var(--line); stroke-width: 1; } svg .zero { stroke: var(--strong-line); stroke-width: 1.5; }
svg .bar { stroke-width: 2; stroke: currentColor; } svg .dot { fill: currentColor; }
svg .ring { fill: var(--page); stroke: currentColor; stroke-width: 2; }
.scroll { overflow-x: auto; border-top: 1.5px solid var(--text); border-bottom: 1.5px solid var(--text); }
.scroll:focus-visible { outline: 2px solid var(--helps); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .55rem; text-align: left; vertical-align: top; font-weight: 400; overflow-wrap: break-word; }
th:first-child { position: sticky; left: 0; background: var(--page); padding-left: 0; min-width: 6rem; max-width: 10rem;
  overflow-wrap: anywhere; }
thead th { vertical-align: bottom; border-bottom: 1px solid var(--strong-line); } thead span { font-weight: 650; }
tbody tr + tr > *, tfoot tr > * { border-top: 1px solid var(--line); }
tfoot tr:first-child > * { border-top: 1px solid var(--strong-line); } tfoot span { font-weight: 650; }
tbody td span { font-weight: 500; }
small { display: block; font-size: .8125rem; line-height: 1.35; color: var(--quiet); }
small.helps, small.hurts { font-weight: 600; color: var(--helps); } small.hurts { color: var(--hurts); }
.number { text-align: right; } .number span, .number small { white-space: nowrap; }
thead .number small { white-space: normal; text-wrap: balance; }
.example { margin: .6rem 0; padding: .5rem .9rem; border-left: 3px solid var(--line); line-height: 1.6; }
.example small { display: inline; } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; font-weight: 600; }
.environment dd { font-size: .875rem; }
@media print, (min-width: 52rem) {
  td > div, tbody th > div, tfoot th > div { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: .55em; }
  th:first-child { max-width: 15rem; }
  .gains .number, .scores .number, .costs .number { text-align: left; }
  .gains td.number > div, .scores td.number > div, .costs td.number > div { display: grid; column-gap: .8em; }
  .gains td.number > div { grid-template-columns: 3.2em 7.2em 1fr; }
  .scores td.number > div { grid-template-columns: 2.6em 3.2em 1fr; }
  .costs td.number > div { grid-template-columns: 3.6em 4.4em 1fr; }
  td.number span { text-align: right; } .seeds td.number > div { justify-content: end; }
}
@media (max-width: 34rem) {
  .counts li { grid-template-columns: repeat(3, auto); column-gap: .4rem; font-size: .8125rem; }
  .counts li b:first-child { grid-column: 1 / -1; }
}
@media (max-width: 30rem) {
  th, td { padding: .4rem .35rem; } th:first-child { min-width: 6.75rem; } small { font-size: .75rem; }
  .facts { gap: .6rem 1rem; }
}
@page { size: A4; margin: 16mm 15mm; }
@media print {
  body { background: none; font-size: 9pt; } main { max-width: none; padding: 0; }
  .facts { grid-template-columns: repeat(5, auto); gap: 2mm 6mm; margin-top: 4mm; }
  h1 { font-size: 19pt; } h2 { break-after: avoid; } section { margin-top: 6mm; } .notes { padding: 3mm 4mm; }
  .verdict { font-size: 12pt; } .scroll { overflow: visible; } th:first-child { position: static; background: none; }
  table { font-size: 9pt; } small { font-size: 8pt; } th, td { padding: .9mm 1.5mm; }
  tr, figure, .notes, header, .facts div { break-inside: avoid; } thead { display: table-header-group; }
  tfoot { display: table-row-group; } .gains, .scores, .costs { break-inside: avoid; }
  .charts > div { grid-template-columns: 1fr 1fr; gap: 8mm; }
  svg { max-width: 76mm; } .key { font-size: 8pt; }
  rect, .notes, .warning { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def _shades(scale: tuple[Colour, Colour, Colour]) -> str:
    colours = {step: shade(step, scale) for step in range(-STEPS, STEPS + 1)}
    return "".join(
        f"svg .step{step} {{ fill: {css(colour)}; }} svg .ink{step} {{ fill: {css(ink_on(colour))}; }}\n"
        for step, colour in colours.items()
    )


STYLE = (
    f"{_LIGHT_WORDS}{_RULES}{_shades(ON_PAPER)}"
    f"@media screen and (prefers-color-scheme: dark) {{ {_DARK_WORDS}{_shades(IN_THE_DARK)} }}\n"
)
