"""The outputs of one cell, filled in message by message as nbclient would, in time that grows with them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

from nbformat import NotebookNode
from nbformat.v4 import new_output

from studylib.notebooks.driver import Message
from studylib.notebooks.texts import as_seen

if TYPE_CHECKING:
    from papermill.clientwrap import PapermillNotebookClient

SHOWN = ("display_data", "execute_result", "update_display_data", "error", "clear_output")


@final
class Filling:
    """What is known of the outputs of a cell that runs."""

    def __init__(self, client: PapermillNotebookClient, cell: NotebookNode, index: int) -> None:
        self._client, self._cell, self._index = client, cell, index
        self._streams: dict[str, tuple[NotebookNode, list[str]]] = {}
        cell.outputs = []
        client.clear_before_next_output = False

    def take(self, message: Message) -> None:
        """Take in what was told."""
        if message.kind == "stream":
            self._print(message.content["name"], message.content["text"])
        elif message.kind in SHOWN:
            self._show(message.kind, message.content)
        elif message.kind == "execute_input":
            self._cell.execution_count = message.content["execution_count"]

    def settle(self) -> None:
        """Bring the texts up to date: one output for each stream, as a terminal would show it."""
        for output, pieces in self._streams.values():
            output.text = as_seen("".join(pieces))
        names = [output.get("name", "") for output in self._cell.outputs]
        for k, pair in enumerate(pairwise(names)):
            if pair == ("stderr", "stdout"):  # they come by two ways, so either may be the first
                self._cell.outputs[k : k + 2] = reversed(self._cell.outputs[k : k + 2])

    def said(self) -> str:
        """Return what the cell wrote to its standard error."""
        return "".join(self._streams["stderr"][1]) if "stderr" in self._streams else ""

    def _print(self, name: str, text: str) -> None:
        if self._client.clear_before_next_output:
            self._cell.outputs.clear()
            self._client.clear_display_id_mapping(self._index)
            self._client.clear_before_next_output = False
            self._streams.clear()
        if name not in self._streams:
            output = new_output("stream", name=name)
            self._streams[name] = output, []
            self._cell.outputs.append(output)
        self._streams[name][1].append(text)
        self._client.log_output_message(NotebookNode(output_type="stream", name=name, text=text))

    def _show(self, kind: str, content: dict[str, Any]) -> None:
        if self._client.clear_before_next_output or (kind == "clear_output" and not content["wait"]):
            self._streams.clear()
        message = {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": {}, "content": content}
        self._client.process_message(message, self._cell, self._index)
