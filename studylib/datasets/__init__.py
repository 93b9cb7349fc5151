"""Datasets, one file each; the folder is the list."""

from studylib.components import Catalogue
from studylib.datasets.base import Dataset

CATALOGUE: Catalogue[Dataset] = Catalogue("dataset", __name__, list(__path__))
