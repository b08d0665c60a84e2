from adaptkit.requests.flags import flags
from tools.options_table import BEGIN, END, PAGE, PAGE_OF_PLANS, table, table_of_plans, written


def test_the_pages_have_the_options_as_they_are() -> None:
    for file, made in ((PAGE, table()), (PAGE_OF_PLANS, table_of_plans())):
        page = file.read_text(encoding="utf-8")
        assert page == written(page, made), "write it again: python -m tools.options_table"


def test_every_option_has_a_line() -> None:
    lines = table().splitlines()
    assert [flag for flag in flags() if not any(line.startswith(f"| `{flag.option.name}` |") for line in lines)] == []


def test_only_what_stands_between_the_marks_is_written() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert written(page, table()) == f"before\n{BEGIN}\n\n{table()}\n\n{END}\nafter\n"
