"""What this host takes: its codecs, its memory, its kernel's way to a zram device and back."""
