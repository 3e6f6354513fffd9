"""How the documentation is built: `make docs`, any warning is an error."""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))
import reference

from computemarket import __version__

project = "computemarket"
author = "the computemarket developers"
version = release = __version__
copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "computemarket"
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_show_sphinx = False
html_show_copyright = False

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
default_role = "literal"  # `x` in a docstring is code

autodoc_typehints = "none"  # docstrings give shapes and units, which the types do not know
add_module_names = False  # the page names the module
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_use_rtype = False
napoleon_use_param = False
napoleon_use_ivar = True

_CODE = re.compile(r"(``.+?``|`[^`]+`)")
_SPECIAL = re.compile(r"([*|\\]|(?<=\w)_(?=\W|$))")


def plain(line: str) -> str:
    """Return a line of a docstring as text to be shown as it stands, code aside: our docstrings are not markup."""
    return "".join(
        part if place % 2 else _SPECIAL.sub(r"\\\1", part) for place, part in enumerate(_CODE.split(line))
    )


def _plain_docstring(
    _app: object, _what: str, _name: str, _thing: object, _opt: object, lines: list[str]
) -> None:
    lines[:] = [plain(line) for line in lines]


def setup(app: Sphinx) -> None:
    """Write the generated pages before anything is read."""
    app.connect("builder-inited", lambda _: reference.write(Path(__file__).parent / "generated"))
    app.connect("autodoc-process-docstring", _plain_docstring, priority=400)  # before napoleon at 500
