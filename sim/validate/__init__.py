"""The simulated zram compared with a kernel's: recorded rows of mm_stat, or a device of this host."""
