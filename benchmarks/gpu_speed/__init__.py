"""How fast adaptkit is on a GPU, and peft beside it: rows that two processes measure in turn, most wanted first."""
