"""The diverging scale: orange for a loss or what speaks against, blue for a gain or what speaks for.

The two are told apart under every common colour blindness.
"""

from collections.abc import Sequence

STEPS = 5
"""Shades on each side of zero."""
Colour = tuple[int, int, int]

ON_PAPER: tuple[Colour, Colour, Colour] = ((166, 86, 12), (243, 242, 238), (28, 92, 160))
IN_THE_DARK: tuple[Colour, Colour, Colour] = ((226, 140, 54), (44, 48, 54), (88, 160, 236))
"""Most harmful, neutral, most helpful."""
# One of these two has a contrast of 4.5 or more on any colour; that is not so of a softer black.
_INKS: tuple[Colour, Colour] = ((0, 0, 0), (255, 255, 255))


def step_of(gain: float, largest: float) -> int:
    """The shade of a gain, from -STEPS to STEPS, where `largest` is the bound of the scale."""
    return 0 if largest == 0 else round(max(-1.0, min(1.0, gain / largest)) * STEPS)


def shade(step: int, scale: Sequence[Colour]) -> Colour:
    """The colour of a step."""
    harmful, neutral, helpful = scale
    end, share = (helpful if step > 0 else harmful), abs(step) / STEPS
    red, green, blue = (round(share * far + (1 - share) * near) for far, near in zip(end, neutral, strict=True))
    return red, green, blue


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever reads better there."""
    return max(_INKS, key=lambda ink: _contrast(ink, colour))


def css(colour: Colour) -> str:
    """`#rrggbb`."""
    return "#" + "".join(f"{part:02x}" for part in colour)


def _contrast(one: Colour, other: Colour) -> float:
    """As WCAG 2 defines it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
