"""Synthetic payments: customers, merchants, devices, counterparties and four kinds of fraud.

The same seed and arguments write the same bytes.
"""

from data.generator.stream import GeneratorSpec, generate
from data.generator.writer import GeneratorReport, write

__all__ = ["GeneratorReport", "GeneratorSpec", "generate", "write"]
