"""What an allocator raises."""


class AllocatorError(ValueError):
    """An invalid name, parameter or call; one line with the remedy."""


class Refused(Exception):
    """The allocator does not take this object."""


class TooLarge(Refused):
    """The size lies outside what this allocator holds at all (0 included)."""


class NoMemory(Refused):
    """The page allocator has no block of the order that is needed."""


class UnknownHandle(AllocatorError):
    """No object has this handle."""


class CheckFailed(AssertionError):
    """A recount from scratch differs from the running state: a bug in the allocator."""
