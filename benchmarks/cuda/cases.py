"""The one list of cases, for the command and for pytest."""

from benchmarks.cuda import answers, files, forms, passes, real, recorded, stacks, states, trainings
from benchmarks.cuda.case import Case


def all_cases() -> dict[str, Case]:
    """Every case by its name: those that take the embedded backbone first, as their figures are wanted most."""
    modules = (real, passes, recorded, states, forms, stacks, answers, files, trainings)
    cases = [case for module in modules for case in module.cases()]
    found = {case.name: case for case in cases}
    assert len(found) == len(cases), "two cases have one name"
    return found
