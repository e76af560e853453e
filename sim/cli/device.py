"""The option `--device zram`."""

from __future__ import annotations


def check_device(device: str) -> None:
    """Raise UserError for a device that cannot be added to a host."""
    from sim.errors import UserError

    if device != "zram":
        raise UserError(f"--device {device}: only zram devices can be added; give --device zram")
