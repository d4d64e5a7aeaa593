"""Generate docs/settings.md and docs/commands.md.

``.venv/bin/python scripts/reference.py``. Settings come from ``.env.sample``, commands from their
``help``.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "predictor" / "management" / "commands"
NOTE = "<!-- scripts/reference.py writes this page. -->\n"
SECTION = re.compile(r"^# --- (.+?) -+$")
SETTING = re.compile(r"^#([A-Z_]+)=(.*)$")


def settings_page() -> str:
    """Every setting with its default and meaning, in the sections of ``.env.sample``."""
    lines = [
        NOTE,
        "# Settings\n",
        "A setting comes from the environment or from `.env`; the environment takes precedence.",
        "[`.env.sample`](../.env.sample) has the same list to copy. An empty value of a setting",
        "that is true or false, or a number, counts as not set. A value that cannot be read stops",
        "the server with the setting's name.",
    ]
    meaning: list[str] = []
    settings: list[tuple[str, str]] = []  # those below the same comment
    for line in [*(ROOT / ".env.sample").read_text().splitlines(), ""]:
        if setting := SETTING.match(line):
            settings.append((setting[1], setting[2]))
            continue
        if settings:
            names = "<br>".join(f"`{name}`" for name, _ in settings)
            defaults = "<br>".join(f"`{default}`" if default else "" for _, default in settings)
            lines.append(f"| {names} | {defaults} | {_cell(meaning)} |")
            settings, meaning = [], []
        if section := SECTION.match(line):
            lines += [
                "",
                f"## {section[1]}",
                "",
                "| setting | default | meaning |",
                "|---|---|---|",
            ]
        elif line.startswith("# "):
            meaning.append(line.removeprefix("# "))
        else:
            meaning = []
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command of ``manage.py`` with its help."""
    lines = [
        NOTE,
        "# Commands\n",
        "`manage.py NAME --help` lists the arguments. With the package installed, write",
        "`batcomputer manage NAME`. The other commands of `batcomputer`, and the training",
        "programs, are in [local development](local-development.md#installed-as-a-package).\n",
        "| command | what it does |",
        "|---|---|",
    ]
    lines += [
        f"| `manage.py {path.stem}` | {_cell([_help(path)])} |"
        for path in sorted(COMMANDS.glob("[a-z]*.py"))
    ]
    return "\n".join(lines) + "\n"


def _help(path: Path) -> str:
    """A command's ``help``; if it inherits Django's, the module's docstring."""
    module = ast.parse(path.read_text())
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "help":
            return str(ast.literal_eval(node.value))
    return (ast.get_docstring(module) or "").replace("``", "`")


def _cell(texts: list[str]) -> str:
    return " ".join(texts).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    (ROOT / "docs" / "settings.md").write_text(settings_page())
    (ROOT / "docs" / "commands.md").write_text(commands_page())
