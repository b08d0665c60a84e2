"""What needs no worker: who may ask, what the command refuses, and what is refused before anything is loaded."""

import socket
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from adaptkit.cli.serve import serve_flags
from adaptkit.errors import AdaptkitError, BackboneMismatch, ConfigError, NotAnAdapter, SourceNotFound
from adaptkit.labelled import examples_of
from adaptkit.options import options_of
from adaptkit.requests import Pretrained
from adaptkit.serving.api import ZooAPI
from adaptkit.serving.jobs import EMBEDDINGS, Answers, Ask, Described, Follow, Roster, Vectors
from adaptkit.serving.limits import Limits
from adaptkit.serving.metrics import Metrics
from adaptkit.serving.refusal import Refusal, Refused, refusal_of
from adaptkit.serving.server import ZooServer
from adaptkit.serving.shelf import Shelf
from adaptkit.serving.spec import ZooSpec
from tests.adapters import random_adapter
from tests.zoos import TOPICS, made_zoo, zipped

KEY = "not to be told"


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.tiny import tiny_model

    return made_zoo(tmp_path_factory.mktemp("zoo"), tiny_model())


@pytest.fixture
def client(zoo: Path) -> TestClient:
    return client_of(zoo, KEY)


def client_of(zoo: Path, key: str) -> TestClient:
    limits = Limits()
    spec = ZooSpec(Shelf(zoo), limits)
    api = ZooAPI(zoo, Pretrained(), spec, api_key=key, batch_size=8, cache_bytes=2**20)
    server = ZooServer(
        api, limits, host="127.0.0.1", accelerator="cpu", devices="auto", workers=1, on_ready=lambda: None
    )
    server.workers_setup_status = {}
    return TestClient(server.app, base_url="http://127.0.0.1")


@pytest.mark.parametrize("given", [None, "", "Bearer", f"Bearer {KEY}x", "Bearer ключ", KEY[:-1]])
def test_who_does_not_know_the_key_gets_nothing(client: TestClient, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given.encode()}
    for path in ("/v1/embeddings", "/v1/classify", "/v1/load_lora_adapter", "/v1/unload_lora_adapter"):
        answer = client.post(path, headers=headers, content=b"{}")  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert client.get("/v1/models", headers=headers).status_code == 401  # type: ignore[arg-type]
    assert client.get("/").status_code == 200  # the page asks for it


def test_who_knows_the_key_is_let_in(client: TestClient) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    assert client.post("/v1/embeddings", headers=headers, content=b"{}").status_code == 422
    assert client.get("/health", headers=headers).status_code == 503  # there is no worker


def test_what_is_refused_is_counted_too_and_the_key_is_wanted_for_it(client: TestClient) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    assert client.get("/metrics").status_code == 401
    client.get("/v1/models", headers={"Host": "example.org"})
    for number in range(3):
        client.get(f"/v1/invented{number}")
    client.post("/v1/embeddings", headers=headers, content=b"{}")
    answer = client.get("/metrics", headers=headers)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert [line for line in answer.text.splitlines() if line.startswith("adaptkit_requests_total{")] == [
        'adaptkit_requests_total{path="/metrics",status="401"} 1',
        'adaptkit_requests_total{path="/v1/embeddings",status="422"} 1',
        'adaptkit_requests_total{path="/v1/models",status="403"} 1',
        'adaptkit_requests_total{path="other",status="404"} 3',
    ]


def test_metrics_are_in_the_form_that_prometheus_reads() -> None:
    metrics = Metrics()
    for status, elapsed_s in ((200, 0.003), (200, 0.05), (503, 61.0)):
        metrics.count("/v1/tag", status, elapsed_s)
    lines = metrics.text(waiting=2, adapters=14).splitlines()
    assert [line for line in lines if line.startswith("# TYPE")] == [
        "# TYPE adaptkit_requests_total counter",
        "# TYPE adaptkit_request_seconds histogram",
        "# TYPE adaptkit_waiting gauge",
        "# TYPE adaptkit_adapters gauge",
    ]
    buckets = [line.rpartition(" ") for line in lines if "_bucket" in line]
    assert [int(n) for _, _, n in buckets] == [1, 1, 1, *[2] * 10, 3]
    assert buckets[3][0] == 'adaptkit_request_seconds_bucket{path="/v1/tag",le="0.05"}'
    assert buckets[-1][0].endswith('le="+Inf"}')
    for line in (
        'adaptkit_requests_total{path="/v1/tag",status="200"} 2',
        'adaptkit_requests_total{path="/v1/tag",status="503"} 1',
        'adaptkit_request_seconds_sum{path="/v1/tag"} 61.053',
        'adaptkit_request_seconds_count{path="/v1/tag"} 3',
        "adaptkit_waiting 2",
        "adaptkit_adapters 14",
    ):
        assert line in lines


