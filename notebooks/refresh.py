"""``python notebooks/refresh.py``: run the training notebooks and keep their outputs.

They run in a temporary folder with a link to this repository, so that the files they write do not
stay. Each stores a digest of the code and data that it used, which a test compares.
"""

import ast
import hashlib
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
TRAINING, DATA = HERE.parent / "training", HERE.parent / "data"
RAN = "ran_sha256"


def digest(notebook: nbformat.NotebookNode) -> str:
    """SHA-256 over all that determines the outputs: the code of cells and training/, and data."""
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    files = [*_modules_behind(code), *sorted(DATA.rglob("*.csv*"))]
    parts = [code.encode(), *(path.read_bytes() for path in files)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _modules_behind(code: str) -> list[Path]:
    """The modules of training/ that ``code`` imports, directly or not."""
    found: set[Path] = set()
    sources = [code]
    while sources:
        new = _imported(sources.pop()) - found
        found |= new
        sources += [path.read_text() for path in new]
    return sorted(found)


def _imported(source: str) -> set[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level or module.partition(".")[0] == "training":
                names |= {module.rpartition(".")[2], *(alias.name for alias in node.names)}
    paths = {TRAINING / f"{name}.py" for name in names}
    return {path for path in paths if path.exists()}


def refresh(path: Path) -> None:
    """Run ``path`` from the first to the last cell and write it back."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("training", "predictor", "data"):
            Path(folder, name).symlink_to(HERE.parent / name)
        NotebookClient(
            notebook, timeout=600, record_timing=False, resources={"metadata": {"path": folder}}
        ).execute()
    notebook.metadata[RAN] = digest(notebook)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for path in sorted(HERE.glob("*.ipynb")):
        print(path.name)
        refresh(path)
