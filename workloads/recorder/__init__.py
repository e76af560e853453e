"""The recorder: what a program's memory does on a swap device, seen in the running kernel and written as a trace."""