def test_a_key_may_be_of_any_letters(zoo: Path) -> None:
    answer = client_of(zoo, "ключ").post("/v1/embeddings", headers={b"Authorization": "Bearer ключ".encode()})
    assert answer.status_code == 422


OTHER = Refusal(400, "another_backbone", "it is not for this one")


def named(shelf: Shelf, name: str) -> str:
    try:
        return shelf.named(name).stack
    except Refused as error:
        return error.refusal.code


@pytest.mark.parametrize("packed", [False, True])
def test_names_are_those_of_the_zoo_and_of_what_is_served(zoo: Path, tmp_path: Path, packed: bool) -> None:
    shelf = Shelf(zipped(zoo, tmp_path / "zoo.zip") if packed else zoo)
    shelf.tell(Described(backbone="tiny", width=8, n_tokens=9, left_out={"language/wal-Latn": OTHER}))
    assert named(shelf, "tiny") == ""
    assert named(shelf, "sw > topics") == "language/sw > task/topics"
    assert named(shelf, "average(sw: 0.5, sw-news: 0.5)") == "average(language/sw: 0.5, language/sw-news: 0.5)"
    assert named(shelf, "language/wal-Latn") == "another_backbone"
    assert named(shelf, "topics | sw > topics") == "task/topics | language/sw > task/topics"
    assert named(shelf, "topics | language/wal-Latn") == "another_backbone"
    assert named(shelf, "fuse(sw, sw-news)") == "invalid_value"
    assert named(shelf, "../../etc/passwd") == "invalid_value"
    shelf.take("language/sw")
    assert named(shelf, "sw > topics") == named(shelf, "average(sw: 0.5, sw-news: 0.5)") == "model_not_found"
    assert named(shelf, "topics | sw > topics") == "model_not_found"
    shelf.put("language/sw", shelf.seen("sw"))
    assert named(shelf, "sw") == "language/sw"


def test_a_roster_says_what_is_unloaded_and_what_is_new() -> None:
    first = Roster().without("language/sw")
    again = first.with_new("language/sw")
    assert first.unloaded == {"language/sw"}
    assert (again.unloaded, again.turns, again.number) == (frozenset(), {"language/sw": 1}, 2)
    assert again.with_new("language/sw").turns == {"language/sw": 2}


def test_a_message_tells_nothing_of_where_the_zoo_lies() -> None:
    error = NotAnAdapter(Path("/srv/private/zoo/language/sw"), "is broken.")
    assert "/srv" not in refusal_of(error, folder="/srv/private/zoo").message
    assert refusal_of(BackboneMismatch("another")).status == 400
    assert "task/nli" in refusal_of(ConfigError("name task/nli")).message


def test_half_a_character_in_a_name_is_refused_as_any_other_name(client: TestClient) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = client.post("/v1/embeddings", headers=headers, content=b'{"\\ud800": 1}')
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "\\ud800")


def _broken(zoo: Path) -> str:
    (zoo / "tiny-bert/language/sw/adaptkit.json").write_text("{")
    return "language/sw"


def _gone(zoo: Path) -> str:
    rmtree(zoo)
    return "language/new"


