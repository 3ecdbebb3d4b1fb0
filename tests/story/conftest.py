"""What pytest looks for here; tests/fault has the same."""

from fixtures import *      # noqa: F403
