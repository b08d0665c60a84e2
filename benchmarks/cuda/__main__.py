"""`python -m benchmarks.cuda`, or `make cuda`: run every case on a GPU, and write what came of it."""

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from benchmarks.cuda.options import Options
from benchmarks.cuda.results import Results
from benchmarks.cuda.supervisor import supervise


def main(arguments: list[str]) -> int:
    """0 where every case was as it should be."""
    options = Options.of(arguments)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    shares = options.shares
    for each in (options, *shares):
        each.output.unlink(missing_ok=True)
    with ThreadPoolExecutor(options.workers) as side_by_side:
        whole = all(side_by_side.map(_supervised, shares))
    parts = [share.output for share in shares if share.output.exists()]
    if not parts:
        print("no case could be run")
        return 2
    results = Results.merged(options.output, parts)
    kinds = Counter(name.partition(":")[0] for name in results.failed)
    print(f"\n{len(results.cases) - len(results.failed)} passed, {len(results.failed)} failed; {options.output}")
    for name in results.failed:
        print(f"  {name}")
    if kinds:
        print(f"failed by kind: {dict(kinds)}")
    if not whole:
        print("not all cases were run")
    return 0 if whole and not results.failed else 1


def _supervised(share: Options) -> bool:
    """Whether all cases of a worker were run."""
    return supervise(
        [sys.executable, "-m", "benchmarks.cuda.worker", *share.arguments], share.output, until=share.until
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
