"""Recording without privilege: snapshots of one's own processes, and reclaim as a simple policy would do it."""
