"""A table of one's own in parquet. Source: Apache Parquet (2013), https://parquet.apache.org"""

from __future__ import annotations

from typing import final

from studylib.datasets._own_table import OwnTable


@final
class Parquet(OwnTable):
    """Your own table, a parquet file: one column is predicted from the others.

    Columns keep the types of the file.
    """


EXAMPLE = Parquet(path="sales.parquet", target="price")
