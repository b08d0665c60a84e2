"""How messages and reports write amounts."""


def bytes_text(count: int) -> str:
    """`812 KiB`, `1.3 MiB`, `1,204 MiB`."""
    if count < 2**20:
        return f"{count / 2**10:,.0f} KiB" if count >= 2**10 else f"{count} B"
    return f"{count / 2**20:,.{1 if count < 100 * 2**20 else 0}f} MiB"


def counted(count: int, noun: str, several: str | None = None) -> str:
    """`1 seed`, `3 seeds`; `several` is the noun's plural where it is another one (`entries`)."""
    return f"{count:,} {noun if count == 1 else several or f'{noun}s'}"


def row_of(number: int, what: str) -> str:
    """`row 3 of the queries`, as a person counts; `number` counts from 0."""
    return f"row {number + 1:,} of the {what}"
