"""The table of word embeddings in each form of `adaptkit.holding.EMBEDDING_FORMS`, a file for each."""
