"""How fast the workflow is, beside what a user would pick instead. `python -m benchmarks --help`"""
