"""notebooks.py: every notebook runs from top to bottom, draws its pictures and says what it promises.

NOTEBOOKS_OUT=folder keeps the notebooks with their outputs, to look at.
"""

import os
import sys
from pathlib import Path

# What each must print, and how many pictures it must show. A tuple: any of these.
PROMISES = {
    "1-digits": (["This is a 7", "answered: 0 1 2 3 4 5 6 7 8 9", "The photograph shows a 3"], 3),
    "2-things": (["4 of 4 as we meant them", "This is a "], 3),
    "3-road-signs": (["as drawn: True", "tiles agree"], 3),
    "4-new-network": (["epoch 3: ", "of the 10,000 test pictures", "Ankle boot"], 3),
    "5-new-overlay": (["cycles an image", ("agree on every score: True", "not simulated here: ")], 1),
    "6-bits": (["This is a Trouser", "equal: True"], 3),
    "7-hardware": (["cycles an image", "this CPU"], 1),
}


def skip(why):
    print("skipped:", why)
    sys.exit(77)


try:
    import ipykernel  # noqa: F401
    import matplotlib  # noqa: F401
    import nbclient
    import nbformat
    import PIL  # noqa: F401
except ImportError as e:
    skip(f"{e} (python3-nbclient python3-ipykernel python3-matplotlib python3-pil)")


def outputs(notebook):
    """All that was printed or shown as text, and the number of pictures."""
    texts, pictures = [], 0
    for cell in notebook.cells:
        for out in cell.get("outputs", []):
            data = out.get("data", {})
            texts.append(out.get("text", "") or data.get("text/plain", ""))
            pictures += "image/png" in data
    return "\n".join(texts), pictures


def run(path):
    notebook = nbformat.read(path, 4)
    assert not any(cell.get("outputs") for cell in notebook.cells), f"{path.name}: outputs are committed; strip them"
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    if "NOTEBOOKS_OUT" in os.environ:
        nbformat.write(notebook, Path(os.environ["NOTEBOOKS_OUT"], path.name))
    text, pictures = outputs(notebook)
    promises, wanted = PROMISES[path.stem]
    wrong = [p for p in promises if not any(one in text for one in (p if isinstance(p, tuple) else (p,)))]
    if wrong or pictures < wanted:
        print(f"{path.name}: {pictures} pictures (expected {wanted}); not printed: {wrong}\n{text}")
        return False
    print(f"{path.name}: {pictures} pictures")
    return True


os.environ["XDG_CACHE_HOME"] = str(Path.cwd() / "cache")
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
os.environ["IPYTHONDIR"] = os.environ["JUPYTER_CONFIG_DIR"] = str(Path.cwd())
folder = Path(os.environ["BNN_SOURCE"], "examples", "notebooks")
if not Path("/usr/share/datasets/fashion-mnist").is_dir():
    skip("no /usr/share/datasets/fashion-mnist (dataset-fashion-mnist)")
names = sys.argv[1:] or sorted(PROMISES)
assert {path.stem for path in folder.glob("*.ipynb")} == set(PROMISES), "notebooks and PROMISES differ"
sys.exit(0 if all([run(folder / f"{name}.ipynb") for name in names]) else 1)
