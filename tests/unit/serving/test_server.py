"""A real server process, asked by the clients that people have."""

import json
import re
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import escape
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.parse import urlencode

import numpy as np
import openai
import pytest
from PIL import Image

from adaptkit import load_adapter
from adaptkit.serving.page import page_file
from tests.adapters import random_adapter
from tests.unit.serving.conftest import Served
from tests.unit.serving.framed import BROWSER, screenshot, shown_by
from tests.zoos import LORA

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "server.md"
TEXTS = ["Mbuzi anakula majani.", "Mvua inanyesha leo usiku.", "goat"]
STACKS = ["language/sw", "language/sw-news > task/topics", "tiny-bert", "language/wal-Latn > task/ner"]


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=served.base, api_key="none", max_retries=0) as client:
        yield client


def post(served: Served, path: str, body: object, **headers: str) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = urllib.request.Request(  # noqa: S310 - of this machine
        served.url + path, content, {"Content-Type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
            found = answer.read().decode()
            return answer.status, json.loads(found) if found.startswith("{") else found
    except HTTPError as error:
        return error.code, json.loads(error.read())["error"]


def alone(served: Served, text: str, stack: str) -> np.ndarray[Any, Any]:
    """The vector of one text by the model in this process."""
    if "language/sw" not in served.model.attached:
        served.model.attach_zoo(served.zoo)
    return served.model.encode(text, stack=None if stack == served.model.backbone.name else stack).numpy()


@pytest.mark.parametrize("form", ["float", "base64"])
def test_openai_s_client_gets_the_vectors_of_a_stack(
    served: Served, client: openai.OpenAI, form: Literal["float", "base64"]
) -> None:
    found = client.embeddings.create(model="sw > topics", input=TEXTS, encoding_format=form)
    raw = found.data[0].embedding
    assert isinstance(raw, str) == (form == "base64")
    assert [each.index for each in found.data] == [0, 1, 2]
    assert found.model == "language/sw > task/topics"
    rows = served.model.backbone.tokenize(TEXTS)
    assert found.usage.prompt_tokens == found.usage.total_tokens == sum(map(len, rows))
    plain = client.embeddings.create(model="sw > topics", input=TEXTS)  # base64 on the way, numbers here
    for text, each in zip(TEXTS, plain.data, strict=True):
        np.testing.assert_allclose(each.embedding, alone(served, text, found.model), atol=1e-5)


def test_a_prefix_and_length_one_are_those_of_the_model(served: Served, client: openai.OpenAI) -> None:
    asked = {"prefix": "passage: ", "normalize": True}
    found = client.embeddings.create(model="language/sw", input=TEXTS, extra_body=asked)
    alone(served, "goat", "language/sw")
    right = served.model.encode(TEXTS, stack="language/sw", prefix="passage: ", normalize_embeddings=True).numpy()
    np.testing.assert_allclose([each.embedding for each in found.data], right, atol=1e-5)
    assert found.usage.prompt_tokens == sum(map(len, served.model.backbone.behind("passage: ").tokenize(TEXTS)))


def test_inputs_may_each_have_their_stack(served: Served, client: openai.OpenAI) -> None:
    texts = [TEXTS[number % 3] for number in range(4)]
    found = client.embeddings.create(model="", input=texts, extra_body={"stacks": STACKS})
    for text, stack, each in zip(texts, STACKS, found.data, strict=True):
        assert each.model == stack  # type: ignore[attr-defined]
        np.testing.assert_allclose(each.embedding, alone(served, text, stack), atol=1e-5)


def test_one_input_may_be_read_under_many_stacks(served: Served, client: openai.OpenAI) -> None:
    found = client.embeddings.create(model="", input=TEXTS[0], extra_body={"stacks": STACKS})
    for stack, each in zip(STACKS, found.data, strict=True):
        np.testing.assert_allclose(each.embedding, alone(served, TEXTS[0], stack), atol=1e-5)


def test_the_zoo_is_listed_with_languages_licences_and_scores(client: openai.OpenAI) -> None:
    listed = {model.id: model.to_dict() for model in client.models.list()}
    assert "language/yo" not in listed  # it is for another backbone
    assert listed["tiny-bert"]["kind"] == "backbone"
    sw: Any = listed["language/sw-news"]
    assert (sw["languages"], sw["licence"]) == ({"sw": "Swahili"}, "CC0-1.0")
    assert sw["scores"][0]["score_with"] == 60.0
    assert listed["task/ner"]["endpoint"] == "/v1/tag"


def test_heads_answer_at_their_own_endpoints_as_the_model_does(served: Served) -> None:
    alone(served, "goat", "language/sw")
    status, found = post(served, "/v1/classify", {"model": "sw > topics", "input": TEXTS})
    assert status == 200
    for text, each in zip(TEXTS, found["data"], strict=True):
        (right,) = served.model.predict([text], stack="language/sw > task/topics")
        assert each["label"] == right.label
        assert each["probabilities"] == pytest.approx(right.probabilities, abs=1e-5)
    _, tags = post(served, "/v1/tag", {"model": "ner", "input": "Asha lives in Mbeya"})
    (right,) = served.model.predict([["Asha", "lives", "in", "Mbeya"]], stack="task/ner")
    assert tags["data"][0]["words"] == ["Asha", "lives", "in", "Mbeya"]
    assert tags["data"][0]["tags"] == list(right.tags)
    question, context = "Who rests?", "The old goat rests under a tree."
    _, answer = post(served, "/v1/answer", {"model": "qa", "question": question, "context": context})
    (right,) = served.model.predict([(question, context)], stack="task/qa")
    assert answer["data"][0]["text"] == right.text
    _, near = post(served, "/v1/classify", {"model": "near", "input": [["a goat", "a tree"]]})
    (right,) = served.model.predict([("a goat", "a tree")], stack="task/near")
    assert near["data"][0]["score"] == pytest.approx(right, abs=1e-5)


def test_stacks_answer_together(served: Served) -> None:
    both = "topics | sw > topics"
    status, found = post(served, "/v1/classify", {"model": both, "input": TEXTS})
    assert (status, found["model"]) == (200, "task/topics | language/sw > task/topics")
    alone = [post(served, "/v1/classify", {"model": stack, "input": TEXTS})[1] for stack in both.split(" | ")]
    assert found["usage"]["prompt_tokens"] == sum(each["usage"]["prompt_tokens"] for each in alone)
    for answer, *each in zip(found["data"], *(each["data"] for each in alone), strict=True):
        for label, probability in answer["probabilities"].items():
            assert probability == pytest.approx(sum(one["probabilities"][label] for one in each) / 2, abs=1e-5)
    _, mixed = post(served, "/v1/predict", {"stacks": ["ner", both], "input": TEXTS[0]})
    assert mixed["data"][1]["model"] == found["model"]
    assert mixed["data"][1]["probabilities"] == pytest.approx(found["data"][0]["probabilities"], abs=1e-5)


def test_what_was_answered_is_counted(served: Served, client: openai.OpenAI) -> None:
    before = metrics(served)
    client.embeddings.create(model="sw", input=TEXTS)
    post(served, "/v1/embeddings", {"model": "nothing", "input": "a"})
    post(served, "/v1/unload_lora_adapter", {"lora_name": "language/ha"})
    after = metrics(served)
    post(served, "/v1/load_lora_adapter", {"lora_name": "language/ha"})
    found = {name: value - before.get(name, 0.0) for name, value in after.items()}
    assert found['adaptkit_requests_total{path="/v1/embeddings",status="200"}'] == 1
    assert found['adaptkit_requests_total{path="/v1/embeddings",status="404"}'] == 1
    assert found['adaptkit_request_seconds_count{path="/v1/embeddings"}'] == 2
    assert found["adaptkit_adapters"] == -1
    assert after["adaptkit_adapters"] == len(list(client.models.list())) - 2  # the backbone is none, and one came back
    assert after["adaptkit_waiting"] == 0


def metrics(served: Served) -> dict[str, float]:
    with urllib.request.urlopen(f"{served.url}/metrics", timeout=60) as answer:  # noqa: S310 - of this machine
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_one_text_is_answered_by_many_heads_in_one_request(served: Served) -> None:
    stacks = ["topics", "language/wal-Latn > task/topics", "sw-news > topics"]
    status, found = post(served, "/v1/predict", {"stacks": [*stacks, "ner"], "input": "goat"})
    assert (status, len(found["data"])) == (200, 4)
    for stack, each in zip(stacks, found["data"], strict=False):
        _, single = post(served, "/v1/classify", {"model": stack, "input": "goat"})
        assert each["probabilities"] == pytest.approx(single["data"][0]["probabilities"], abs=1e-5)
    assert found["data"][3]["words"] == ["goat"]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("embeddings", {"model": "language/hau", "input": "a"}, 404, "the zoo has no adapter 'language/hau'"),
        ("embeddings", {"model": "yo", "input": "a"}, 404, "the zoo has no adapter"),
        ("embeddings", {"model": "language/yo", "input": "a"}, 400, "this backbone, tiny-bert, is"),
        ("embeddings", {"model": "sw >", "input": "a"}, 400, "expected a name"),
        ("embeddings", {"model": "task/topics > language/sw", "input": "a"}, 400, "out of order"),
        ("embeddings", {"model": "a" * 3000, "input": "a"}, 422, "2,000 characters"),
        ("embeddings", {"model": "sw", "input": "a", "dimensions": 8}, 422, "vectors here have 32"),
        ("embeddings", {"model": "sw", "input": "a", "normalize": 1}, 422, "true (vectors of length 1) or false"),
        ("embeddings", {"model": "sw", "input": "a", "prefix": ["query: "]}, 422, "a text of up to 1,000 characters"),
        ("embeddings", {"model": "sw", "input": "a", "prefix": "x" * 1001}, 422, "a text of up to 1,000 characters"),
        ("embeddings", {"model": "sw", "input": "a", "prefix": "\ud800"}, 422, "a text of up to 1,000 characters"),
        ("embeddings", {"model": "sw", "input": ["a"] * 41}, 422, "a request may have 40"),
        ("embeddings", {"model": "sw", "input": "a " * 2000}, 422, "longer than 3,000 characters"),
        ("embeddings", {"model": "sw", "input": "goat " * 300}, 422, "longer than the 140 tokens"),
        ("embeddings", {"model": "sw", "input": [[17, 9]]}, 422, "check_embedding_ctx_length=False"),
        ("embeddings", {"model": "sw", "input": "\ud800"}, 422, "surrogate"),
        ("embeddings", {"model": "sw", "input": []}, 422, "something in it"),
        ("embeddings", {"model": "sw", "input": "a", "temperature": 1}, 422, "'temperature' is not known"),
        ("embeddings", {"input": "a", "stacks": ["sw"], "model": "ha"}, 422, "both say"),
        ("embeddings", {"input": ["a", "b", "c"], "stacks": ["sw", "topics"]}, 422, "3 inputs and 2 stacks"),
        ("embeddings", b"[" * 60_000, 422, "not JSON"),
        ("embeddings", b"x" * 70_000, 413, "longer than 65,536 bytes"),
        ("classify", {"model": "sw", "input": "a"}, 400, "ends in no adapter with a head"),
        ("classify", {"model": "ner", "input": "a"}, 400, "ask /v1/tag"),
        ("classify", {"model": "near", "input": ["a"]}, 422, "a pair of texts"),
        ("classify", {"model": "topics | near", "input": "a"}, 400, "heads of one kind"),
        ("classify", {"model": "topics | sw", "input": "a"}, 400, "ends in no adapter with a head"),
        ("classify", {"model": "topics | task/topics", "input": "a"}, 400, "has task/topics twice"),
        ("classify", {"model": "topics | sw > topics", "input": ["a"] * 21}, 422, "a request may have 40"),
        ("tag", {"model": "ner | sw > ner", "input": "a"}, 400, "have no mean"),
        ("answer", {"model": "qa | sw > qa", "question": "a", "context": "b"}, 400, "have no mean"),
        ("embeddings", {"model": "topics | sw > topics", "input": "a"}, 400, "has no vectors"),
        ("answer", {"model": "qa", "question": "who?"}, 422, "question and context"),
        ("load_lora_adapter", {"lora_name": "language/sw", "lora_path": "/etc"}, 422, "no path"),
        ("load_lora_adapter", {"lora_name": "../../etc"}, 404, "the zoo has no adapter"),
        ("load_lora_adapter", {"lora_name": "language/yo"}, 400, "Load "),
        ("nothing", {}, 404, "GET /v1/models"),
    ],
)
def test_what_cannot_be_answered_is_refused_and_says_why(
    served: Served, path: str, body: object, status: int, said: str
) -> None:
    found, error = post(served, f"/v1/{path}", body)
    assert (found, said in error["message"]) == (status, True), error
    assert str(served.zoo) not in error["message"]


