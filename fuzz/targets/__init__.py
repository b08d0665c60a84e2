"""The targets by name. A new one is a file beside this one and a row here."""

from fuzz.target import Target
from fuzz.targets import card, folders, json_text, labelled, names, peft_folder, results_file, search_index, tmx, zoos

TARGETS: dict[str, Target] = {
    "load_adapter": folders.LOAD,
    "verify": folders.VERIFY,
    "import_peft": peft_folder.IMPORT,
    "card": card.CARD,
    "stack": names.STACK,
    "adapter_id": names.ADAPTER_ID,
    "language": names.LANGUAGE,
    "strict_json": json_text.STRICT_JSON,
    "read_labelled": labelled.READ_LABELLED,
    "tmx": tmx.TMX,
    "results_file": results_file.RESULTS_FILE,
    "archive": zoos.ARCHIVE,
    "index": zoos.INDEX,
    "search_index": search_index.SEARCH_INDEX,
}
