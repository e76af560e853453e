"""`python -m sim` is `cswap`."""

from sim.cli import main

if __name__ == "__main__":
    main()
