"""What the recorder adds to this host's kernel: zram devices, swap, cgroups, tracing; each removed after use."""
