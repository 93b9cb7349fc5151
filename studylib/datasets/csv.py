"""A table of one's own in CSV. Source: Shafranovich (2005), RFC 4180, https://doi.org/10.17487/RFC4180"""

from __future__ import annotations

from typing import final

from studylib.datasets._own_table import OwnTable


@final
class Csv(OwnTable):
    """Your own table, a CSV file: one column is predicted from the others.

    The text is UTF-8; the separator is a comma, a semicolon, a tab or a bar, what the first row has most of.
    """


EXAMPLE = Csv(path="sales.csv", target="price")