def test_a_long_text_is_cut_where_that_is_asked_for(served: Served) -> None:
    body = {"model": "sw", "input": "goat " * 300, "truncate_prompt_tokens": -1}
    status, found = post(served, "/v1/embeddings", body)
    assert (status, found["usage"]["prompt_tokens"]) == (200, 140)


def test_pages_of_strangers_get_nothing(served: Served) -> None:
    body = {"model": "sw", "input": "a"}
    assert post(served, "/v1/embeddings", body, Origin="https://pages.invalid")[1]["code"] == "another_origin"
    assert post(served, "/v1/embeddings", body, Host="pages.invalid")[1]["code"] == "another_host"


def test_a_body_that_does_not_say_its_length_is_bounded(served: Served) -> None:
    connection = HTTPConnection(served.url.removeprefix("http://"), timeout=60)
    pieces = (b"x" * 10_000 for _ in range(10))
    connection.request("POST", "/v1/embeddings", pieces, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_an_adapter_is_unloaded_and_loaded_by_vllm_s_names(served: Served) -> None:
    body = {"model": "language/wal-Latn", "input": "a"}
    assert post(served, "/v1/unload_lora_adapter", {"lora_name": "wal-Latn"})[0] == 200
    assert post(served, "/v1/embeddings", body)[1]["code"] == "model_not_found"
    assert post(served, "/v1/unload_lora_adapter", {"lora_name": "wal-Latn"})[0] == 404
    status, said = post(served, "/v1/load_lora_adapter", {"lora_name": "language/wal-Latn", "load_inplace": True})
    assert (status, said) == (200, "Success: LoRA adapter 'language/wal-Latn' added successfully.")
    assert post(served, "/v1/embeddings", body)[0] == 200


def test_what_is_added_or_trained_anew_is_served_once_it_is_loaded(served: Served) -> None:
    body = {"model": "language/new", "input": "goat"}
    for seed in (21, 22):
        random_adapter(served.model, LORA, name="new", seed=seed).save(served.zoo / "new", overwrite=True)
        if seed == 21:
            assert post(served, "/v1/embeddings", body)[0] == 404
        assert post(served, "/v1/load_lora_adapter", {"lora_name": "language/new"})[0] == 200
        _, found = post(served, "/v1/embeddings", body)
        right = load_adapter(served.zoo / "new")
        served.model.attach(right)
        np.testing.assert_allclose(found["data"][0]["embedding"], alone(served, "goat", "language/new"), atol=1e-5)
        served.model.detach("language/new")


def test_a_worse_file_does_not_take_the_place_of_a_good_one(served: Served) -> None:
    folder = served.zoo / "tiny-bert" / "language" / "sw-news" / "adapter_model.safetensors"
    whole = folder.read_bytes()
    body = {"model": "sw-news", "input": "goat"}
    _, before = post(served, "/v1/embeddings", body)
    try:
        folder.write_bytes(whole[:-8] + b"\x00" * 8)
        status, error = post(served, "/v1/load_lora_adapter", {"lora_name": "language/sw-news"})
        assert (status, error["code"]) == (400, "unsound_adapter")
        assert str(served.zoo) not in error["message"]
        assert post(served, "/v1/embeddings", body)[1]["data"] == before["data"]
    finally:
        folder.write_bytes(whole)


def test_many_at_once_get_their_own_answers_while_adapters_come_and_go(served: Served) -> None:
    """No wrong row, and no error but that of the one that is unloaded."""
    stacks = [*STACKS, "language/sw > task/topics", "language/sw-news", "task/near"]
    asked = [(f"{TEXTS[number % 3]} {number % 5}", stacks[number % len(stacks)]) for number in range(105)]
    right = {pair: alone(served, *pair) for pair in asked}
    ended = threading.Event()

    def churn() -> int:
        turns = 0
        while not ended.is_set() or turns < 2:
            for path in ("unload_lora_adapter", "load_lora_adapter"):
                assert post(served, f"/v1/{path}", {"lora_name": "domain/news"})[0] == 200
            assert post(served, "/v1/load_lora_adapter", {"lora_name": "language/sw"})[0] == 200
            turns += 1
        return turns

    random_adapter(served.model, LORA, kind="domain", name="news", seed=5).save(served.zoo / "news", overwrite=True)
    post(served, "/v1/load_lora_adapter", {"lora_name": "domain/news"})
    with ThreadPoolExecutor(9) as pool:
        turns = pool.submit(churn)
        try:
            replies = pool.map(lambda pair: post(served, "/v1/embeddings", {"model": pair[1], "input": pair[0]}), asked)
            found = list(replies)
        finally:
            ended.set()
        assert turns.result() >= 2
    for pair, (status, reply) in zip(asked, found, strict=True):
        assert status == 200
        np.testing.assert_allclose(reply["data"][0]["embedding"], right[pair], atol=1e-5)


def test_the_page_of_the_docs_does_what_it_says(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """OpenAI's client, and LangChain's and LlamaIndex's classes, unchanged."""
    text = PAGE.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", served.url)
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - our own page
    names["client"].close()
    assert capsys.readouterr().out.splitlines()[1:] == ["2", "2 3", "32", "32"]
    asked = "Ninahitaji daktari."
    for found in (names["embeddings"].embed_documents([asked])[0], names["embedding"].get_text_embedding(asked)):
        np.testing.assert_allclose(found, alone(served, asked, "language/sw"), atol=1e-5)


def test_commands_of_the_docs_do_what_they_say(served: Served) -> None:
    commands = re.findall(
        r"curl http://127.0.0.1:8000(/\S+) .*?-d '(.*?)'", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(commands) == 4
    for path, body in commands:
        assert post(served, path, body.encode())[0] == 200


PHONE, DESK, HEIGHT = 390, 1280, 1200
in_a_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome on the path")
HOSTILE = "<img src=x onerror=alert(1)>"


@in_a_browser
def test_the_page_shows_what_a_stack_answers_on_a_phone(served: Served, tmp_path: Path) -> None:
    given = [
        {"stack": "sw-news > topics", "text": "goat"},
        {"stack": "topics | sw-news > topics", "text": "goat"},
        {"stack": "language/sw", "text": "goat", "lines": f"goat\n{HOSTILE}"},
        {"stack": "ner", "words": "Asha lives here"},
        {"stack": "qa", "question": "Who rests?", "context": "The goat rests."},
        {"stack": "near", "first": "goat", "second": "tree"},
        {"stack": HOSTILE, "text": "a"},
    ]
    found = shown_by(served.url, [urlencode(each) for each in given], tmp_path, PHONE)
    assert [(each.scroll_width, each.width, each.n_sticking_out) for each in found] == [(PHONE, PHONE, 0)] * len(given)
    topics, together, lines, words, answer, near, refused = found
    assert ">goats<" in topics.answer
    assert ">goats<" in together.answer
    assert f"<td>{escape(HOSTILE)}</td>" in lines.answer
    assert ">Asha<b>" in words.answer
    assert 'class="best"' in answer.answer
    assert re.search(r'class="best">-?\d\.\d{3}<', near.answer)
    assert "cannot be read" in refused.error
    assert not any(each.error for each in found[:-1])


@in_a_browser
def test_the_page_opens_with_an_example_and_asks_nothing_by_itself(served: Served, tmp_path: Path) -> None:
    (found,) = shown_by(served.url, [""], tmp_path, PHONE)
    stack, text, *_ = found.fields.split("|")
    assert stack.startswith("task/")
    assert text.endswith(".")
    assert "Nothing was asked yet" in found.answer
    assert (found.error, found.n_sticking_out) == ("", 0)


def test_a_browser_finds_an_icon(served: Served) -> None:
    for path in ("/favicon.ico", "/page.svg"):
        with urllib.request.urlopen(f"{served.url}{path}", timeout=60) as icon:  # noqa: S310 - of this machine
            assert icon.headers["content-type"] == "image/svg+xml"
            assert b"<svg" in icon.read()


@in_a_browser
def test_a_screenshot_shows_the_page(served: Served, tmp_path: Path) -> None:
    with Image.open(screenshot(served.url, "stack=topics&text=goat", tmp_path, DESK, HEIGHT)) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    blank_rows = np.ptp(pixels, axis=1).max(axis=1) == 0
    assert 0.2 < blank_rows.mean() < 0.9
    assert (pixels == np.array((28, 92, 160))).all(axis=2).sum() > 500  # the button


def test_the_page_may_run_no_stranger_s_script_and_stands_in_no_frame(served: Served) -> None:
    with urllib.request.urlopen(served.url, timeout=60) as page:  # noqa: S310 - of this machine
        policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_asks_nothing_of_another_site() -> None:
    for name in ("page.html", "page.css", "page.js"):
        content, _ = page_file(name)
        assert not re.search(rb"https?://|//[a-z]+\.|@import|url\(|innerHTML|eval\(", content), name


def test_the_log_holds_no_text(served: Served) -> None:
    said = served.log.read_text()
    assert "ready:" in said
    assert "Traceback" not in said
    assert not any(text in said for text in TEXTS)
