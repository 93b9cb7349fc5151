"""Ratings of films. Source: Harper and Konstan (2015), https://doi.org/10.1145/2827872"""

from __future__ import annotations

import csv
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, final

from pydantic import Field

from studylib.datasets._ratings import HeldOut, Ratings, core, frozen, split_of
from studylib.datasets.base import Dataset, Split
from studylib.downloads import File, fetched

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

_MIRROR = (
    "https://raw.githubusercontent.com/damon46kai/uvic-485b"
    "/7d9e4e7d80b35633ef81f3e0b26e8e9e3284244c/ml-latest-small"
)
RATINGS = File(
    "ml-latest-small/ratings.csv",
    f"{_MIRROR}/ratings.csv",
    "aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646",
    2483723,
)
FILMS = File(
    "ml-latest-small/movies.csv",
    f"{_MIRROR}/movies.csv",
    "5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07",
    494431,
)
README = File(
    "ml-latest-small/README.txt",
    "https://raw.githubusercontent.com/IvanAziz/QuarentenaDados"
    "/7ebf2ef2326948e9c263ff8bf7163f0b06d36c75/Dados/ml-latest-small/README.txt",
    "63d22ac138e80fae37021797ed8e1b9424b5239dc576a137422adf783ae3f404",
    8342,
)


@final
class MovielensSmall(Dataset):
    """100 836 ratings of 9 724 films by 610 users: how many stars, or which films are liked.

    ``explicit`` asks for the stars, half of one to five, of all ratings. ``implicit`` asks which films a user
    likes, where a rating of at least ``liked`` is a like, and users and films with fewer than ``core`` likes
    are left out, again and again, until all have them.
    """

    inputs: ClassVar[str] = "interactions"
    files: ClassVar[tuple[File, ...]] = (RATINGS, FILMS, README)
    source: ClassVar[str] = (
        "MovieLens ml-latest-small of September 2018, https://grouplens.org/datasets/movielens/latest/"
    )
    licence: ClassVar[str] = (
        "of GroupLens, in README.txt: to be cited, not for revenue, passed on under the same terms, and no"
        " endorsement by the University of Minnesota or GroupLens may be implied"
    )
    attribution: ClassVar[str] = (
        "F. Maxwell Harper and Joseph A. Konstan (2015), The MovieLens Datasets: History and Context, ACM"
        " Transactions on Interactive Intelligent Systems 5, 4, article 19, https://doi.org/10.1145/2827872"
    )
    about: ClassVar[str] = (
        "100 836 ratings from half a star to five, given between 1996 and 2018 by 610 users, each with at"
        " least 20, to 9 724 films, of which a third has one rating."
    )
    not_for: ClassVar[str] = (
        "Comparison with results on larger sets: GroupLens calls it a development set, which changes. What"
        " people watch: they rated what a website showed them, many films in one sitting, so that their order"
        " in time is hardly that of watching."
    )

    feedback: Annotated[
        Literal["explicit", "implicit"], Field(description="how many stars, or which films are liked")
    ] = "explicit"
    held_out: HeldOut = "random"
    liked: Annotated[
        float, Field(ge=0.5, le=5, description="implicit: stars from which a film is liked; 0.5 is any")
    ] = 4.0
    core: Annotated[
        int, Field(ge=1, le=20, description="implicit: likes that each user and each film has at least")
    ] = 5

    @property
    def task(self) -> str:
        """Return ``rating`` where the feedback is explicit, else ``ranking``."""
        return "rating" if self.feedback == "explicit" else "ranking"

    @property
    def unit(self) -> str:
        """Return ``stars`` where these are asked for."""
        return "stars" if self.feedback == "explicit" else ""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``interactions`` (n, 2), ``ratings``, ``times``, ``users``, and the titles of ``items``."""
        return self._ratings().arrays()

    def origin(self) -> list[str]:
        """Return the sha256 of the files."""
        return [file.sha256 for file in self.files]

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``."""
        return split_of(self._ratings(), self.held_out, seed, rated=self.feedback == "explicit")

    def words(self) -> dict[str, Any]:
        """Return the facts that a reader needs, and what is asked here."""
        asked = {
            "explicit": " Asked is the number of stars. A film without a train rating is given the mean and"
            " the user's own bias; the record counts such (test_unseen_share).",
            "implicit": f" Asked is which films a user rated with at least {self.liked:g} stars; users and"
            f" films have at least {self.core} of these, before anything is held out.",
        }
        when = {
            "random": " A tenth of these is for validation and a tenth for the test, drawn anew by each"
            " seed.",
            "last_out": " The last of each user is the test, and the one before for validation, in every"
            " seed: seeds differ in the first weights alone, and intervals are of these.",
        }
        return {**super().words(), "about": self.about + asked[self.feedback] + when[self.held_out]}

    def _ratings(self) -> Ratings:
        return _all_of_them() if self.feedback == "explicit" else _likes(self.liked, self.core)


@lru_cache(maxsize=1)
def _all_of_them() -> Ratings:
    import numpy as np

    user, film, stars, time = np.loadtxt(fetched(RATINGS), delimiter=",", skiprows=1).T
    users, own = np.unique(user.astype(np.int64), return_inverse=True)
    films, item = np.unique(film.astype(np.int64), return_inverse=True)
    titles = _titles(fetched(FILMS))
    pairs = np.column_stack([own, item]).astype(np.int64)
    names = np.array([titles[number] for number in films.tolist()])
    return frozen(Ratings(pairs, stars, time.astype(np.int64), users.astype(str), names))


def _titles(path: Path) -> dict[int, str]:
    lines = csv.DictReader(StringIO(path.read_text(encoding="utf-8")))
    return {int(line["movieId"]): line["title"] for line in lines}


@lru_cache(maxsize=4)
def _likes(liked: float, least: int) -> Ratings:
    every = _all_of_them()
    return frozen(core(every.of(every.values >= liked), least))


EXAMPLE = MovielensSmall()
