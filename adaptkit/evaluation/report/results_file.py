"""results.json: the exact twin of a `TransferResults`, read strictly."""

import json
from pathlib import Path

from adaptkit.errors import ConfigError, DataError, SourceNotFound
from adaptkit.evaluation.results import TransferResults
from adaptkit.format.folder import whole_file
from adaptkit.format.strict_json import parse_json
from adaptkit.format.typed_json import MistypedJson, decode, encode, needed_version

RESULTS_VERSION = 6
_LEAST_VERSION = 2
MAX_RESULTS_BYTES = 64 * 2**20
_VERSION_KEY = "adaptkit_transfer_results"


def save_results(results: TransferResults, path: str | Path) -> None:
    """Write the results as JSON. A reader finds the old file or the new one, never half of one.

    Raises:
        ConfigError: A value is no JSON, such as NaN; nothing was written.
    """
    content, target = results_json(results), Path(path)
    with whole_file(target) as partial:
        partial.write_bytes(content)


def load_results(path: str | Path) -> TransferResults:
    """Read what `save_results` wrote.

    Raises:
        SourceNotFound: There is no such file.
        DataError: It is not the JSON of transfer results; the message names file and field.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_RESULTS_BYTES + 1)
    except OSError as error:
        raise SourceNotFound(f"{path}: cannot be read ({error.strerror}); give a results.json of a report.") from error
    if len(content) > MAX_RESULTS_BYTES:
        raise DataError(f"{path}: is larger than the reader's bound of {MAX_RESULTS_BYTES:,} bytes.")
    try:
        return _decode(parse_json(content))
    except (ValueError, MistypedJson) as error:
        raise DataError(f"{path}: is not the results of a transfer evaluation: {error}.") from error


def results_json(results: TransferResults) -> bytes:
    """The content of results.json.

    Raises:
        ConfigError: A value is no JSON, such as NaN or half of a surrogate pair.
    """
    try:
        version = max(_LEAST_VERSION, needed_version(results))
        text = json.dumps(
            {_VERSION_KEY: version, **encode(results, version)},
            indent=1,
            allow_nan=False,
            ensure_ascii=False,
        )
        return (text + "\n").encode()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"these results cannot be stored: {error}.") from error


def _decode(parsed: object) -> TransferResults:
    if not isinstance(parsed, dict) or _VERSION_KEY not in parsed:
        raise MistypedJson(f"it lacks the field {_VERSION_KEY!r}")
    version = parsed.pop(_VERSION_KEY)
    if type(version) is not int or not 1 <= version <= RESULTS_VERSION:
        raise MistypedJson(f"it has version {version!r}, this adaptkit reads 1 to {RESULTS_VERSION}")
    return decode(TransferResults, parsed, version=version)
