"""What the events of a trace tell by themselves: live slots, lifetimes, reuse distances, tasks."""
