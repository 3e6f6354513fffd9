"""Who plays a part that a law speaks of by its kind: the leader, the second foundry, the anchor lab."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of firms and products by the part they play, as `data/world/roles.csv` gives them."""

    names: Mapping[str, tuple[str, ...]]

    def all(self, role: str) -> tuple[str, ...]:
        """Return everybody in a role, in the order of the data; nobody where the data names nobody."""
        return self.names.get(role, ())

    def one(self, role: str) -> str:
        """Return who alone plays a role.

        Raises
        ------
        LookupError
            if nobody does, or several do.
        """
        found = self.all(role)
        if len(found) != 1:
            raise LookupError(f"roles.csv: {len(found)} names for {role}; one is wanted")
        return found[0]
