"""Members of a zip, read in memory; what points elsewhere, is a link, or unpacks to too much is refused."""

from __future__ import annotations

import os
import re
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from studylib.archives import members
from studylib.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT = b"what it says\n"


def packed(path: Path, contents: Mapping[str | ZipInfo, bytes]) -> Path:
    """Write a zip with these members, whatever their names are."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def link(name: str) -> ZipInfo:
    """Return a member that is a symbolic link."""
    info = ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def refusal(path: Path, *names: str, most: int = 1000) -> str:
    """Return why the members cannot be had."""
    with pytest.raises(ParameterError) as refused:
        members(path, names, most)
    assert str(refused.value).startswith(f"{path}: ")
    return str(refused.value)


def test_members_come_as_they_were_packed_and_nothing_is_unpacked(tmp_path: Path) -> None:
    """Contents by their names, in the order that they are asked for; the folder holds the zip alone."""
    path = packed(tmp_path / "a.zip", {"a/": b"", "a/b.txt": TEXT, "a/c.txt": b""})

    assert list(members(path, ["a/c.txt", "a/b.txt"]).items()) == [("a/c.txt", b""), ("a/b.txt", TEXT)]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "name",
    [
        "../out.txt",
        "a/../../out.txt",
        "/etc/passwd",
        "C:\\out.txt",
        "..\\out.txt",
        "\\\\host\\share",
        "C:out",
    ],
)
def test_a_member_that_points_elsewhere_condemns_the_archive(tmp_path: Path, name: str) -> None:
    """It is refused though another member is asked for, and though nothing would be written."""
    path = packed(tmp_path / "a.zip", {"good.txt": TEXT, name: b"bad"})

    assert "points outside of the archive's folder; nothing of it was read" in refusal(path, "good.txt")


def test_a_link_condemns_the_archive(tmp_path: Path) -> None:
    """A symbolic link is no content."""
    path = packed(tmp_path / "a.zip", {"good.txt": TEXT, link("good.lnk"): b"/etc/passwd"})

    assert "its member 'good.lnk' is a link" in refusal(path, "good.txt")


def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    """What says that it is large is not unpacked; what lies is cut off; members count together."""
    path = packed(tmp_path / "a.zip", {"bomb": bytes(100_000_000), "small": TEXT * 50, "too": TEXT * 50})
    size = path.stat().st_size
    said = "unpacks to more than the "

    assert size < 200_000
    assert said + "1000 bytes" in refusal(path, "bomb")
    assert said + "350 bytes" in refusal(path, "small", "too")
    lying = path.read_bytes().replace((100_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(lying)
    assert re.search("CRC|unpacks to more", refusal(path, "bomb"))


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b[:0], lambda b: b.replace(b"/b", b"/x", 1)])
def test_a_damaged_archive_is_named(tmp_path: Path, damage: object) -> None:
    """Cut short, empty, or changed inside: one message with the path."""
    path = packed(tmp_path / "a.zip", {"a/b.txt": os.urandom(100)})
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))

    assert "expected a zip that can be read, but: " in refusal(path, "a/b.txt")


def test_changed_content_is_found_by_its_checksum(tmp_path: Path) -> None:
    """A flipped bit in a member that is not compressed is no content."""
    path = tmp_path / "a.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("a.txt", TEXT)
    path.write_bytes(path.read_bytes().replace(b"what", b"whet"))

    assert "Bad CRC-32 for file 'a.txt'" in refusal(path, "a.txt")


def test_what_is_not_there_is_named_with_what_was_meant(tmp_path: Path) -> None:
    """A missing member, archive or folder is told as such."""
    path = packed(tmp_path / "a.zip", {"reviews.pos": TEXT})

    assert "expected a member 'review.pos', found 1 others. Did you mean 'reviews.pos'?" in refusal(
        path, "review.pos"
    )
    assert "cannot be read: No such file or directory" in refusal(tmp_path / "b.zip")
    assert "cannot be read: Is a directory" in refusal(tmp_path)


def test_of_two_members_of_one_name_nobody_chooses(tmp_path: Path) -> None:
    """Readers differ in which of the two they take, so neither is believed."""
    path = tmp_path / "a.zip"
    with warnings.catch_warnings(), ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a.txt", TEXT)
        archive.writestr("a.txt", b"other")

    assert "has 2 members called 'a.txt'" in refusal(path, "a.txt")


def test_what_is_encrypted_is_refused(tmp_path: Path) -> None:
    """Nobody asks for a password."""
    path = packed(tmp_path / "a.zip", {"a.txt": TEXT})
    body = bytearray(path.read_bytes())
    for place in (body.index(b"PK\x03\x04") + 6, body.index(b"PK\x01\x02") + 8):
        body[place] |= 1
    path.write_bytes(bytes(body))

    assert "its member 'a.txt' is encrypted" in refusal(path, "a.txt")
