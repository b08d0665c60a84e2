"""The Dockerfile and the recipe for conda-forge say what the package needs; they are read here, and not built."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INSTRUCTIONS = {"FROM", "ARG", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
IN_CONDA = {"pytorch": "torch"}


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def recipe() -> dict[str, Any]:
    text = (ROOT / "packaging" / "conda" / "meta.yaml").read_text(encoding="utf-8")
    made = Environment(undefined=StrictUndefined, autoescape=True)  # of versions, in which there is nothing to escape
    filled = made.from_string(text).render(environ={}, PYTHON="python")
    found: dict[str, Any] = yaml.safe_load(filled)
    return found


def name_and_bound(requirement: str) -> tuple[str, str]:
    match = re.fullmatch(r"([\w.-]+)\s*(.*)", requirement)
    assert match is not None
    return match[1], match[2]


def test_the_dockerfile_is_made_of_instructions_and_copies_what_is_there() -> None:
    found = instructions()
    assert found[0][0] == "FROM"
    assert {name for name, _ in found} <= INSTRUCTIONS
    for name, rest in found:
        if name == "COPY":
            assert all((ROOT / source).exists() for source in shlex.split(rest)[:-1]), rest
    assert [rest for name, rest in found if name == "USER"] == ["adaptkit"]


def test_the_user_of_the_container_owns_its_volumes() -> None:
    found = instructions()
    as_user = found[found.index(("USER", "adaptkit")) : [name for name, _ in found].index("VOLUME")]
    (home,) = (rest for name, rest in as_user if name == "WORKDIR")
    (made,) = (shlex.split(rest)[1:] for name, rest in as_user if name == "RUN" and rest.startswith("mkdir "))
    (volumes,) = (json.loads(rest) for name, rest in found if name == "VOLUME")
    assert {f"{home}/{folder}" for folder in made} == set(volumes)


def test_the_container_installs_extras_that_there_are() -> None:
    (extras,) = (found[1] for _, rest in instructions() if (found := re.search(r'"\.\[([\w,-]+)\]"', rest)))
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()
    minor = re.match(r"python:3\.(\d+)", instructions()[0][1])
    assert minor is not None
    assert f">=3.{minor[1]}" == PROJECT["requires-python"]


def test_the_recipe_needs_what_the_package_needs() -> None:
    run = dict(map(name_and_bound, recipe()["requirements"]["run"]))
    assert run.pop("python") == PROJECT["requires-python"]
    assert {IN_CONDA.get(name, name): bound for name, bound in run.items()} == dict(
        map(name_and_bound, PROJECT["dependencies"])
    )
    assert recipe()["build"]["entry_points"] == [f"adaptkit = {PROJECT['scripts']['adaptkit']}"]
    assert recipe()["package"]["name"] == PROJECT["name"]
    assert all((ROOT / name).is_file() for name in recipe()["about"]["license_file"])
