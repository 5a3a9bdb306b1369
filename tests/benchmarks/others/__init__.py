"""Other frameworks beside PyTorch: python -m tests.benchmarks.others"""
