"""A model hub of one thread on this machine: the few routes that huggingface_hub takes to push and to pull.

It is honest unless told otherwise: `listing`, `bodies`, `cuts`, `status` and `elsewhere` make it lie, break off, refuse
and redirect. What it was asked stands in `requests`.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

GITATTRIBUTES = {".gitattributes": b"*.safetensors filter=lfs\n"}


@dataclass(frozen=True)
class Asked:
    """A request as the hub saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Repo:
    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes]) -> str:
        content = {**self.files(), **files}
        sha = hashlib.sha1(f"{len(self.commits)}{sorted(content)}".encode()).hexdigest()  # noqa: S324
        self.commits[sha] = content
        self.branches["main"] = sha
        return sha

    def files(self, revision: str = "main") -> dict[str, bytes]:
        return self.commits.get(self.branches.get(revision, revision), {})


@dataclass
class FakeHub:
    """State and faults of the server; `url` is its endpoint."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    lfs: bool = True
    token: str | None = None
    stored: dict[str, bytes] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    sent: int = 0
    """Bytes of weights that went out."""

    listing: Callable[[dict[str, Any]], object] = lambda _: None
    """Changes what is said of a repository."""
    bodies: dict[str, bytes] = field(default_factory=dict)
    """Sent instead of the file of that name."""
    cuts: list[int] = field(default_factory=list)
    """For each next request for weights, after how many bytes the line goes dead."""
    ignores_ranges: bool = False
    status: dict[str, int] = field(default_factory=dict)
    """The answer to every request whose path holds the key."""
    elsewhere: str | None = None
    """Where requests for weights are sent on to."""
    gated: bool = False
    oid: str | None = None
    """What a new commit is said to be."""
    visibility: str | None = None
    """What a new repository becomes, whatever was asked."""

    def asked(self, part: str) -> list[Asked]:
        return [request for request in self.requests if part in request.path]

    def push(self, name: str, files: dict[str, bytes], *, private: bool = False) -> str:
        """Put files there without a client."""
        repo = self.repos.setdefault(name, Repo(private))
        return repo.commit({**GITATTRIBUTES, **files})


@contextmanager
def serving() -> Iterator[FakeHub]:
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def oid(content: bytes, *, lfs: bool) -> str:
    if lfs:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - as git does


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002
        pass

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self._body()
        self.hub.requests.append(Asked(self.command, path, {k.lower(): v for k, v in self.headers.items()}, body))
        for part, status in self.hub.status.items():
            if part in path:
                self._send(status, {"error": "\x1b[31mno"})
                return
        if path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._send(200, {"warnings": [], "errors": []})
        elif path.startswith("/api/models/"):
            self._model(path.removeprefix("/api/models/"), body)
        elif path.endswith(".git/info/lfs/objects/batch"):
            self._batch(json.loads(body))
        elif path.startswith("/storage/"):
            self._storage(path.rpartition("/")[2], body)
        elif "/resolve/" in path:
            name, _, rest = path[1:].partition("/resolve/")
            self._resolve(name, *rest.split("/", 1))
        else:
            self._send(404, {"error": "no such route"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _create(self, asked: dict[str, str]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        if name in self.hub.repos:
            self._send(409, {"error": "You already created this model repo"})
            return
        self.hub.push(name, {}, private=(self.hub.visibility or asked["visibility"]) == "private")
        self._send(200, {"url": f"{self.hub.url}/{name}"})

    def _model(self, path: str, body: bytes) -> None:
        owner, name, *rest = path.split("/", 3)
        repo = self._repo(f"{owner}/{name}")
        if repo is None:
            return
        action, revision = (rest[0], rest[1]) if rest else ("revision", "main")
        sha = repo.branches.get(revision, revision)
        if sha not in repo.commits:
            self._send(404, {}, {"X-Error-Code": "RevisionNotFound"})
        elif action == "revision":
            said = {
                "id": f"{owner}/{name}",
                "sha": sha,
                "private": repo.private,
                "siblings": [self._entry(file, content) for file, content in repo.commits[sha].items()],
            }
            self.hub.listing(said)
            self._send(200, said)
        elif action == "preupload":
            self._send(200, {"files": [self._mode(file["path"], repo) for file in json.loads(body)["files"]]})
        elif action == "commit":
            self._commit(f"{owner}/{name}", repo, body)
        else:
            self._send(404, {"error": "no such route"})

    def _repo(self, name: str) -> Repo | None:
        """The repository as this caller sees it; without it, he is answered as hubs do."""
        if self.hub.token is not None and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._send(403 if "Authorization" in self.headers else 401, {"error": "Invalid username or password."})
            return None
        if self.hub.gated:
            self._send(403, {}, {"X-Error-Code": "GatedRepo"})
            return None
        if name not in self.hub.repos:
            self._send(404, {}, {"X-Error-Code": "RepoNotFound"})
        return self.hub.repos.get(name)

    def _is_lfs(self, file: str) -> bool:
        return self.hub.lfs and file.endswith(".safetensors")

    def _entry(self, file: str, content: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"rfilename": file, "size": len(content), "blobId": oid(content, lfs=False)}
        if self._is_lfs(file):
            entry["lfs"] = {"size": len(content), "sha256": oid(content, lfs=True), "pointerSize": 130}
        return entry

    def _mode(self, file: str, repo: Repo) -> dict[str, Any]:
        known = repo.files().get(file)
        return {
            "path": file,
            "uploadMode": "lfs" if self._is_lfs(file) else "regular",
            "shouldIgnore": False,
            "oid": None if known is None else oid(known, lfs=self._is_lfs(file)),
        }

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = []
        for item in asked["objects"]:
            actions = {"upload": {"href": f"{self.hub.url}/storage/{item['oid']}"}}
            objects.append({**item, **({} if item["oid"] in self.hub.stored else {"actions": actions})})
        self._send(200, {"transfer": "basic", "objects": objects})

    def _storage(self, key: str, body: bytes) -> None:
        if self.command == "PUT":
            self.hub.stored[key] = body
            self._send(200, {})
        else:
            self._file("adapter_model.safetensors", self.hub.stored[key])

    def _commit(self, name: str, repo: Repo, body: bytes) -> None:
        header, *lines = [json.loads(line) for line in body.splitlines()]
        if header["value"].get("parentCommit") not in (None, repo.branches["main"]):
            self._send(412, {"error": "A commit has happened since."})
            return
        files = {}
        for line in lines:
            value = line["value"]
            files[value["path"]] = (
                base64.b64decode(value["content"]) if line["key"] == "file" else self.hub.stored[value["oid"]]
            )
        sha = repo.commit(files)
        self._send(200, {"commitUrl": f"{self.hub.url}/{name}/commit/{sha}", "commitOid": self.hub.oid or sha})

    def _resolve(self, name: str, revision: str, file: str) -> None:
        repo = self._repo(name)
        if repo is None:
            return
        if file not in repo.files(revision):
            self._send(404, {}, {"X-Error-Code": "EntryNotFound"})
            return
        content = repo.files(revision)[file]
        if self.hub.elsewhere is not None and self._is_lfs(file):
            self._send(302, {}, {"Location": f"{self.hub.elsewhere}/storage/{oid(content, lfs=True)}"})
            return
        self._file(file, self.hub.bodies.get(file, content))

    def _file(self, file: str, content: bytes) -> None:
        wanted = None if self.hub.ignores_ranges else self.headers.get("Range")
        start = int((wanted or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        part = content[start:]
        self.send_response(200 if wanted is None else 206)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if file.endswith(".safetensors"):
            part = part[: self.hub.cuts.pop(0)] if self.hub.cuts else part
            self.hub.sent += len(part)
        self.wfile.write(part)

    def _send(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
