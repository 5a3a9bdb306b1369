"""What pytest leaves alone: programs that tests run themselves, and timings."""

collect_ignore_glob = ["scripts/*", "benchmarks/*"]
