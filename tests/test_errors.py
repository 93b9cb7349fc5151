"""Errors: which there are, and what name a person most likely meant."""

from __future__ import annotations

import pytest

from studylib.errors import Divergence, ParameterError, StudyError, did_you_mean, nearest, unknown

SETTINGS = ("batch_size", "epochs", "learning_rate", "momentum", "optimizer")
TECHNIQUES = ("batch_norm", "dropout", "l1", "l2", "label_smoothing", "mixup", "weight_decay", "word_dropout")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("learnin_rate", "learning_rate"),
        ("epoch", "epochs"),
        ("Momentum", "momentum"),
        ("BATCH_SIZE", "batch_size"),
        ("batch-size", "batch_size"),
        ("lr", "learning_rate"),
        ("bs", "batch_size"),
    ],
)
def test_a_slip_and_a_common_abbreviation_are_understood(typed: str, meant: str) -> None:
    """A missing letter, another case, a hyphen, or the initials of the words lead to the right name."""
    assert nearest(typed, SETTINGS) == meant
    assert did_you_mean(typed, SETTINGS) == f" Did you mean {meant!r}?"


def test_initials_of_two_names_mean_the_first() -> None:
    """Both weight_decay and word_dropout may be meant by wd: one of them is named, always the same."""
    assert nearest("wd", TECHNIQUES) == "weight_decay"


@pytest.mark.parametrize("typed", ["", "qqq", "τ", "1234567"])
def test_what_resembles_nothing_gets_no_suggestion(typed: str) -> None:
    """A wild guess would mislead."""
    assert nearest(typed, SETTINGS) == ""
    assert did_you_mean(typed, SETTINGS) == ""


def test_every_known_name_is_nearest_to_itself() -> None:
    """A right name is never corrected into another one."""
    assert [nearest(name, TECHNIQUES) for name in TECHNIQUES] == list(TECHNIQUES)


def test_a_name_among_none_gets_no_suggestion() -> None:
    """Where nothing is known there is nothing to mean."""
    assert nearest("epochs", []) == ""


def test_the_error_of_an_unknown_name_says_where_what_and_which_there_are() -> None:
    """Place, kind, name as typed, nearest name, and all names in order."""
    error = unknown("regularizer", "dropot", reversed(TECHNIQUES), "arms.mine")

    assert str(error) == (
        "arms.mine: unknown regularizer 'dropot'. Did you mean 'dropout'? "
        "Known: batch_norm, dropout, l1, l2, label_smoothing, mixup, weight_decay, word_dropout."
    )


def test_wrong_parameters_and_divergence_are_told_apart() -> None:
    """Both are errors that a person can act on; only one of them means that nothing was started."""
    assert isinstance(unknown("study", "x", []), ParameterError)
    assert issubclass(ParameterError, StudyError)
    assert issubclass(Divergence, StudyError)
    assert not issubclass(Divergence, ParameterError)
