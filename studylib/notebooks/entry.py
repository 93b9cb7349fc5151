"""What papermill finds under the name "studylib", as it loads all engines whenever it is imported.

It is half imported itself at that time, so the engine, which builds on it, is loaded by the first run.
"""

from __future__ import annotations

from typing import Any, final


@final
class StudylibEngine:
    """The engine of ``papermill --engine studylib``."""

    @staticmethod
    def execute_notebook(*arguments: Any, **settings: Any) -> Any:
        """Run a notebook; see `studylib.notebooks.engine.Engine`."""
        from studylib.notebooks.engine import Engine

        return Engine.execute_notebook(*arguments, **settings)

    @staticmethod
    def nb_kernel_name(*arguments: Any) -> Any:
        """Return the name of the kernel that the notebook asks for."""
        from studylib.notebooks.engine import Engine

        return Engine.nb_kernel_name(*arguments)

    @staticmethod
    def nb_language(*arguments: Any) -> Any:
        """Return the language of the notebook."""
        from studylib.notebooks.engine import Engine

        return Engine.nb_language(*arguments)
