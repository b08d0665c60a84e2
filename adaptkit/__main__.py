"""`python -m adaptkit`."""

from adaptkit.cli import main

if __name__ == "__main__":
    main()