@pytest.mark.parametrize(("spoil", "code"), [(_broken, "unsound_adapter"), (_gone, "no_zoo")])
def test_what_cannot_be_read_anew_is_refused_and_changes_nothing(
    zoo: Path, tmp_path: Path, spoil: Callable[[Path], str], code: str
) -> None:
    own = Path(copytree(zoo, tmp_path / "zoo"))
    shelf = Shelf(own)
    before = list(shelf.served)
    with pytest.raises(Refused) as told:
        shelf.seen(spoil(own))
    assert told.value.refusal.code == code
    assert str(own) not in told.value.refusal.message
    assert list(shelf.served) == before


def test_what_is_new_is_served_only_once_a_worker_has_tried_it(zoo: Path, tmp_path: Path) -> None:
    own = Path(copytree(zoo, tmp_path / "zoo"))
    kept = own / "tiny-bert/language/sw-news"
    aside = kept.rename(tmp_path / "aside")
    shelf = Shelf(own)
    aside.rename(kept)
    listing = shelf.seen("language/sw-news")
    assert named(shelf, "sw-news") == "model_not_found"
    assert listing.id not in [each.id for each in shelf.served]
    shelf.put(listing.id, listing)
    assert named(shelf, "sw-news") == listing.id


def test_a_zoo_that_is_gone_harms_nobody_who_asks_for_something_else(zoo: Path, tmp_path: Path) -> None:
    from adaptkit.serving.answering import Answering
    from tests.tiny import tiny_model

    own = Path(copytree(zoo, tmp_path / "zoo"))
    answering = Answering(tiny_model(), own, cache_bytes=2**20, batch_size=4)
    rmtree(own)
    roster = Roster().with_new("language/new")
    asks = [Ask(endpoint=EMBEDDINGS, inputs=("Maji",), stacks=(stack,), roster=roster) for stack in ("", "language/sw")]
    bare, other = answering.replies(asks)
    assert isinstance(bare, Vectors)
    assert isinstance(other, Refusal)


def test_requests_that_wait_together_have_each_its_own_prefix(zoo: Path) -> None:
    from adaptkit.serving.answering import Answering
    from tests.tiny import prefixed_model

    model = prefixed_model("query: ")
    asked: list[dict[str, Any]] = [{}, {"prefix": "passage: "}, {"normalize": True}, {"prefix": ""}, {}]
    asks = [
        Ask(endpoint=EMBEDDINGS, inputs=("Maji", "Mbuzi anakula"), stacks=("", ""), roster=Roster(), **each)
        for each in asked
    ]
    for each, found in zip(asked, Answering(model, zoo, cache_bytes=2**20, batch_size=4).replies(asks), strict=True):
        assert isinstance(found, Vectors)
        prefix = each.get("prefix")
        right = model.encode(
            ["Maji", "Mbuzi anakula"], prefix=prefix, normalize_embeddings=each.get("normalize", False)
        )
        np.testing.assert_allclose(np.frombuffer(found.values, "<f4").reshape(2, -1), right.numpy(), atol=1e-5)


def test_an_ensemble_is_answered_in_one_batch_with_what_else_waits(zoo: Path) -> None:
    from adaptkit.serving.answering import Answering
    from tests.tiny import tiny_model

    model, sizes = tiny_model(), list[int]()
    together = "task/topics | language/sw > task/topics"
    stacks = ["task/topics", together, "language/sw > task/topics"]
    asks = [
        Ask(
            endpoint="classify", inputs=tuple(examples_of("classification", ["Maji"])), stacks=(stack,), roster=Roster()
        )
        for stack in stacks
    ]
    answering = Answering(model, zoo, cache_bytes=2**20, batch_size=8)
    answering.replies(asks)  # which reads and proves the adapters
    handle = model.network.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    replies = [reply for reply in answering.replies(asks) if isinstance(reply, Answers)]
    handle.remove()
    assert len(sizes) == 1
    first, mean, other = (reply.answers[0].probabilities["goats"] for reply in replies)
    assert mean == pytest.approx((first + other) / 2, abs=1e-6)
    assert [reply.n_tokens for reply in replies] == [replies[0].n_tokens * n for n in (1, 2, 1)]


