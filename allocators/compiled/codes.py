"""What `alloc` returns instead of a handle (handles are 0 and up)."""

TOO_LARGE = -1
NO_MEMORY = -2
NO_ROOM = -3  # the arrays must grow first; never seen outside `allocators`
