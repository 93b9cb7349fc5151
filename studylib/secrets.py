"""What looks like a token or a password is used, and never written: not in records, notebooks or pages.

A parameter is taken for a secret by its name alone. That may mask too much, never decides a number, and needs
no list of the parts that ask for one.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final
from urllib.parse import quote, quote_plus

MASK = "•••"
NAMES = "arms"  # its keys are names of arms, which are no parameters
SEVERAL = re.compile(
    r"passwor[dt]|passwd|passphrase|passcode|secret|credential|bearer|authori[sz]ation|connectionstring"
    r"|(api|access|private|auth|signing|encryption|ssh|account|subscription|shared|master)keys?"
    r"|(api|access|auth|refresh|session|security)tokens?"
)
ENDS = ("token", "pwd", "auth", "jwt", "cookie")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")
LONG = 6  # characters: a shorter value is masked beside its name alone, for it may be a word of the text


def is_secret(name: str) -> bool:
    """Return whether a name such as ``api_token``, ``dbPassword`` or ``AWS_SECRET_ACCESS_KEY`` is a secret's.

    ``max_tokens`` and ``token_dropout`` are none: they are about words of a text.
    """
    words = [word.lower() for word in WORD.findall(name)]
    return bool(words) and (words[-1].endswith(ENDS) or SEVERAL.search("".join(words)) is not None)


def masked(value: Any) -> Any:
    """Return parameters with every secret in them, at any depth, replaced by ``•••``.

    What is empty stays, as do yes and no: they say whether a secret was given, and not which. Without secrets
    the result equals ``value``.
    """
    if isinstance(value, Mapping):
        return {name: _masked(str(name), own) for name, own in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(masked, value))
    return value


def _masked(name: str, value: Any) -> Any:
    if name == NAMES and isinstance(value, Mapping):
        return {arm: masked(settings) for arm, settings in value.items()}
    return _hidden(value) if is_secret(name) else masked(value)


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _hidden(own) for name, own in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_hidden, value))
    return value if value is None or value == "" or isinstance(value, bool) else MASK


@final
@dataclass(frozen=True)
class Secrets:
    """The secrets among some parameters, to be found again in whatever text they got into.

    Attributes:
        values: each with the name that it was given by.
    """

    values: tuple[tuple[str, str], ...] = ()

    @classmethod
    def among(cls, parameters: Mapping[str, Any]) -> Secrets:
        """Return the secrets among parameters, at any depth."""
        return cls(tuple(dict.fromkeys(_pairs(parameters, masked(parameters), ""))))

    def scrubbed(self, data: Any) -> Any:
        """Return plain data with the secrets in its texts masked; the names of mappings stay."""
        if not self.values:
            return data
        if isinstance(data, str):
            return self._scrubbed(data)
        if isinstance(data, Mapping):
            return {name: self.scrubbed(own) for name, own in data.items()}
        return [self.scrubbed(own) for own in data] if isinstance(data, list | tuple) else data

    def _scrubbed(self, text: str) -> str:
        for name, value in self.values:
            # name: value, name=value, 'name': 'value', also as HTML has it
            beside = rf"""({re.escape(name)}(?:["']|&quot;|&#x?\d+;)?\s*[:=]\s*(?:["']|&quot;|&#x?\d+;)?)"""
            text = re.sub(rf"{beside}{re.escape(value)}(?!\w)", rf"\g<1>{MASK}", text)
        forms = {form for _, value in self.values for form in _forms(value) if len(form) >= LONG}
        for form in sorted(forms, key=lambda form: (-len(form), form)):
            text = text.replace(form, MASK)
        return text


def _pairs(before: Any, after: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of what is masked in ``after``."""
    if isinstance(before, Mapping):
        for inner, own in before.items():
            yield from _pairs(own, after[inner], str(inner))
    elif isinstance(before, list | tuple):
        for own, shown in zip(before, after, strict=True):
            yield from _pairs(own, shown, name)
    elif before != after:
        yield name, str(before)


def _forms(value: str) -> Iterator[str]:
    """Yield a secret as texts may hold it: as it is, by line, or written for Python, JSON, HTML or a URL."""
    for plain in (value, *value.splitlines()):
        yield from (plain, repr(plain)[1:-1], json.dumps(plain)[1:-1])
        yield from (
            json.dumps(plain, ensure_ascii=False)[1:-1],
            html.escape(plain),
            html.escape(plain, quote=False),
        )
        yield from (quote(plain), quote(plain, safe=""), quote_plus(plain))
