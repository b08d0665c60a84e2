"""How fast products with weights of 8 and 4 bits are on this device, beside the same in 16 bits.

`python -m benchmarks.run weight_products [--device cuda] [--seconds 40] [--output FILE] [--result FILE] [--tiny]`.
For each form and shape, first whether the kernels give what float32 gives. Then microseconds a product, for 1, 32, 512
and 2,048 rows: the fused kernel, the whole weight widened and then multiplied, the two as the library chooses, torch's
own operations, and a plain product in 16 bits; forward, and backward for the largest. Each is timed as a caller sees it
(`call`: many calls in a row, so that Python and launches count) and, on a GPU, as the card does (`card`: calls in one
CUDA graph). Each row is written when it is there. `--device cpu --tiny` tries the code; with TRITON_INTERPRET=1 its
kernels too.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import weight_products
from adaptkit.backbones.hardware import wait_for
from adaptkit.backbones.linears import Int4Linear, Int8Linear, Nf4Linear, QuantizedLinear
from adaptkit.backbones.packed_weight import WIDENED
from benchmarks.write_results import described, write_result

CASE = "weight_products"
FORMS: tuple[type[QuantizedLinear], ...] = (Nf4Linear, Int8Linear, Int4Linear)
# Out and in: XLM-R base, its feed-forward both ways, e5-small, XLM-R large.
SHAPES = ((768, 768), (3072, 768), (768, 3072), (384, 384), (1024, 1024))
ROWS = (2048, 32, 512, 1, 8192)
TILES = {
    2048: ((128, 64, 2, 4), (128, 128, 3, 8), (64, 64, 3, 4)),
    512: ((64, 64, 3, 4), (64, 32, 2, 4)),
    32: ((32, 32, 4, 4), (32, 32, 2, 4)),
}
"""By rows: rows, features, steps ahead and warps of other tiles."""
_CALLS = 20
_ROUNDS = 5


@dataclass(frozen=True)
class Place:
    """Where a row is measured, and in which type."""

    device: torch.device
    dtype: torch.dtype


Product = Callable[[Tensor], Tensor]


def main(arguments: list[str]) -> None:
    options = parsed(arguments)
    until = time.time() + options.seconds
    device = torch.device(options.device)
    place = Place(device, torch.bfloat16 if device.type == "cuda" else torch.float16)
    shapes, rows = ([(64, 64)], (1, 40)) if options.tiny else (SHAPES, ROWS)
    measured: dict[str, Any] = {}
    # Each shape's exactness first; at the end, other tiles than the kernels take.
    work = [(shape, form, count) for count in (0, *rows) for shape in shapes for form in FORMS]
    work += [] if options.tiny else [(shape, form, -count) for form in FORMS for count in TILES for shape in shapes[:2]]
    for number, (shape, form, count) in enumerate(work):
        name = f"{form.form} {shape[0]} x {shape[1]}, " + named(count)
        if time.time() > until:
            print(f"out of time: {len(work) - number} rows were not measured, from {name!r} on", flush=True)
            break
        measured[name] = tried(form, shape, count, place)
        line = json.dumps({"row": name, **measured[name]})
        print(line, flush=True)
        if options.output is not None:
            with options.output.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
    config = {"device": options.device, "type": str(place.dtype), "fused_below": weight_products.FUSED_BELOW}
    if options.result is None:
        print(write_result(CASE, seeds=[0], config=config, measured=measured))
    else:
        content = described(CASE, seeds=[0], config=config, measured=measured)
        options.result.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def named(rows: int) -> str:
    return f"tiles, {-rows} rows" if rows < 0 else f"{rows} rows" if rows else "exactness"


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--result", type=Path)
    parser.add_argument("--tiny", action="store_true")
    return parser.parse_args(arguments)


def tried(form: type[QuantizedLinear], shape: tuple[int, int], rows: int, place: Place) -> dict[str, Any]:
    """The figures of a row, each with its error where it failed. Without a number of rows: how exact it is."""
    torch.manual_seed(0)
    layer = form(torch.randn(shape, device=place.device) / shape[1] ** 0.5, torch.randn(shape[0], device=place.device))
    layer = layer.to(place.device)
    if rows < 0:
        return tiles(layer, -rows, place)
    return exactness(layer, place) if rows == 0 else speeds(layer, rows, place)


def exactness(layer: QuantizedLinear, place: Place) -> dict[str, Any]:
    """How far each way is off what float32 makes of the same weight, as a share of its length."""
    found: dict[str, Any] = {}
    exact = layer.weight_as(place.dtype).float()
    found["widened"] = failing(
        lambda: float((kernels().widened(*held(layer), place.dtype).float() - exact).abs().max())
    )
    for rows in (3, 40, 300):
        x = torch.randn(rows, layer.in_features, device=place.device).to(place.dtype)
        gradient = torch.randn(rows, layer.out_features, device=place.device).to(place.dtype)
        bias = None if layer.bias is None else layer.bias.to(place.dtype)
        forward = F.linear(x.float(), exact, None if bias is None else bias.float())
        backward = gradient.float() @ exact
        found[f"fused, {rows} rows"] = failing(lambda: off(fused(layer, x, bias), forward))  # noqa: B023
        found[f"fused backward, {rows} rows"] = failing(lambda: off(fused_back(layer, gradient), backward))  # noqa: B023
        found[f"as chosen, {rows} rows"] = failing(lambda: off(layer(x), forward))  # noqa: B023
    found["kernels"] = weight_products._kernels() is not None
    return found


def speeds(layer: QuantizedLinear, rows: int, place: Place) -> dict[str, Any]:
    """Microseconds a product, by each way."""
    x = torch.randn(rows, layer.in_features, device=place.device).to(place.dtype)
    found: dict[str, Any] = {}
    with torch.inference_mode():
        for name, product in ways(layer, rows, place):
            found[name] = failing(lambda: timed(product, x if "backward" not in name else gradient(layer, x), place))  # noqa: B023
    return found


def tiles(layer: QuantizedLinear, rows: int, place: Place) -> dict[str, Any]:
    """Microseconds of a fused product whose work is cut otherwise."""
    x = torch.randn(rows, layer.in_features, device=place.device).to(place.dtype)
    taken = kernels().tile_for
    found: dict[str, Any] = {}
    try:
        for tile in TILES[rows]:
            kernels().tile_for = lambda _: tile  # noqa: B023
            found[str(tile)] = failing(lambda: timed(lambda x: fused(layer, x, None), x, place))
    finally:
        kernels().tile_for = taken
    return found


def ways(layer: QuantizedLinear, rows: int, place: Place) -> Iterator[tuple[str, Product]]:
    """Each way to multiply, by its name."""
    weight = layer.weight_as(place.dtype)
    bias = None if layer.bias is None else layer.bias.to(place.dtype)
    yield "16 bits", lambda x: F.linear(x, weight, bias)
    yield "as chosen", layer
    yield "fused", lambda x: fused(layer, x, bias)
    yield "widened", lambda x: F.linear(x, kernels().widened(*held(layer), x.dtype), bias)
    if rows == max(ROWS[:1]):
        yield "16 bits, backward", lambda x: x @ weight
        yield "fused, backward", lambda x: fused_back(layer, x)
        yield "widened, backward", lambda x: x @ kernels().widened(*held(layer), x.dtype)
        yield "torch", lambda x: F.linear(x, WIDENED[layer.form](layer.held, layer.widths, x.dtype), bias)


def timed(product: Product, x: Tensor, place: Place) -> dict[str, float]:
    """The median of some rounds of calls, in microseconds a call."""
    for _ in range(3):
        product(x)
    found = {"call": in_a_row(lambda: [product(x) for _ in range(_CALLS)], place.device)}
    if place.device.type == "cuda":
        found["card"] = in_a_row(captured(product, x).replay, place.device)
    return found


def captured(product: Product, x: Tensor) -> "torch.cuda.CUDAGraph":
    """As many calls in one graph."""
    if x.device not in _streams:
        _streams[x.device] = torch.cuda.Stream(x.device)  # type: ignore[no-untyped-call]
    stream = _streams[x.device]
    stream.wait_stream(torch.cuda.current_stream(x.device))
    with torch.cuda.stream(stream):
        product(x)
    wait_for(x.device)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        for _ in range(_CALLS):
            product(x)
    return graph


# One for all captures: a library of the GPU makes itself ready on each.
_streams: dict[torch.device, "torch.cuda.Stream"] = {}


def in_a_row(calls: Callable[[], Any], device: torch.device) -> float:
    seconds = []
    for _ in range(_ROUNDS):
        wait_for(device)
        started = time.perf_counter()
        calls()
        wait_for(device)
        seconds.append(time.perf_counter() - started)
    return round(sorted(seconds)[_ROUNDS // 2] / _CALLS * 1e6, 2)


def failing(measure: Callable[[], Any]) -> Any:  # noqa: ANN401
    """What it gives, or in words why not."""
    try:
        return measure()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]


def kernels() -> Any:  # noqa: ANN401
    """The kernels themselves: what the library does where they fail is measured as `torch`."""
    from adaptkit.backbones import product_kernels

    return product_kernels


def held(layer: QuantizedLinear) -> tuple[Any, ...]:
    return layer.held, layer.form, layer.widths


def fused(layer: QuantizedLinear, x: Tensor, bias: Tensor | None) -> Tensor:
    product: Tensor = kernels().fused(x, bias, *held(layer), backward=False)
    return product


def fused_back(layer: QuantizedLinear, x: Tensor) -> Tensor:
    product: Tensor = kernels().fused(x, None, *held(layer), backward=True)
    return product


def gradient(layer: QuantizedLinear, x: Tensor) -> Tensor:
    """Something of a gradient's shape."""
    return torch.ones(len(x), layer.out_features, dtype=x.dtype, device=x.device)


def off(found: Tensor, exact: Tensor) -> float:
    return float((found.float() - exact).norm() / exact.norm())
