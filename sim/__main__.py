"""`cswap`, and `python -m sim`."""

from __future__ import annotations

from sim.interrupts import INTERRUPTED, end, leave


def main() -> None:
    """Run the command line; never returns. Even its imports, which take a moment, may be interrupted."""
    try:
        try:
            from sim.cli import main as command

            command()
        except KeyboardInterrupt:
            end()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            leave()
        raise


if __name__ == "__main__":
    main()
