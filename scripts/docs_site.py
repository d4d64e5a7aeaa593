"""Adapts the pages for the documentation site; ``mkdocs.yml`` names this file as its hook."""

import posixpath
import re
from typing import Any

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:)([^)\s]+)\)")
DRAWING = re.compile(r"^```mermaid\n.*?^```\n", re.MULTILINE | re.DOTALL)


def on_config(config: Any) -> Any:
    """Give headings the same anchors as on a forge."""
    config.mdx_configs["toc"] = {
        "slugify": lambda title, _: re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
    }
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Point links to files that are not pages to the repository; without one, make them plain text.

    ``sh run`` marks commands that the tests run; readers see ``sh``. Mermaid diagrams need a script
    from another site, so they are left out: the text below them says the same.
    """
    here = posixpath.dirname(page.file.src_uri)

    def linked(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(here, found[2]))
        if not path.startswith("../"):
            return found[0]
        return f"[{found[1]}]({config.repo_url}{path[3:]})" if config.repo_url else found[1]

    text = DRAWING.sub("", LINK.sub(linked, markdown))
    return re.sub(r"^```sh (run|serve)$", "```sh", text, flags=re.MULTILINE)
