"""A result as one page of HTML that needs nothing else."""

from sim.report.page import page as page
from sim.report.writing import write_page as write_page
