"""A world of payments: customers, merchants, devices, counterparties and four kinds of fraud.

Everything follows from the seed and the arguments: the same call writes the same bytes.
"""

from data.generator.stream import GeneratorSpec, generate
from data.generator.writer import GeneratorReport, write

__all__ = ["GeneratorReport", "GeneratorSpec", "generate", "write"]
