"""What is put off is done when it is asked for."""

from __future__ import annotations

import subprocess
import sys

from command_line import ROOT

PROGRAM = """
import sys
from studylib import pages
import jsonschema, papermill
assert "lark" not in sys.modules
known = jsonschema.FormatChecker().conforms
print([known(text, kind) for kind in ("iri", "iri-reference") for text in ("https://ä.org/ü", "#ä", "a b")])
import rfc3987_syntax.utils
from rfc3987_syntax import parse
print("lark" in sys.modules, parse("iri", "a:b").data, known("a:b", "iri"))
"""


def test_the_grammar_of_addresses_is_loaded_by_the_first_check() -> None:
    """Notebook tools are imported without its parser, and a schema that names an address is checked by it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[True, False, False, True, True, False]\nTrue iri True\n"
