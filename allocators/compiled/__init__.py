"""What all compiled code shares: how it is compiled and cached, its data structures, and its choice among models."""
