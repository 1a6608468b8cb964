"""`python -m ticktick` is `ticktick`."""

from ticktick.cli import main

if __name__ == "__main__":
    main()
