"""The version, and the name under which pip knows this package.

pyproject.toml reads the version from here without importing it; so nothing is imported here, and nothing is asked of
the installed metadata: a checkout that is only on the path has the same version.
"""

__version__ = "0.2.0"
"""The version of the package, as semantic versioning has it."""
# The package is imported as `adaptkit`. On the public index that name belongs to somebody else's package.
DISTRIBUTION = "adaptkit-nlp"


def install_command(extra: str) -> str:
    """What a user types to get an extra of pyproject.toml: `pip install 'adaptkit-nlp[onnx]'`."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"
