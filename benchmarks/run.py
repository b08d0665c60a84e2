"""`python -m benchmarks.run CASE [options]`: run one case and append its result."""

import importlib
import sys
from pathlib import Path


def main() -> None:
    cases = sorted(path.stem for path in (Path(__file__).parent / "cases").glob("[a-z]*.py"))
    if len(sys.argv) < 2 or sys.argv[1] not in cases:
        raise SystemExit(f"usage: python -m benchmarks.run CASE [options]; cases: {', '.join(cases)}")
    importlib.import_module(f"benchmarks.cases.{sys.argv[1]}").main(sys.argv[2:])


if __name__ == "__main__":
    main()
