"""The style of report.html and of its charts as files: report.css, and the shades of the heat map."""

from importlib.resources import files

from adaptkit.terminal.colours import IN_THE_DARK, ON_PAPER, STEPS, Colour, css, ink_on, shade


def _style() -> str:
    sheet = files("adaptkit.evaluation.report").joinpath("report.css").read_text(encoding="utf-8")
    dark = f"@media screen and (prefers-color-scheme: dark) {{ {_shades(IN_THE_DARK)} }}"
    return f"{sheet}{_shades(ON_PAPER)}{dark}\n"


def _shades(scale: tuple[Colour, Colour, Colour]) -> str:
    colours = {step: shade(step, scale) for step in range(-STEPS, STEPS + 1)}
    return "".join(
        f"svg .step{step} {{ fill: {css(colour)}; }} svg .ink{step} {{ fill: {css(ink_on(colour))}; }}\n"
        for step, colour in colours.items()
    )


STYLE = _style()
