"""Texts of one's own in a CSV or parquet: a column of texts, and one of what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from studylib.datasets._corpus import Corpus, corpus_of
from studylib.datasets._own import OwnData, fingerprint, located
from studylib.datasets._own_parts import TrainShare, ValidationShare, sizes
from studylib.datasets._splits import Parts, every_class
from studylib.datasets._words import Length, MinCount
from studylib.datasets.base import Split
from studylib.errors import ParameterError
from studylib.seeds import numpy_generator

if TYPE_CHECKING:
    import numpy as np

LISTED = 12  # classes that a sentence lists
LEAST = 3  # different texts of a class: one for each part

Column = Annotated[str, Field(min_length=1)]


@final
class TextCsv(OwnData):
    """Texts of one's own in a CSV or parquet, and for each what it is: a kind, a topic, a language.

    Inputs have shape (n, length) in int64: the words of a text by their numbers, 0 after its end and 1 for a
    word that the train rows have fewer than ``min_count`` times. Words are found in any script, and a sign of
    one that puts no spaces between them is a word. Texts that are the same but for case and spaces stay in
    one part, so that none is tested that was learnt from.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "text"
    about: ClassVar[str] = "texts of one's own, each with its label."

    text: Annotated[Column, Field(description="the column of the texts")]
    label: Annotated[Column, Field(description="the column of what they are")]
    train: TrainShare = 0.6
    validation: ValidationShare = 0.2
    length: Length = 60
    min_count: MinCount = 2
    duplicates: Annotated[
        Literal["together", "anywhere"],
        Field(description="where rows of the same text go: to one part, or any"),
    ] = "together"

    @model_validator(mode="after")
    def _two_columns(self) -> Self:
        if self.text == self.label:
            raise ValueError(f"two columns as text and label, not {self.text!r} for both")
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``codes`` (n, length) of ``words``, ``labels`` (n,), and ``groups`` (n,) of equal texts."""
        import numpy as np

        corpus = self._corpus()
        words = np.frombuffer("\n".join((*corpus.words, *corpus.classes)).encode(), dtype=np.uint8)
        return {
            "codes": corpus.codes,
            "words": words,
            "labels": corpus.labels,
            "groups": corpus.groups,
        }

    def classes(self) -> tuple[str, ...]:
        """Return the labels."""
        return self._corpus().classes

    def refuse_unusable(self) -> None:
        """Read it and draw a split.

        Raises:
            ParameterError: the file, the row and the column, what was expected and what was found.
        """
        self._parts(0)

    def described(self) -> str:
        """Return how many texts there are of which kinds, and how long they are."""
        import numpy as np

        corpus = self._corpus()
        counts = np.bincount(corpus.labels, minlength=len(corpus.classes)).tolist()
        ranked = sorted(zip(corpus.classes, counts, strict=True), key=lambda one: -one[1])
        listed = ", ".join(f"{name} {count}" for name, count in ranked[:LISTED])
        more = f" and {len(ranked) - LISTED} more" if len(ranked) > LISTED else ""
        lengths, again = corpus.lengths(), len(corpus.groups) - len(np.unique(corpus.groups))
        told = [
            f"{len(corpus.labels):,} texts of {len(ranked)} classes: {listed}{more}.",
            f"Half of them have at least {int(np.median(lengths))} words.",
        ]
        if corpus.cut.any():
            told.append(f"{int(corpus.cut.sum()):,} are longer than {self.length} words, and cut there.")
        if (lengths == 0).any():
            told.append(f"{int((lengths == 0).sum()):,} hold no word.")
        if again:
            where = "stay in one part with it" if self.duplicates == "together" else "may be in another part"
            told.append(f"{again:,} repeat another text, and {where}.")
        return " ".join(told)

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``, with the classes in proportion; the vocabulary is that of its train.

        Raises:
            ParameterError: what is wrong with the file.
        """
        return self._corpus().split(self._parts(seed), self.min_count)

    def _corpus(self) -> Corpus:
        return corpus_of(self.path, fingerprint(located(self.path)), self.text, self.label, self.length)

    def _parts(self, seed: int) -> Parts:
        """Return the rows of each part: texts are drawn, and the rows that hold them follow."""
        import numpy as np

        corpus = self._corpus()
        groups = corpus.groups if self.duplicates == "together" else np.arange(len(corpus.groups))
        _, first = np.unique(groups, return_index=True)
        labels = corpus.labels[first]
        self._refuse_few(np.bincount(labels, minlength=len(corpus.classes)), corpus)
        try:
            drawn = every_class(seed, labels, *sizes(len(labels), self.train, self.validation))
        except ParameterError as error:
            raise ParameterError(f"{self.path}: {error}") from None
        except ValueError as error:
            raise ParameterError(f"{self.path}: expected {error}. Change dataset.train.") from None
        part = np.empty(len(labels), dtype=np.int64)
        for number, texts in enumerate(drawn):
            part[texts] = number
        order = numpy_generator(seed, "rows").permutation(len(groups))
        parts = Parts(*(order[part[groups[order]] == number] for number in range(3)))
        held = np.bincount(corpus.labels[parts.train], minlength=len(corpus.classes))
        if not held.all():  # where one text has two labels
            raise self._about(
                corpus, int(held.argmin()), "no train row, so that nothing can be learnt, is of"
            )
        return parts

    def _refuse_few(self, counts: np.ndarray, corpus: Corpus) -> None:
        """Insist that each class has a text of its own for each part.

        Raises:
            ParameterError: which has not, and the row that it stands in first.
        """
        name = int(counts.argmin())
        if counts[name] < LEAST:
            raise self._about(
                corpus,
                name,
                f"expected at least {LEAST} different texts of each class, one for each part, got"
                f" {counts[name]} of",
            )

    def _about(self, corpus: Corpus, name: int, what: str) -> ParameterError:
        """Return the error about a class, at the row in which it stands first."""
        row = int((corpus.labels == name).argmax()) + corpus.first
        return ParameterError(
            f"{self.path}, row {row}, column {self.label!r}: {what} {corpus.classes[name]!r}. Add some, drop"
            " the rows, or join them to another class."
        )


EXAMPLE = TextCsv(path="mails.csv", text="body", label="kind")
