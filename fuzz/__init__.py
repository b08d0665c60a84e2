"""Hostile input by the hundred thousand: `python -m fuzz --target load_adapter --minutes 2`.

It stands beside `tests` and not in it: a run takes minutes and ends by the clock. What it has found is kept as ordinary
tests in `tests/attacks`. What it needs of the tests (tiny backbones, golden adapters) it imports.

A target is a row of `fuzz.targets.TARGETS`: seeds, a way to change them, and what is to be read. A value, or one of
adaptkit's own errors told in one short message, is right. Anything else is a finding: another exception, more than a
few seconds, more than 500 MB, a written file, a file opened elsewhere, a started process, a value that is not sound.
"""
