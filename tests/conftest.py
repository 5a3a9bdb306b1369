"""What pytest leaves alone: programs that tests run themselves, and timings. PyTorch is made quicker for all tests."""

import tests.quicker_pytorch

collect_ignore_glob = ["scripts/*", "benchmarks/*"]
