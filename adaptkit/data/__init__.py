"""Text in: corpora, parallel lines, and a look at them before training."""
