"""The simulated zram held against a kernel's: recorded rows of mm_stat, or a device of this host."""
