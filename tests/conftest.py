"""What the tests share: where the checkout is, and a profile that keeps hypothesis repeatable."""

from pathlib import Path

import pytest
from hypothesis import settings

# Results must not depend on the machine's speed or on chance: no deadline, the same examples each time.
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the root of the checkout, also when the installed wheel is what is tested."""
    return Path(__file__).resolve().parents[1]
