"""Small-sample statistics of paired differences: one number per seed, arm − baseline.

Which test decides, and why:

- Student's t throughout, not the bootstrap: with 5 seeds a percentile bootstrap that claims 95 % covers 83 %.
- The sign-flip test takes over where the t test cannot be believed: the differences are far from normal
  (Shapiro and Francia's test, below 5 %), all equal, or fewer than five with two equal ones. Shares of a
  small test set are often so: the t statistic of 1, 1, 1, 1 and 2 rows would be called certain.
- Below ten pairs the sign-flip test checks every difference that the t test finds: it must be below 5 %, or
  as small as so few pairs allow (all of one sign), else its p is what counts. More cannot be asked of it:
  n pairs have p ≥ 2^(1 − n), 6 % for five, which no correction for the number of arms makes smaller.

How often a 95 % Student-t interval of n differences holds their true mean, in 200 000 simulated studies:

=================================================  ======  ======  ======
differences                                         n = 5  n = 10  n = 20
=================================================  ======  ======  ======
normal                                             95.0 %  95.0 %  95.0 %
of shares of 100 or 350 rows, 90 % to 99 % right   95.0 %  95.0 %  95.0 %
of shares of 100 rows, 100 % and 99.5 % right      91.1 %  95.3 %  93.9 %
exponential (skewness 2)                           88.3 %  90.0 %  91.9 %
lognormal (skewness 6)                             82.2 %  84.0 %  86.7 %
=================================================  ======  ======  ======

The promise of 95 % is for the first two rows. Arms that are equal but for their luck differ symmetrically,
however skewed each of them is; so false alarms stay below 5 % where the coverage of skewed differences does
not reach 95 %.

All of it is about more seeds on the same data. About new data of the same kind, see ``resampled_interval``.
"""

from __future__ import annotations

from studylib.statistics.bootstrap import FEWEST_RESAMPLED, bootstrap_interval
from studylib.statistics.families import holm
from studylib.statistics.judging import FEW_PAIRS, Judgement, judged
from studylib.statistics.planning import CHANCE, FEWEST_SEEN, MOST_PAIRS, fewest_signs, seeds_to_decide
from studylib.statistics.shape import normality_p, unlike_normal
from studylib.statistics.signs import sign_flip_equivalence_p, sign_flip_p
from studylib.statistics.student import (
    FEWEST_PAIRS,
    Interval,
    equivalence_p,
    paired_interval,
    resampled_interval,
)

__all__ = [
    "CHANCE",
    "FEWEST_PAIRS",
    "FEWEST_RESAMPLED",
    "FEWEST_SEEN",
    "FEW_PAIRS",
    "MOST_PAIRS",
    "Interval",
    "Judgement",
    "bootstrap_interval",
    "equivalence_p",
    "fewest_signs",
    "holm",
    "judged",
    "normality_p",
    "paired_interval",
    "resampled_interval",
    "seeds_to_decide",
    "sign_flip_equivalence_p",
    "sign_flip_p",
    "unlike_normal",
]
