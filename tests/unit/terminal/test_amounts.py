from adaptkit.terminal.amounts import bytes_text, counted, shown_seconds, time_text


def test_one_is_one_and_all_else_is_several() -> None:
    assert [counted(n, "pair") for n in (0, 1, 2, 1200)] == ["0 pairs", "1 pair", "2 pairs", "1,200 pairs"]
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]


def test_sizes_have_a_fitting_unit() -> None:
    sizes = (0, 900, 11_264, 1_363_149, 2**30)
    assert [bytes_text(size) for size in sizes] == ["0 B", "900 B", "11 KiB", "1.3 MiB", "1,024 MiB"]


def test_times_have_a_fitting_unit() -> None:
    times = (0.4, 89.4, 92, 118, 121, 598, 601, 5390, 5600, 12_700)
    assert [time_text(seconds) for seconds in times] == [
        *("0 s", "89 s", "1 min 30 s", "2 min", "2 min", "10 min", "10 min", "1.5 h", "1.6 h", "3.5 h")
    ]


def test_what_is_no_time_is_said_so() -> None:
    assert {time_text(seconds) for seconds in (float("inf"), float("nan"))} == {"an unknown time"}
    assert time_text(shown_seconds(float("inf")) + shown_seconds(20)) == "an unknown time"


def test_what_is_shown_can_be_added_up() -> None:
    assert time_text(shown_seconds(20.4) + shown_seconds(104)) == "2 min 5 s"
    assert (time_text(20.4), time_text(104)) == ("20 s", "1 min 45 s")
