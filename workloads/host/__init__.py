"""What this host's kernel lends us: zram devices, swap, cgroups, tracing; each taken back when it is no longer used."""
