"""The newest result of each case against the last accepted one with the same settings.

`python -m benchmarks.compare [--over 0.05] [FILE]`: numbers that differ by more than that share of the accepted one. A
result is accepted by committing it.
"""

import argparse

from benchmarks.results_files import Result, accepted, all_results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--over", type=float, default=0.05)
    parser.add_argument("file", nargs="?", help="name of a result; without it, the newest of each case and settings")
    options = parser.parse_args()
    known = {result.name for result in accepted()}
    new = [result for result in all_results() if result.name not in known]
    chosen = [result for result in all_results() if result.name == options.file] if options.file else _newest(new)
    if not chosen:
        raise SystemExit("there is no result that is not committed yet; run `make bench`, or name a file in results/")
    for result in chosen:
        before = [one for one in accepted() if one.key == result.key and one.name < result.name]
        if not before:
            print(f"{result.name}: nothing accepted with the same case and settings")
            continue
        print(f"{result.name} against {before[-1].name}")
        for line in differences(result, before[-1], over=options.over):
            print(f"  {line}")


def differences(new: Result, old: Result, *, over: float) -> list[str]:
    """A line for each number that changed by more than a share, and for each that is there once only."""
    now, then = new.numbers(), old.numbers()
    told = []
    for name in dict.fromkeys([*now, *then]):
        if name not in now or name not in then:
            told.append(f"{name}: {'new' if name in now else 'gone'}")
        elif abs(now[name] - then[name]) > over * abs(then[name]):
            told.append(f"{name}: {then[name]:.4g} -> {now[name]:.4g} ({_times(now[name], then[name])})")
    return told or [f"nothing changed by more than {over:.0%}"]


def _times(now: float, then: float) -> str:
    return f"{now / then:.2f} x" if then else "was 0"


def _newest(results: list[Result]) -> list[Result]:
    return list({result.key: result for result in results}.values())


if __name__ == "__main__":
    main()
