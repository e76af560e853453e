"""The backend in pure Python: block events from a trace instance, contents read back from the device."""
