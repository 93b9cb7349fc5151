"""Models, one file each; the folder is the list."""

from studylib.components import Catalogue
from studylib.models.base import Model

CATALOGUE: Catalogue[Model] = Catalogue("model", __name__, list(__path__))
