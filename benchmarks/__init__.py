"""What the speed claims rest on: `python -m benchmarks` measures, prints, and writes docs/performance.md."""
