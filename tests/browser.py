"""A real browser without a window, for pages that must fit a phone and a desk."""

import shutil
import subprocess
from pathlib import Path

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE, DESK, HEIGHT = 390, 1280, 2400
_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome on the path")


def browse(address: str, folder: Path, width: int, *options: str) -> str:
    """What the browser prints; `folder` is where it may write."""
    command = [str(BROWSER), *_OPTIONS, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{HEIGHT}"]
    shown = subprocess.run([*command, *options, address], check=True, capture_output=True, text=True, timeout=120)  # noqa: S603
    return shown.stdout
