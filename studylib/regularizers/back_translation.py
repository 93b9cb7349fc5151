"""Back translation. Source: Sennrich et al. (2016), https://doi.org/10.18653/v1/P16-1009

As augmentation for classification by Xie et al. (2020), https://arxiv.org/abs/1904.12848
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self, final

from pydantic import Field

from studylib.errors import ParameterError, StudyError
from studylib.places import project
from studylib.records import write_whole
from studylib.regularizers import _paraphrases
from studylib.regularizers._text import PADDING
from studylib.regularizers.base import Paraphrasing

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from studylib.seeds import Draws

_ADVICE = (
    "Let your translator write it once, with BackTranslation.written(path, sentences, translate, words,"
    " probability) of studylib.regularizers.back_translation, which returns the settings."
)


@final
class BackTranslation(Paraphrasing):
    r"""A sentence is replaced, with the given probability, by a paraphrase that a translator made of it.

    The translator is yours: it goes to another language and back, once, and its output is a text file, a line
    ``sentence<TAB>paraphrase`` for each paraphrase, both of them words as the dataset cuts texts, with spaces
    between. The hash of the file is a setting, so that two fits with the same settings have seen the same
    paraphrases. Which one a sentence gets is drawn anew in every batch; a sentence that the file does not
    have stays as it is, and words that the train rows do not have are the unknown word. ``written`` makes the
    file and the settings.

    Formula: x \leftarrow x' \text{ with probability } q,\ x' \sim U(B(x)),\
    B(x) = \{\text{translations of } x \text{ to another language and back}\}

    Use: few rows and a good translator for the kind of text at hand.

    Traps: a translator that is sure of itself gives most sentences back as they were: let it sample. Look at
    the output, for it may lose a negation or a technical term, and the label with it. Where the model itself
    was pretrained on much text, Longpre et al. (2020, https://arxiv.org/abs/2010.01764) find next to nothing.
    """

    path: Annotated[
        str,
        Field(min_length=1, description="file of sentence<TAB>paraphrase; relative to the project folder"),
    ]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="that of the file, in hexadecimal")]
    probability: Annotated[float, Field(ge=0, le=1, description="of a sentence to be replaced in a batch")]

    @classmethod
    def written(
        cls,
        path: Path,
        sentences: Iterable[str],
        translate: Callable[[str], Iterable[str]],
        words: Callable[[str], Iterable[str]],
        probability: float,
    ) -> Self:
        """Write the paraphrases of ``sentences`` to ``path``, and return the technique that reads them.

        Args:
            sentences: texts of a dataset, such as ``Docstrings().arrays()["texts"]``.
            translate: to another language and back; gives one paraphrase or several.
            words: how the dataset cuts texts, such as ``studylib.datasets.docstrings.words``.
            probability: of a sentence to be replaced in a batch.
        """
        lines = (
            f"{' '.join(words(sentence))}\t{' '.join(words(paraphrase))}\n"
            for sentence in sentences
            for paraphrase in translate(sentence)
        )
        body = "".join(lines).encode()
        write_whole(path, body)
        return cls(path=str(path.resolve()), sha256=sha256(body).hexdigest(), probability=probability)

    def refuse_missing(self) -> None:
        self._pairs()

    def paraphrases(self, x: np.ndarray, vocabulary: Sequence[str]) -> np.ndarray:
        """Return the paraphrases of each train row; a row that is one itself, in these words, has it not.

        Raises:
            ParameterError: the file is not there, or not what it should be.
            StudyError: it has none of the sentences.
        """
        table = _paraphrases.table(x, vocabulary, self._pairs())
        if not table.any():
            raise StudyError(
                f"back_translation: {self.path}: expected paraphrases of train sentences, and none of the"
                f" {len(x)} train rows is in it, such as {_paraphrases.told(x, vocabulary)!r}. Its sentences"
                " are to be words as the dataset cuts texts, with spaces between."
            )
        return table

    def perturb(self, x: Tensor, noise: Draws, paraphrases: Tensor) -> Tensor:
        """Return the sentences, some of them as a paraphrase."""
        choice, disturbed = noise.uniform(2, len(x), like=x)
        known = (paraphrases[..., 0] != PADDING).sum(dim=1)
        place = (choice * known).long()[:, None, None].expand(-1, 1, x.shape[1])
        paraphrase = paraphrases.gather(1, place)[:, 0]
        return paraphrase.where(((disturbed < self.probability) & (known > 0))[:, None], x)

    def _pairs(self) -> list[tuple[list[str], list[str]]]:
        """Return what the file holds.

        Raises:
            ParameterError: it is not there, or not what it should be.
        """
        path = project() / Path(self.path).expanduser()
        try:
            body = path.read_bytes()
        except OSError as error:
            raise ParameterError(
                f"back_translation.path: {path}: expected a file of paraphrases: {error.strerror}. {_ADVICE}"
            ) from None
        found = sha256(body).hexdigest()
        if found != self.sha256:
            raise ParameterError(
                f"back_translation.sha256: {path}: expected a file of sha256 {self.sha256},"
                f" got one of {found}. If the file is as you mean it, set sha256 to what it has."
            )
        return _paraphrases.pairs(body, f"back_translation.path: {path}")


EXAMPLE = BackTranslation(path="paraphrases.tsv", sha256=64 * "0", probability=0.5)
