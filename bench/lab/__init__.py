"""What the benchmarks share: the machine, the servers that are measured, running one measurement, tables."""
