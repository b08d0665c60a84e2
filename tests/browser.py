"""A real browser without a window, for pages that must fit a phone and a desk."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE, DESK, HEIGHT = 390, 1280, 2400
_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")

# The page itself is not touched: it has no script and forbids any. A frame gives it the width of a phone, which the
# window of a headless browser cannot have, and the document around the frame measures what is inside.
AROUND = """<!doctype html><body style="margin:0"><iframe srcdoc="{page}" width="{width}" height="{height}"
style="border:0;display:block"></iframe><script>addEventListener("load", () => {{
  const inside = document.querySelector("iframe").contentDocument, width = inside.documentElement.clientWidth;
  const all = selector => [...inside.querySelectorAll(selector)];
  const out = all("header, section, figure, svg, .scroll, dd, li, p, h1, h2").filter(
    element => element.getBoundingClientRect().right > width + 0.5);
  const scale = text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
  document.body.setAttribute("data-measured", [inside.documentElement.scrollWidth, width, out.length,
    Math.min(...all("svg text").map(scale)),
    all(".scroll").filter(box => box.scrollWidth > box.clientWidth).length,
  ].join(" "));
}});</script>"""

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome on the path")


def browse(address: str, folder: Path, width: int, *options: str) -> str:
    """What the browser prints; `folder` is where it may write."""
    command = [str(BROWSER), *_OPTIONS, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{HEIGHT}"]
    shown = subprocess.run([*command, *options, address], check=True, capture_output=True, text=True, timeout=120)  # noqa: S603
    return shown.stdout


@dataclass(frozen=True)
class Measured:
    """What the document around the page found, in CSS pixels."""

    scroll_width: float
    width: float
    n_sticking_out: float
    smallest_chart_text: float
    n_scrolling_boxes: float


def browse_page(page: str, folder: Path, width: int, option: str) -> str:
    file = folder / "around.html"
    file.write_text(AROUND.format(page=escape(page), width=width, height=HEIGHT))
    return browse(file.as_uri(), folder, width, option)


def measure(page: str, folder: Path, width: int) -> Measured:
    found = re.search(r'data-measured="([^"]+)"', browse_page(page, folder, width, "--dump-dom"))
    assert found
    return Measured(*map(float, found.group(1).split()))
