"""Pictures of results; they only format frames."""

import logging

# Where it cannot keep its fonts matplotlib takes a temporary folder and tells at length; pictures are the same.
logging.getLogger("matplotlib").addFilter(lambda record: record.levelno > logging.WARNING)
