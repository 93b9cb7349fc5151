"""What is asked of the speed of this project: the rows of the page of benchmarks, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.speeds import Asked

if TYPE_CHECKING:
    from studylib.speeds import Sense

DIGITS = "digits MLP, 10 seeds"
FACTORS = "matrix factorization, 8 λ × 10 seeds"
WORDS = "bag_of_words text, 8 arms × 10 seeds"
IMAGES = "small_cnn on 28×28"
ELASTIC_NETS = "elastic-net MLP, 20 strengths × 10 seeds"
NOTEBOOKS = "64 short parameterised runs of one notebook"
REPORT = "cold make report, default suite, two cores"
MANY_DIGITS = "H200: 400 digits-MLP fits, 20 arms × 20 seeds"
FASHION = "H200: Fashion-MNIST, small_cnn, 10 arms × 5 seeds × 20 epochs"
PLANNED = "cost of a fit beside its training, 10 to 10 000 fits"
TRAINED = "cost of a fit with its training, 10 to 10 000 fits"

ONE_BY_ONE, DATA_LOADER = "one by one", "plain PyTorch with DataLoader"
SKORCH, SCIKIT_LEARN, LIMIT = "skorch", "scikit-learn MLPClassifier", "the sgemm limit of the machine"
POOL, BEFORE = "papermill in as wide a process pool", "the last commit before fits were stacked"
SAME_GPU, TWO_CORES = "one by one on the same GPU", "two-core CPU"
LINE = "a straight line"  # ours: at 10 000 fits, theirs: at 1000, in milliseconds for each


def _row(work: str, against: str, bar: float, benchmark: str, sense: Sense = "at least") -> Asked:
    return Asked(work, against, sense, bar, f"python -m benchmarks {benchmark}")


ASKED = (
    _row(DIGITS, SKORCH, 5, "stacks"),
    _row(DIGITS, SCIKIT_LEARN, 2.2, "stacks"),
    _row(DIGITS, DATA_LOADER, 4, "stacks"),
    _row(DIGITS, LIMIT, 0.55, "stacks"),
    _row(FACTORS, ONE_BY_ONE, 3, "factors"),
    _row(WORDS, ONE_BY_ONE, 2, "stacks"),
    _row(IMAGES, DATA_LOADER, 1.8, "images"),
    _row(ELASTIC_NETS, ONE_BY_ONE, 3, "stacks"),
    _row(ELASTIC_NETS, SKORCH, 8, "stacks"),
    _row(NOTEBOOKS, POOL, 10, "notebooks"),
    _row(REPORT, BEFORE, 0.6, "report", "at most"),
    _row(MANY_DIGITS, SAME_GPU, 100, "cuda"),
    _row(MANY_DIGITS, TWO_CORES, 40, "cuda"),
    _row(FASHION, SAME_GPU, 5, "cuda"),
    # no bend up: n log n would be 1.33, and a busy machine makes two equal runs differ by a tenth or two
    _row(PLANNED, LINE, 1.25, "growth", "at most"),
    _row(TRAINED, LINE, 1.25, "growth", "at most"),
)
