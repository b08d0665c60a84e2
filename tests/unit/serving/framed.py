"""The page in a frame of the width of a phone, which the window of a headless browser cannot have.

The page forbids being framed. So what stands between passes all on but that line of its policy, and adds the page that
has the frame and measures what is inside.
"""

import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_AROUND = """<!doctype html><body style="margin:0">
<iframe width="{width}" height="{height}" style="border:0;display:block"></iframe><script>
const frame = document.querySelector("iframe");
frame.src = "/" + location.hash;
setInterval(() => {{
  const inside = frame.contentDocument, width = inside.documentElement.clientWidth;
  const out = [...inside.querySelectorAll("body *")].filter(each => each.getBoundingClientRect().right > width + 0.5);
  document.body.dataset.measured = [inside.documentElement.scrollWidth, width, out.length].join(" ");
  document.body.dataset.answer = inside.getElementById("answer")?.innerHTML || "";
  document.body.dataset.error = inside.getElementById("error")?.textContent || "";
}}, 50);</script>"""


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


def browse(place: str, link: str, folder: Path, width: int, height: int, option: str) -> str:
    """What a browser makes of the page when it is opened by a link with a stack and an input."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    options += [f"--user-data-dir={folder / 'profile'}", f"--window-size={max(width, 500)},{height}"]
    options += ["--virtual-time-budget=8000", option]
    url = f"{place}/around?width={width}&height={height}#{link}"
    done = subprocess.run([str(BROWSER), *options, url], check=True, capture_output=True, text=True, timeout=120)  # noqa: S603
    return done.stdout
