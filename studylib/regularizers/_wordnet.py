"""Which words mean nearly the same: synonyms of Open English WordNet inside a vocabulary.

The files are read from ``STUDYLIB_DATA``, the folder of datasets, where they lie in
``open-english-wordnet/yaml``; without them there they are fetched. What is needed of them, a megabyte out of
twenty, is kept in the store.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from studylib.downloads import File, fetched
from studylib.errors import ParameterError
from studylib.places import store_folder
from studylib.records import write_whole
from studylib.regularizers._wordnet_files import WORDNET_2025

if TYPE_CHECKING:
    import numpy as np

Group: TypeAlias = tuple[str, ...]
Edition: TypeAlias = tuple[File, ...]

MOST = 8  # synonyms of a word: more are of senses that the word rarely has
# What a sentence is held together by; WordNet knows some of it, as nouns that nobody means.
FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a an the this that these those such same own other another each every either neither both few more
        most much many some any all no nor not none i me my mine myself we us our ours ourselves you your
        yours yourself yourselves he him his himself she her hers herself it its itself they them their
        theirs themselves one who whom whose which what am is are was were be been being have has had having
        do does did doing done can could will would shall should may might must and but if or because as
        until while of at by for with about against between into through during before after above below to
        from up down in out on off over under again further then once here there when where why how than too
        very just only so now s t d ll m re ve don
        """,
    )
)
_MEMBERS = re.compile(rb"^  members:\n((?:  - .*\n)+)", re.MULTILINE)


def refuse_missing(edition: Edition = WORDNET_2025) -> None:
    """Read the synonyms, fetching them if need be, or say before any work is done that there are none.

    Raises:
        ParameterError: a file is not there and cannot be fetched, or is not what it should be.
    """
    _groups(store_folder(), edition)


def synonyms(vocabulary: Sequence[str], most: int = MOST, edition: Edition = WORDNET_2025) -> np.ndarray:
    """Return the numbers of the synonyms of each word, (words + 2, ``most``), those of a word first, then 0.

    A synonym shares a synset, of whatever sense, and is one word in lower case. The first are those that
    share most synsets, and of these the more frequent ones. Function words have none.

    Args:
        vocabulary: the words by their numbers, from 2 on, the more frequent ones first.

    Raises:
        ParameterError: a file is not there and cannot be fetched, or is not what it should be.
    """
    import numpy as np

    numbers = {word: number for number, word in enumerate(vocabulary, start=2)}
    shared: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for group in _groups(store_folder(), edition):
        known = [numbers[word] for word in group if word in numbers]
        for number in known:
            shared[number].update(other for other in known if other != number)
    table = np.zeros((len(vocabulary) + 2, most), dtype=np.int64)
    for number, others in shared.items():
        if vocabulary[number - 2] not in FUNCTION_WORDS:
            best = sorted(others, key=lambda other: (-others[other], other))[:most]
            table[number, : len(best)] = best
    return table


def _groups(store: Path, edition: Edition) -> Iterator[Group]:
    """Return the words of each synset that has several, from ``store`` if they are there and undamaged."""
    code = sha256(Path(__file__).read_bytes()).hexdigest()
    key = sha256(repr((code, edition)).encode()).hexdigest()[:16]
    path = store.joinpath("datasets", f"open-english-wordnet-{key}.txt")
    body = _unsealed(path)
    if body is None:
        groups = (group for text in _texts(edition) for group in words_of(text))
        body = "\n".join(" ".join(group) for group in groups).encode()
        try:
            write_whole(path, sha256(body).hexdigest().encode() + b"\n" + body)
        except OSError as error:
            raise ParameterError(
                f"{path}: expected a file to write to: {error.strerror}."
                " Set STUDYLIB_STORE to a folder that can be written to."
            ) from None
    return (tuple(line.split(" ")) for line in body.decode().split("\n"))


def words_of(text: bytes) -> Iterator[Group]:
    """Give the single words in lower case of each synset of a file that has several of them.

    The files are written by one program, whose lists of members look alike: a line for each.
    """
    for listed in _MEMBERS.findall(text):
        members = [_unquoted(line[4:]) for line in listed.decode().split("\n")[:-1]]
        words = [word for word in members if " " not in word and word == word.lower()]
        if len(words) > 1:
            yield tuple(words)


def _unquoted(member: str) -> str:
    return member[1:-1].replace("''", "'") if member.startswith("'") else member


def _unsealed(path: Path) -> bytes | None:
    try:
        seal, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return body if sha256(body).hexdigest().encode() == seal else None


def _texts(edition: Edition) -> Iterator[bytes]:
    """Give the content of each file.

    Raises:
        ParameterError: one is not there and cannot be fetched, or is not what it should be.
    """
    for file in edition:
        path = fetched(file)
        try:
            yield path.read_bytes()
        except OSError as error:
            raise ParameterError(f"{path}: cannot be read: {error.strerror}.") from None
