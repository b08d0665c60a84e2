"""The site as it was built: `make docs-check` builds it and runs these."""

import json
import os
import re
from collections.abc import Iterator
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import adaptkit
from tests.browser import DESK, PHONE, browse, needs_browser
from tools.site.reference import public_names

SITE = Path(os.environ.get("ADAPTKIT_SITE", ""))
# Only a document from the same address may look into a frame, which gives a page the width of a phone. Scripts are off:
# loading the search on every page would take a minute.
AROUND = """<!doctype html><body style="margin:0"><script>
const width = location.search.slice(1), frame = document.createElement("iframe"), found = {};
frame.width = width; frame.height = 2000; frame.style.border = 0; frame.sandbox = "allow-same-origin";
document.body.append(frame);
const shown = page => new Promise(done => { frame.onload = done; frame.src = page; });
(async () => {
  for (const page of PAGES) {
    await shown(page);
    const inside = frame.contentDocument.documentElement;
    found[page] = [inside.scrollWidth, inside.clientWidth];
  }
  document.body.setAttribute("data-measured", JSON.stringify(found));
})();
</script>"""

pytestmark = pytest.mark.skipif("ADAPTKIT_SITE" not in os.environ, reason="no site is built here: make docs-check")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of what was asked for."""


@pytest.fixture
def address() -> Iterator[str]:
    pages = [f"/{path.parent.relative_to(SITE).as_posix()}/" for path in sorted(SITE.rglob("index.html"))]
    around = SITE / "around.html"
    around.write_text(AROUND.replace("PAGES", json.dumps(pages)))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/around.html"
        server.shutdown()
    around.unlink()


def html_of(page: str) -> str:
    return (SITE / page / "index.html").read_text(encoding="utf-8")


def test_every_public_name_is_in_the_reference_and_in_the_search() -> None:
    anchors = {name: f"reference/{part}/" for part, names in public_names().items() for name in names}
    assert set(anchors) == set(adaptkit.__all__)
    for name, page in anchors.items():
        assert f'id="adaptkit.{name}"' in html_of(page), name
    index = json.loads((SITE / "search" / "search_index.json").read_text())
    assert {f"{page}#adaptkit.{name}" for name, page in anchors.items()} <= {it["location"] for it in index["docs"]}


def test_the_reference_shows_errors_and_source() -> None:
    page = html_of("reference/storage/")
    assert "AdapterFileError" in page
    assert "Source code in" in page
    assert "raise" in page


def test_nothing_is_loaded_from_elsewhere() -> None:
    for page in SITE.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)\b[^>]*\bsrc=[\"']?([^\"'\s>]+)", text)
        loaded += re.findall(r"<link\b(?![^>]*rel=[\"']?canonical)[^>]*\bhref=[\"']?([^\"'\s>]+)", text)
        assert loaded
        assert [each for each in loaded if each.startswith(("http:", "https:", "//"))] == [], page


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_no_page_scrolls_sideways(width: int, address: str, tmp_path: Path) -> None:
    dom = browse(f"{address}?{width}", tmp_path, DESK, "--dump-dom", "--virtual-time-budget=600000")
    found = re.search(r'data-measured="([^"]+)"', dom)
    assert found, dom[-500:]
    measured = json.loads(unescape(found[1]))
    assert len(measured) > 60
    assert {page: widths for page, widths in measured.items() if widths != [width, width]} == {}
