"""Plots of results; they only format frames."""

import logging

# Where it cannot keep its fonts matplotlib uses a temporary folder and warns at length; plots are the same.
logging.getLogger("matplotlib").addFilter(lambda record: record.levelno > logging.WARNING)
