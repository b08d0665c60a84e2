"""Products with weights of few bits as a GPU makes them: by Triton's interpreter, compiled, and without Triton."""

import json
import logging
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from adaptkit.backbones import weight_products
from adaptkit.backbones.linears import Int4Linear, Int8Linear, Nf4Linear, QuantizedLinear
from benchmarks.cases import weight_products as weight_products_case

FORMS = (Int8Linear, Int4Linear, Nf4Linear)
HELD = {
    "int8": ["*i8", *["*fp32"] * 5],
    "int4": ["*u8", *["*fp16"] * 5],
    "nf4": ["*u8", "*u8", *["*fp32"] * 4],
}
needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="Triton is for Linux on x86-64 only")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the CPU multiply as a GPU does, as if nothing had been tried."""
    monkeypatch.setattr(weight_products, "DEVICES", {"cpu"})
    monkeypatch.setattr(weight_products, "_found", [])


@needs_triton
def test_kernels_by_the_interpreter() -> None:
    cases = Path(__file__).with_name("interpreted_products.py")
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(cases)],
        env={**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout


@needs_triton
@pytest.mark.parametrize(("form", "backward"), [("int8", True), ("int4", True), ("nf4", False), ("nf4", True)])
def test_kernels_are_compiled_for_a_gpu(
    form: str, backward: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For Hopper, where Triton 3.6 failed on interleaved operands of its matrix units; no GPU is needed for it."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from adaptkit.backbones import product_kernels

    kernel: Any = product_kernels.product_kernel
    rows, features, ahead, warps = product_kernels.tile_for(10_000)
    constants = {
        "FORM": form,
        "BACKWARD": backward,
        "HAS_BIAS": not backward,
        "BLOCK_ROWS": rows,
        "BLOCK_FEATURES": 64 if backward else features,
    }
    types = [*["*bf16"] * 3, *HELD[form], *["i32"] * 4, *["constexpr"] * 5]
    aligned = [place for place, name in enumerate(kernel.arg_names) if name not in ("rows", *constants)]
    source = ASTSource(
        fn=kernel,
        signature=dict(zip(kernel.arg_names, types, strict=True)),
        constexprs=constants,
        attrs={(place,): [["tt.divisibility", 16]] for place in aligned},
    )
    options = {"num_warps": warps, "num_stages": ahead, "enable_fp_fusion": False}
    compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
    assert "wgmma.mma_async" in compiled.asm["ptx"]
    # What the smaller cards of the generations since Ampere have for one program.
    assert compiled.metadata.shared <= 99 * 1024


def test_the_benchmark_runs_and_writes_each_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, result = tmp_path / "rows.jsonl", tmp_path / "result.json"
    options = ["--device", "cpu", "--tiny", "--output", str(rows), "--result", str(result)]
    weight_products_case.main(options)
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    measured = json.loads(result.read_text())["measured"]
    assert [line.pop("row") for line in lines] == list(measured)
    assert lines == list(measured.values())
    exact, fast = measured["nf4 64 x 64, exactness"], measured["int4 64 x 64, 40 rows"]
    assert exact["as chosen, 300 rows"] < 1e-3
    assert fast["16 bits"]["call"] > 0
    # The kernels do not run on a CPU, which is told in their place and stops nothing.
    assert "rror" in fast["fused"]
    assert "nf4 64 x 64, exactness" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("form", FORMS)
def test_without_triton_it_is_said_and_right(
    form: type[QuantizedLinear], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nothing: Any = None
    monkeypatch.setitem(sys.modules, "triton", nothing)
    monkeypatch.delitem(sys.modules, "adaptkit.backbones.product_kernels", raising=False)
    layer = form(torch.randn(32, 64), torch.randn(32))
    x = torch.randn(3, 64, requires_grad=True)
    for _ in range(2):
        given = layer(x)
    torch.testing.assert_close(given, F.linear(x, layer.weight_as(torch.float32), layer.bias))
    (gradient,) = torch.autograd.grad(given.sum(), x)
    torch.testing.assert_close(gradient, torch.ones(3, 32) @ layer.weight_as(torch.float32))
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "Triton 3.6 or newer" in record.getMessage()


@pytest.mark.usefixtures("here")
def test_a_kernel_that_cannot_be_compiled_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def widened(self, *_: object) -> torch.Tensor:
            raise RuntimeError("Failed to find C compiler.\nPlease specify via CC")

    found: Any = Broken()
    weight_products._found.append(found)
    layer = Int8Linear(torch.randn(32, 64), None)
    x = torch.randn(3, 64)
    for _ in range(3):
        torch.testing.assert_close(layer(x), x @ layer.weight_as(torch.float32).T)
    [record] = caplog.records
    assert "Failed to find C compiler." in record.getMessage()
    assert "via CC" not in record.getMessage()


@pytest.mark.usefixtures("here")
def test_memory_that_runs_out_is_no_reason_to_do_without(caplog: pytest.LogCaptureFixture) -> None:
    class Full:
        def widened(self, *_: object) -> torch.Tensor:
            raise torch.OutOfMemoryError("full")

    found: Any = Full()
    weight_products._found.append(found)
    with pytest.raises(torch.OutOfMemoryError):
        Int8Linear(torch.randn(32, 64), None)(torch.randn(3, 64))
    assert weight_products._found == [found]
    assert not caplog.records


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("form", FORMS)
def test_traced_whole_as_one_operation(form: type[QuantizedLinear]) -> None:
    weight_products._found.append(None)
    layer = form(torch.randn(32, 64), torch.randn(32))
    seen: list[str] = []

    def noting(graph: torch.fx.GraphModule, _: object) -> torch.fx.GraphModule:
        seen.extend(str(node.target) for node in graph.graph.nodes if node.op == "call_function")
        return graph

    x = torch.randn(3, 64)
    with torch.no_grad():
        assert torch.equal(torch.compile(layer, fullgraph=True, backend=noting)(x), layer(x))
    assert [name for name in seen if "adaptkit" in name] == ["adaptkit.packed_product.default"]


@pytest.mark.parametrize("width", [64, 96, 50, 33])
def test_nf4_is_as_near_where_blocks_go_on_over_rows(width: int) -> None:
    weight = torch.randn(40, width)
    layer = Nf4Linear(weight, None)
    assert float((layer.weight_as(torch.float32) - weight).norm() / weight.norm()) < 0.12
    x = torch.randn(3, width)
    torch.testing.assert_close(layer(x), x @ layer.weight_as(torch.float32).T, rtol=1e-4, atol=1e-4)
