"""What a record says: contrasts with verdicts, one sentence, a table; and what changed between two runs."""

from __future__ import annotations

from studylib.compare.diagnosis import Diagnosis, diagnoses
from studylib.compare.monitoring import monitored, monitoring
from studylib.compare.pairing import arm_means
from studylib.compare.runs import ArmChange, Changes, changes
from studylib.compare.sentences import concluded, headline, meaning, spoken
from studylib.compare.stability import most_kept, stability
from studylib.compare.tables import means, summary, table
from studylib.compare.verdicts import contrasts, verdict

__all__ = [
    "ArmChange",
    "Changes",
    "Diagnosis",
    "arm_means",
    "changes",
    "concluded",
    "contrasts",
    "diagnoses",
    "headline",
    "meaning",
    "means",
    "monitored",
    "monitoring",
    "most_kept",
    "spoken",
    "stability",
    "summary",
    "table",
    "verdict",
]
