"""The backend `bpf`: the kernel itself copies each page as it is written to the device."""
