"""cswap."""