def test_an_input_that_is_too_long_is_named_by_its_own_number(zoo: Path) -> None:
    from adaptkit.serving.answering import Answering
    from tests.tiny import tiny_model

    model = tiny_model()
    random_adapter(model, TOPICS, kind="task", name="other", seed=9).save(zoo / "other")
    try:
        asked = Ask(
            endpoint="classify",
            inputs=tuple(examples_of("classification", ["Maji", "goat " * 300])),
            stacks=("task/topics", "task/other"),
            roster=Roster(),
        )
        (refused,) = Answering(model, zoo, cache_bytes=2**20, batch_size=8).replies([asked])
    finally:
        rmtree(zoo / "other")
    assert isinstance(refused, Refusal)
    assert refused.message.startswith("row 2 of the inputs is longer than")


def _run(*, zoo: Path | None = None, port: int = 8000, **more: object) -> None:
    serve_flags()(
        zoo=zoo, port=port, **{**dict.fromkeys(options_of(Limits)), "host": "127.0.0.1", "device": "cpu", **more}
    )


def _port_taken(zoo: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        _run(zoo=zoo, port=taken.getsockname()[1])


def _no_litserve(zoo: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adaptkit.cli.serve.find_spec", lambda _: None)
        _run(zoo=zoo)


@pytest.mark.parametrize(
    ("start", "error", "said"),
    [
        (lambda zoo: _run(zoo=zoo / "nothing"), SourceNotFound, "no folder or archive"),
        (lambda zoo: _run(zoo_option=zoo / "nothing"), SourceNotFound, "no folder or archive"),
        (lambda _: _run(), ConfigError, "and none is named. Give one: adaptkit serve FOLDER, or --zoo FOLDER."),
        (lambda zoo: _run(zoo=zoo, zoo_option=zoo / "x"), ConfigError, "one zoo, and two are: "),
        (lambda zoo: _run(zoo=zoo, host="example.org"), ConfigError, "--host is 127.0.0.1"),
        (lambda zoo: _run(zoo=zoo, port=80), ConfigError, "from 1024 to 65535"),
        (lambda zoo: _run(zoo=zoo, device="tpu"), ConfigError, "no device 'tpu'"),
        (_port_taken, ConfigError, "Give another: --port"),
        (_no_litserve, ConfigError, "adaptkit-nlp[serve]"),
    ],
)
def test_the_command_says_what_it_cannot_start_with(
    zoo: Path, start: Callable[[Path], None], error: type[AdaptkitError], said: str
) -> None:
    with pytest.raises(error) as told:
        start(zoo)
    assert said in str(told.value)


def test_what_came_before_an_adapter_was_unloaded_is_answered_by_it(zoo: Path, tmp_path: Path) -> None:
    from adaptkit.serving.answering import Answering
    from tests.tiny import tiny_model

    own, model = Path(copytree(zoo, tmp_path / "zoo")), tiny_model()
    answering = Answering(model, own, cache_bytes=2**20, batch_size=4)
    ask = Ask(endpoint=EMBEDDINGS, inputs=("Maji",), stacks=("language/sw",), roster=Roster())
    (first,) = answering.replies([ask])
    unloaded = Follow(Roster().without("language/sw"))
    late = answering.replies([unloaded, ask])[1]
    assert "language/sw" not in model.attached
    answering.replies([Follow(unloaded.roster.with_new("language/sw")), ask])
    assert "language/sw" in model.attached
    rmtree(own / "tiny-bert/language/sw")
    again = Follow(unloaded.roster.with_new("language/sw").without("language/sw"))
    before, _ = answering.replies([ask, again])
    assert first == late == before
    assert "language/sw" not in model.attached


def test_what_cannot_be_read_is_left_out_by_a_worker_too(zoo: Path, tmp_path: Path) -> None:
    from adaptkit.serving.answering import Answering
    from tests.tiny import tiny_model

    own = Path(copytree(zoo, tmp_path / "zoo"))
    _broken(own)
    answering = Answering(tiny_model(), own, cache_bytes=2**20, batch_size=4)
    asks = [
        Ask(endpoint=EMBEDDINGS, inputs=("Maji",), stacks=(stack,), roster=Roster())
        for stack in ("language/sw-news", "language/sw")
    ]
    sound, broken = answering.replies(asks)
    assert isinstance(sound, Vectors)
    assert isinstance(broken, Refusal)
