"""The fixtures of tests/e2e, for tests that break things."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
from conftest import own_server, server  # noqa: E402,F401
