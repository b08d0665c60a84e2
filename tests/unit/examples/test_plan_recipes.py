"""The recipes for clusters are what those read: they are parsed here, and not run."""

import ast
import re

import pytest
import yaml

from adaptkit.options import options_of
from adaptkit.requests import Planning
from adaptkit.requests.flags import plan_flags
from tests.examples import EXAMPLES

SKYPILOT = (EXAMPLES / "plan_on_skypilot.yaml").read_text(encoding="utf-8")
RAY = (EXAMPLES / "plan_on_ray.py").read_text(encoding="utf-8")
FIELDS = {"name", "num_nodes", "resources", "workdir", "envs", "file_mounts", "setup", "run"}


def test_the_skypilot_recipe_has_the_fields_of_a_task() -> None:
    task = yaml.safe_load(SKYPILOT)
    assert task.keys() == FIELDS
    assert task["resources"].keys() <= {"accelerators", "use_spot", "job_recovery"}
    assert task["file_mounts"]["/outputs"]["mode"] == "MOUNT_CACHED"
    assert all(isinstance(task[name], str) for name in ("setup", "run", "workdir"))


def test_the_ray_recipe_is_python_and_its_task_has_a_gpu() -> None:
    functions = {it.name: it for it in ast.walk(ast.parse(RAY)) if isinstance(it, ast.FunctionDef)}
    (remote,) = functions["trained"].decorator_list
    assert ast.unparse(remote) == "ray.remote(num_gpus=1, max_retries=3)"


@pytest.mark.parametrize("recipe", [SKYPILOT, RAY])
def test_flags_in_the_recipes_are_there(recipe: str) -> None:
    known = {*options_of(Planning), *(flag.option.name for flag in plan_flags())}
    used = re.findall(r"--([a-z]+)", recipe)
    assert used
    assert set(used) <= known
