"""How templates become pages: escaped, and never with a value that nobody gave.

Change here what holds for every page. What a page shows, and the words it uses, belong to whoever writes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def open_templates(folder: Path) -> Environment:
    """The templates of a folder. Whatever comes from outside of them is escaped, whatever a template is called."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
