"""What the site needs that the pages do not say; ``mkdocs.yml`` names this file as its hook."""

import posixpath
import re
from typing import Any

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:)([^)\s]+)\)")
DRAWING = re.compile(r"^```mermaid\n.*?^```\n", re.MULTILINE | re.DOTALL)


def on_config(config: Any) -> Any:
    """Headings have the same anchors as on a forge."""
    config.mdx_configs["toc"] = {
        "slugify": lambda title, _: re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
    }
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Links to files that are no pages lead to the repository, or are plain text without one.

    ``sh run`` marks what the tests run; to a reader it is ``sh``. Drawings in Mermaid need a script
    of another site and are left out: the text below them says the same.
    """
    here = posixpath.dirname(page.file.src_uri)

    def linked(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(here, found[2]))
        if not path.startswith("../"):
            return found[0]
        return f"[{found[1]}]({config.repo_url}{path[3:]})" if config.repo_url else found[1]

    text = DRAWING.sub("", LINK.sub(linked, markdown))
    return re.sub(r"^```sh (run|serve)$", "```sh", text, flags=re.MULTILINE)
