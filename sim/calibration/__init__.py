"""Calibration: how fast this host's compressors and memory are, and its kernel's path to a zram device and back."""
