"""An index of sentences by their vectors: what is kept of a corpus, who made its vectors, and the folder it lies in."""

from adaptkit.search.index_folder import KeptIndex, read_index_folder, read_index_record, write_index_folder
from adaptkit.search.record import INDEX_VERSION, IndexRecord, VectorOrigin
from adaptkit.search.sentences import Hit, Sentences, distinct_sentences

__all__ = [
    "INDEX_VERSION",
    "Hit",
    "IndexRecord",
    "KeptIndex",
    "Sentences",
    "VectorOrigin",
    "distinct_sentences",
    "read_index_folder",
    "read_index_record",
    "write_index_folder",
]
