"""The rows: who measures what. Nothing here needs torch, so that the supervisor starts at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

OURS, PEER = "adaptkit", "peft"
COMPILED = "adaptkit, compiled"
"""A process of its own, which compiles while others measure."""
SMALL, BASE, LARGE, DECODER = "e5-small", "xlm-roberta-base", "xlm-roberta-large", "decoder"
FULL, NEWS = "full", "news"
AHEAD, AS_READ = "fetched ahead", "as they are read"


@dataclass(frozen=True)
class Row:
    """One measurement: a function of a side's table, and what it is given.

    What runs `beside` the others is begun, and not waited for before its side is asked again.
    """

    side: str
    what: str
    options: Mapping[str, str | int] = field(default_factory=dict)
    beside: bool = False

    @property
    def name(self) -> str:
        """Side, function and options, in a line; no two rows have one."""
        return " | ".join([self.side, self.what, *(f"{key}={value}" for key, value in self.options.items())])


def _passes(shape: str, *forms: str, side: str = OURS) -> Iterator[Row]:
    for form in forms:
        yield Row(side, "passes", {"shape": shape, "form": form})


def _many(shape: str, count: int, form: str, side: str = OURS) -> Row:
    return Row(side, "many", {"shape": shape, "adapters": count, "form": form})


def _trained(shape: str, bits: int, lengths: str, side: str = OURS) -> Row:
    return Row(side, "mlm", {"shape": shape, "bits": bits, "lengths": lengths})


def _recorded(shape: str, what: str, **options: str | int) -> Row:
    return Row(OURS, what, {"shape": shape, **options, "form": "recorded"})


def _encoded(shape: str, bits: int) -> Row:
    return Row(OURS, "encode", {"shape": shape, "bits": bits})


def _paged(shape: str, bits: int) -> Iterator[Row]:
    for words in (AHEAD, AS_READ):
        yield Row(OURS, "paged", {"shape": shape, "bits": bits, "words": words})


def _busy(shape: str, form: str, side: str = OURS) -> Row:
    return Row(side, "busy", {"shape": shape, "form": form})


def _compiled(shape: str, what: str, *, beside: bool = False) -> Iterator[Row]:
    for form in ("compiled", "compiled, reduce-overhead"):
        yield Row(COMPILED, what, {"shape": shape, "form": form}, beside)


def _step(shape: str, form: str) -> Row:
    return Row(OURS, "step", {"shape": shape, "form": form})


def _texts(shape: str, graphs: str) -> Row:
    return Row(OURS, "encode_texts", {"shape": shape, "graphs": graphs})


_FORMS = ("bare", "hooks", "bound", "graph")


def all_rows() -> list[Row]:
    """Every row, those that are wanted most first: a run that is cut off has these."""
    return [
        *_passes(BASE, *_FORMS),
        Row(OURS, "replayed", {"shape": BASE}),
        *(_many(BASE, 32, form) for form in ("hooks", "banks", "banks, graph")),
        _busy(BASE, "graph"),
        _busy(BASE, "hooks"),
        *_passes(BASE, "bare", "adapter", side=PEER),
        *_compiled(BASE, "prepare", beside=True),
        _texts(BASE, "never"),
        _texts(BASE, "auto"),
        _encoded(BASE, 16),
        *(_step(BASE, form) for form in ("recorded", "hooks", "bound", "graph")),
        *(_recorded(BASE, "mlm", bits=32, lengths=lengths) for lengths in (FULL, NEWS)),
        _trained(BASE, 32, FULL),
        _trained(BASE, 32, NEWS),
        _trained(BASE, 32, FULL, PEER),
        _trained(BASE, 32, NEWS, PEER),
        _encoded(BASE, 8),
        _encoded(BASE, 4),
        _trained(BASE, 4, FULL),
        _recorded(BASE, "mlm", bits=4, lengths=FULL),
        *_compiled(BASE, "passes"),
        *_passes(SMALL, *_FORMS),
        _texts(SMALL, "never"),
        _texts(SMALL, "auto"),
        *(_encoded(SMALL, bits) for bits in (16, 8, 4)),
        *_paged(SMALL, 4),
        _trained(SMALL, 32, FULL),
        _recorded(SMALL, "mlm", bits=32, lengths=FULL),
        Row(OURS, "distill", {"shape": SMALL}),
        _recorded(SMALL, "distill"),
        Row(OURS, "attach", {"shape": BASE, "adapters": 32}),
        _many(BASE, 32, "adapter", PEER),
        *_passes(LARGE, *_FORMS),
        *_passes(LARGE, "bare", "adapter", side=PEER),
        _recorded(LARGE, "mlm", bits=32, lengths=FULL),
        _trained(LARGE, 32, FULL),
        _trained(LARGE, 32, FULL, PEER),
        Row(OURS, "generate", {"shape": DECODER}),
        *(_many(BASE, 256, form) for form in ("banks, graph", "banks", "hooks")),
        _busy(BASE, "bound"),
        _encoded(BASE, 32),
        _encoded(SMALL, 32),
        Row(OURS, "distill", {"shape": BASE}),
        *(_trained(BASE, bits, FULL) for bits in (16, 8)),
        *_passes(SMALL, "bare", "adapter", side=PEER),
        _trained(SMALL, 32, FULL, PEER),
        _busy(BASE, "adapter", PEER),
        *(_trained(SMALL, bits, FULL) for bits in (8, 4)),
        _trained(LARGE, 4, FULL),
    ]
