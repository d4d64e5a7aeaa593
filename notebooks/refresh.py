"""``python notebooks/refresh.py``: run the training notebooks and keep their outputs.

They run beside a link to this repository, so that what they write does not stay, and remember the
code they ran: a test compares.
"""

import hashlib
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
RAN = "code_sha256"


def code_digest(notebook: nbformat.NotebookNode) -> str:
    """SHA-256 over the code of all cells."""
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()


def refresh(path: Path) -> None:
    """Run ``path`` from the first to the last cell and write it back."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("training", "predictor", "data"):
            Path(folder, name).symlink_to(HERE.parent / name)
        NotebookClient(
            notebook, timeout=600, record_timing=False, resources={"metadata": {"path": folder}}
        ).execute()
    notebook.metadata[RAN] = code_digest(notebook)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for path in sorted(HERE.glob("*.ipynb")):
        print(path.name)
        refresh(path)
