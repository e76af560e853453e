"""Settings recommended for one's own traces: each with what was simulated, and how sure it is."""

from sim.advice.advice import Advised, advise
from sim.advice.judging import Advice

__all__ = ["Advice", "Advised", "advise"]
