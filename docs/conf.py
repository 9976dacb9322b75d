"""Sphinx: the pages of this folder, the Python package (autodoc) and the C headers (Doxygen, breathe).

    sphinx-build -W -b html docs build/docs

The package must be importable: PYTHONPATH=build/release/python, or installed.
"""

import subprocess
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent

project = "bnn"
author = "the bnn authors"
copyright = "2026, the bnn authors"
version = release = "0.1.0"

extensions = ["breathe", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["man"]
html_theme = "alabaster"
html_theme_options = {"description": "networks of one and two bits", "page_width": "1080px", "sidebar_width": "230px", "fixed_sidebar": True}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
pygments_style = "friendly"

myst_heading_anchors = 3
# Pages name files of the repository beside them (networks/..., src/...), which are no pages.
suppress_warnings = ["myst.xref_missing"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = True

# ---------------------------------------------------------------- C: the comments of the headers


def run_doxygen() -> str:
    """XML of include/bnn; doxygen_filter.py makes its plain comments Doxygen's."""
    out = Path(tempfile.mkdtemp(prefix="bnn-doxygen-"))
    settings = {
        "PROJECT_NAME": "bnn", "QUIET": "YES", "WARNINGS": "NO", "INPUT": ROOT / "include" / "bnn", "OUTPUT_DIRECTORY": out,
        "GENERATE_HTML": "NO", "GENERATE_LATEX": "NO", "GENERATE_XML": "YES", "EXTRACT_ALL": "YES", "OPTIMIZE_OUTPUT_FOR_C": "YES",
        "INPUT_FILTER": f"/usr/bin/env python3 {DOCS / 'doxygen_filter.py'}", "ENABLE_PREPROCESSING": "YES", "MACRO_EXPANSION": "YES",
        "EXPAND_ONLY_PREDEF": "YES", "PREDEFINED": "BNN_API=", "JAVADOC_AUTOBRIEF": "NO", "TYPEDEF_HIDES_STRUCT": "YES",
        "SHOW_INCLUDE_FILES": "NO", "SORT_MEMBER_DOCS": "NO",
    }
    text = "".join(f'{key} = "{value}"\n' for key, value in settings.items())
    subprocess.run(["doxygen", "-"], input=text, text=True, check=True)
    return str(out / "xml")


breathe_projects = {"bnn": run_doxygen()}
breathe_default_project = "bnn"
breathe_domain_by_extension = {"h": "c"}
