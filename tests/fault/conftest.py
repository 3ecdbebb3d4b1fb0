"""Stories like those in tests/story, with their harness and their fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "story"))

from fixtures import *      # noqa: E402, F403
