from adaptkit.terminal.amounts import bytes_text, counted


def test_one_is_one_and_all_else_is_several() -> None:
    assert [counted(n, "pair") for n in (0, 1, 2, 1200)] == ["0 pairs", "1 pair", "2 pairs", "1,200 pairs"]
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]


def test_sizes_have_a_fitting_unit() -> None:
    sizes = (0, 900, 11_264, 1_363_149, 2**30)
    assert [bytes_text(size) for size in sizes] == ["0 B", "900 B", "11 KiB", "1.3 MiB", "1,024 MiB"]
