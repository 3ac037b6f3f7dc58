"""Packed files land what their content lands, and a broken one lands nothing."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pytest

from pipelines.errors import SourceError
from tests.unit.extract.conftest import Source

CONTENT = "id;last_name\n1;Maier\n2;Weiß\n".encode()


def zipped(*contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"part_{number}.csv", content)
    return buffer.getvalue()


def zstandard(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard,
    "zip": zipped,
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_packed_file_lands_what_is_in_it(source: Source, packing: str) -> None:
    source.file = f"contacts.csv.{packing}"
    source.write(PACKINGS[packing](CONTENT))
    report = source.load()
    assert source.landed("select source_record_id, last_name from contacts order by 1") == [
        ("1", "Maier"),
        ("2", "Weiß"),
    ]
    assert report.detected[source.file] == f'csv, delimiter ;, quote ", encoding utf-8, {packing}'
    assert source.load().status == "unchanged"
    assert list(source.settings.temp_dir.iterdir()) == []


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_file_that_was_packed_but_not_delivered_to_its_end_lands_nothing(source: Source, packing: str) -> None:
    source.file = f"contacts.csv.{packing}"
    source.write(PACKINGS[packing](CONTENT))
    source.load()
    lines = [f"{number};{number * 7919 % 100_003}" for number in range(3, 5000)]
    whole = PACKINGS[packing](CONTENT + "\n".join(lines).encode())
    source.write(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="cannot be unpacked"):
        source.load()
    assert source.landed("select count(*) from contacts") == [(2,)]


def test_packed_and_plain_files_are_one_delivery(source: Source) -> None:
    source.file = "contacts*"
    source.write(gzip.compress(CONTENT), "contacts_1.csv.gz")
    source.write('{"id": "3", "last_name": "Kaya"}\n', "contacts_2.jsonl")
    assert source.load().counts.new == 3


def test_a_zip_of_several_files_is_not_guessed_at(source: Source) -> None:
    source.file = "contacts.csv.zip"
    source.write(zipped(CONTENT, CONTENT))
    with pytest.raises(SourceError, match="holds 2 files"):
        source.load()


def test_a_packed_file_without_content_changes_nothing(source: Source) -> None:
    source.file = "contacts.csv.gz"
    source.write(gzip.compress(b""))
    with pytest.raises(SourceError, match="holds an empty file"):
        source.load()
