"""The page in a frame of the width of a phone, which the window of a headless browser cannot have.

The page forbids being framed. So what stands between passes all on but that line of its policy, and adds the page that
has the frame and measures what is inside.
"""

import json
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote, urlsplit

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_AROUND = """<!doctype html><body style="margin:0"><script>
const frames = JSON.parse(decodeURIComponent(location.hash.slice(1))).map(link => {{
  const frame = document.createElement("iframe");
  frame.style = "width:{width}px;height:{height}px;border:0;display:block";
  frame.src = "/#" + link;
  document.body.append(frame);
  return frame;
}});
setInterval(() => frames.forEach(frame => {{
  const inside = frame.contentDocument, width = inside.documentElement.clientWidth;
  const out = [...inside.querySelectorAll("body *")].filter(each => each.getBoundingClientRect().right > width + 0.5);
  frame.dataset.measured = [inside.documentElement.scrollWidth, width, out.length].join(" ");
  frame.dataset.answer = inside.getElementById("answer")?.innerHTML || "";
  frame.dataset.fields = [...inside.querySelectorAll("#stack, textarea")].map(each => each.value).join("|");
  frame.dataset.error = inside.getElementById("error")?.textContent || "";
}}), 50);</script>"""


@dataclass(frozen=True)
class Shown:
    """What a page in a frame shows: markup of the answer, error, what stands in the fields, measures in CSS pixels."""

    answer: str
    error: str
    fields: str
    scroll_width: float
    width: float
    n_sticking_out: float


@contextmanager
def framing(server: str) -> Iterator[str]:
    """A place that shows a server's page at `/around?width=...&height=...`."""

    class Between(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/around":
                sizes = {name: values[0] for name, values in parse_qs(asked.query).items()}
                self._send(200, {"Content-Type": "text/html"}, _AROUND.format(**sizes).encode())
            else:
                self._pass_on(None)

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

        def _pass_on(self, body: bytes | None) -> None:
            kept = {"Content-Type": self.headers.get("Content-Type", "application/json")}
            asked = urllib.request.Request(server + self.path, body, kept)  # noqa: S310 - of this machine
            try:
                with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
                    status, headers, content = answer.status, dict(answer.headers), answer.read()
            except HTTPError as error:
                status, headers, content = error.code, dict(error.headers), error.read()
            policy = headers.get("content-security-policy", "").replace(
                "frame-ancestors 'none'", "frame-ancestors 'self'"
            )
            self._send(status, {"Content-Type": headers["content-type"], "Content-Security-Policy": policy}, content)

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

    between = ThreadingHTTPServer(("127.0.0.1", 0), Between)
    thread = threading.Thread(target=between.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{between.server_port}"
    finally:
        between.shutdown()
        thread.join()
        between.server_close()


def _browse(server: str, links: Sequence[str], folder: Path, width: int, height: int, option: str) -> str:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    options += [f"--user-data-dir={folder / 'profile'}", f"--window-size={max(width, 500)},{height}"]
    options += ["--virtual-time-budget=8000", option]
    with framing(server) as place:
        url = f"{place}/around?width={width}&height={height}#{quote(json.dumps(links))}"
        return subprocess.run(  # noqa: S603
            [str(BROWSER), *options, url], check=True, capture_output=True, text=True, timeout=120
        ).stdout


def shown_by(server: str, links: Sequence[str], folder: Path, width: int) -> list[Shown]:
    """What a browser makes of the page, opened by links that each have a stack and an input."""
    found = _browse(server, links, folder, width, 1200, "--dump-dom")
    every = []
    for frame in re.findall(r"<iframe[^>]*>", found):
        data = {name: unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', frame)}
        every.append(Shown(data["answer"], data["error"], data["fields"], *map(float, data["measured"].split())))
    return every


def screenshot(server: str, link: str, folder: Path, width: int, height: int) -> Path:
    """A picture of the page."""
    _browse(server, [link], folder, width, height, f"--screenshot={folder / 'page.png'}")
    return folder / "page.png"
