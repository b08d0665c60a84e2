"""What adaptkit gives on a GPU, against what it gives on the CPU: one list of cases, run with or without pytest."""
