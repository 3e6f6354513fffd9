"""Keep the four folders out of site-packages in editable installs.

`force-include` brings them into the wheel; an editable install would copy them too, and the copies
would be imported should `src` move. A non-empty `force_include_editable` takes its place there; an
empty folder makes it non-empty and copies nothing.
"""

from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class EditableHook(BuildHookInterface):
    """Replace the forced folders by an empty one when the build is editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before the build; `version` is `standard` or `editable`."""
        if version == "editable":
            self.nothing = TemporaryDirectory()
            build_data["force_include_editable"] = {self.nothing.name: "computemarket"}
