"""Files in object storage: what an S3 server on loopback holds is found, fetched once, and read like any other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.errors import SourceError
from pipelines.extract import storage
from tests.unit.extract.conftest import Source


class Bucket:
    """A bucket of the server, and how often its objects were fetched."""

    def __init__(self, client: Any, endpoint: str) -> None:
        self.client, self.endpoint, self.fetched = client, endpoint, []
        client.create_bucket(Bucket="exports")

    def put(self, key: str, *lines: str) -> None:
        self.client.put_object(Bucket="exports", Key=key, Body="".join(f"{line}\n" for line in lines).encode())


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    import boto3
    import requests

    requests.post(f"{server}/moto-api/reset", timeout=10)
    monkeypatch.setenv("STORAGE_KEY", "key")
    monkeypatch.setenv("STORAGE_SECRET", "secret")
    options = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    found = Bucket(boto3.client("s3", endpoint_url=server, **options), server)
    fetch = storage.fetch

    def counted(settings: Any, source: Any, file: storage.RemoteFile, folder: Any) -> Any:
        found.fetched.append(file.name)
        return fetch(settings, source, file, folder)

    monkeypatch.setattr("pipelines.extract.files.fetch", counted)
    return found


@pytest.fixture
def remote(source: Source, bucket: Bucket) -> Source:
    keys = {"access_key": "${STORAGE_KEY}", "secret_key": "${STORAGE_SECRET}", "region": "us-east-1"}
    source.options = {"path": "s3://exports/crm", "storage": {"endpoint": bucket.endpoint, **keys}}
    source.file = "contacts*.csv"
    return source


def test_a_snapshot_is_fetched_when_it_changed(remote: Source, bucket: Bucket) -> None:
    bucket.put("crm/contacts-a.csv", "id,email", "1,a@x.de")
    bucket.put("crm/contacts-b.csv", "id,email", "2,b@x.de")
    bucket.put("crm/deep/contacts-c.csv", "id,email", "3,c@x.de")
    bucket.put("shop/contacts-d.csv", "id,email", "4,d@x.de")
    report = remote.load()
    assert report.live_count == 2
    assert set(report.detected) >= {"contacts-a.csv", "contacts-b.csv"}
    assert bucket.fetched == ["contacts-a.csv", "contacts-b.csv"]
    assert remote.load().status == "unchanged"
    assert len(bucket.fetched) == 2
    bucket.put("crm/contacts-b.csv", "id,email", "3,bbb@x.de")
    counts = remote.load(approved_shrink="tested").counts
    assert (counts.new, counts.deleted, counts.unchanged) == (1, 1, 1)


def test_increments_are_fetched_once(remote: Source, bucket: Bucket) -> None:
    remote.mapping |= {"delivery": "increments"}
    remote.file = "**/contacts*.csv"
    bucket.put("crm/2026/01/contacts.csv", "id,email", "1,a@x.de")
    remote.load()
    bucket.put("crm/2026/02/contacts.csv", "id,email", "2,b@x.de")
    assert remote.load().live_count == 2
    assert remote.load().status == "unchanged"
    assert bucket.fetched == ["2026/01/contacts.csv", "2026/02/contacts.csv"]


def test_a_mapping_that_changed_fetches_again(remote: Source, bucket: Bucket) -> None:
    bucket.put("crm/contacts.csv", "id,email", "1,a@x.de")
    remote.load()
    remote.mapping["defaults"] = {"country": "DE"}
    assert remote.load().counts.changed == 1
    assert remote.load(full=True).counts.unchanged == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"path": "s3://nowhere/crm"}, "there is no (such bucket or object|file)"),
        ({"path": "s3://exports/other"}, r"there is no file contacts\*.csv in s3://exports/other"),
    ],
)
def test_what_is_not_there_is_a_sentence(remote: Source, options: dict[str, str], sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence) as caught:
        remote.load(changes=options)
    assert "secret" not in str(caught.value)


def test_a_storage_that_does_not_answer_is_a_sentence(remote: Source) -> None:
    changes = {"storage": {"endpoint": "http://127.0.0.1:9", "region": "us-east-1"}}
    with pytest.raises(SourceError, match=r"the storage does not answer; check `storage.endpoint`"):
        remote.load(changes=changes)


@pytest.mark.parametrize(
    ("key", "pattern", "fits"),
    [
        ("a/b.csv", "a/*.csv", True),
        ("a/c/b.csv", "a/*.csv", False),
        ("a/c/d/b.csv", "a/**/*.csv", True),
        ("a/b.csv", "a/**/*.csv", True),
        ("b/b.csv", "a/**/*.csv", False),
        ("a/b1.csv", "a/b[0-9].csv", True),
    ],
)
def test_patterns_of_keys(key: str, pattern: str, fits: bool) -> None:
    assert storage._matches(key, pattern) is fits
