"""How two results differ: by how much, and whether that is more than chance."""

from sim.results.differences.differences import Differences as Differences
from sim.results.differences.differences import differences as differences
from sim.results.differences.opening import open_result as open_result
