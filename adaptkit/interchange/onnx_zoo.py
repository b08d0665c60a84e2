"""All LoRAs of a zoo as files that onnxruntime gives to the one graph of their backbone."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from adaptkit.composition import AdapterId
from adaptkit.errors import CompatibilityError, ConfigError, NotConvertible
from adaptkit.format.folder import whole_addition
from adaptkit.interchange.onnx_adapter import GRAPH_FILES, SUFFIX, OnnxAdapter, StackWeights, graph_in, require_free
from adaptkit.interchange.onnx_file import require_packages, require_whole
from adaptkit.model import AdaptedModel
from adaptkit.storage import Zoo


@dataclass(frozen=True)
class OnnxZoo:
    """What was written of a zoo, by the id of the adapter, and why each of the others was not."""

    written: Mapping[str, OnnxAdapter]
    left_out: Mapping[str, str]


def export_onnx_zoo(
    model: AdaptedModel,
    zoo: Zoo | str | PathLike[str],
    folder: str | PathLike[str],
    *,
    told: Callable[[str], None] = lambda _: None,
) -> OnnxZoo:
    """Write each LoRA of a zoo that fits the backbone as `export_onnx_adapter` does; `told` hears of each.

    Files have the name of their adapter, or `KIND-NAME` where two would have the same name or a file of the graph has
    it. All of them are put in place at once when the last has been tried, or none. The zoo becomes that of the model,
    whose stacks may name its adapters.

    Raises:
        ConfigError: The folder has no graph of this backbone, or one of the files is there already; or no adapter fits.
        AdapterFileError: An adapter that is not sound.
        AdapterExists: Two adapters of one id.
    """
    require_packages()
    require_whole(model.backbone)
    place = Path(folder)
    graph, files = graph_in(place, model), _names(model.attach_zoo(zoo))
    for name in files.values():
        require_free(place, name)
    written: dict[str, OnnxAdapter] = {}
    left_out: dict[str, str] = {}
    with whole_addition(place) as partial:
        for adapter_id, name in files.items():
            try:
                made = StackWeights.of(model, adapter_id).written(graph, partial / f"{name}{SUFFIX}")
            except (CompatibilityError, NotConvertible) as error:
                left_out[adapter_id] = str(error)
                told(f"{adapter_id} is left out: {error}")
                continue
            written[adapter_id] = OnnxAdapter(place / made.path.name, made.output_error)
            told(f"{adapter_id}: {made.path.name} (output error {made.output_error:.1e})")
        if not written:
            raise ConfigError(f"no adapter of {zoo} fits the graph in {place}; nothing was written.{_whys(left_out)}")
    return OnnxZoo(written, left_out)


def _names(ids: Iterable[str]) -> dict[str, str]:
    """What the files of each are called."""
    found = {adapter_id: AdapterId.parse(adapter_id) for adapter_id in sorted(ids)}
    shared = Counter(each.name for each in found.values())
    whole = {adapter_id: f"{each.kind}-{each.name}" for adapter_id, each in found.items()}
    # A name may itself be that of a kind and another name.
    taken = {name for name, count in shared.items() if count > 1} | set(whole.values()) | GRAPH_FILES
    return {adapter_id: whole[adapter_id] if each.name in taken else each.name for adapter_id, each in found.items()}


def _whys(left_out: Mapping[str, str]) -> str:
    return "".join(f"\n{adapter_id}: {why}" for adapter_id, why in left_out.items())
