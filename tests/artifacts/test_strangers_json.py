"""Untrusted JSON: every reader refuses it in words, and never crashes."""

import json

import pytest

from predictor.artifacts import quarantine, signatures
from predictor.artifacts.contract import build_contract
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import METADATA, SUPPORT, read_title, read_version
from predictor.artifacts.policy import Policy, TaskResult
from predictor.artifacts.report_store import ReportStore
from predictor.artifacts.support import SupportTable
from predictor.http.errors import MalformedBody
from predictor.http.parsers import parse_json
from tests import bundles
from training.reproduction import _same_support
from training.site import DownloadError, Site


def body(data, tmp_path, monkeypatch):
    parse_json(data)


def metadata(data, tmp_path, monkeypatch):
    (tmp_path / METADATA).write_bytes(data)
    read_title(tmp_path)


def support(data, tmp_path, monkeypatch):
    SupportTable(data, build_contract(bundles.LOOKUP, bundles.FLAGS))


def published_support(data, tmp_path, monkeypatch):
    (tmp_path / SUPPORT).write_bytes(data)
    _same_support({"n": [], "interval": {}}, tmp_path)


def signature(data, tmp_path, monkeypatch):
    files = read_version(bundles.install(tmp_path))
    (files.folder / signatures.SIGNATURE).write_bytes(data)
    signatures.check_signature(files, signatures.new_key()[1])


def examination(data, tmp_path, monkeypatch):
    files = read_version(bundles.install(tmp_path))
    monkeypatch.setattr(quarantine, "_run", lambda *_: TaskResult(data, 0))
    quarantine.examine_apart(files, Policy())


def months(data, tmp_path, monkeypatch):
    monkeypatch.setattr(Site, "_read", lambda *_: data)
    Site().months()


READERS = {
    body: MalformedBody,
    metadata: ArtifactError,
    support: ArtifactError,
    published_support: ArtifactError,
    signature: ArtifactError,
    examination: ArtifactError,
    months: DownloadError,
}
BAD = {
    "no JSON": b"{'a': 1}",
    "nothing": b"",
    "cut off": b'{"a": [1',
    "too deep": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "too many digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "no text": b'{"a": "\xff"}',
    "no text in UTF-16": b'\xff\xfe{"',
    "two values": b"{}{}",
}
reader = pytest.mark.parametrize("read", READERS, ids=lambda reader: reader.__name__)


@reader
@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_it_refuses(read, data, tmp_path, monkeypatch):
    with pytest.raises(READERS[read]) as refused:
        read(data, tmp_path, monkeypatch)
    said = str(refused.value)
    assert said.isprintable()
    assert len(said) < 300


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_damaged_verdict_is_none(tmp_path, data):
    (tmp_path / f"{'0' * 64}.json").write_bytes(data)
    (tmp_path / "arkham.serial.json").write_bytes(data)
    verdicts = ReportStore(Policy(store=tmp_path))
    assert verdicts.find("0" * 64) is None
    assert verdicts.serial("arkham") == 0


@pytest.mark.parametrize("data", [b"[]", b"3", b"null", b'{"reason": "", "surprise": 1}'])
def test_an_examination_that_is_no_report_is_refused(data, tmp_path, monkeypatch):
    with pytest.raises(ArtifactError):
        examination(data, tmp_path, monkeypatch)


STRICT = {
    "NaN": (b'{"a": NaN}', "has NaN"),
    "infinity": (b"[-Infinity]", "has -Infinity"),
    "a key twice": (b'{"ab": 1, "c": {}, "ab": 2}', "has the key 'ab' twice"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "UTF-16": ("{}".encode("utf-16"), "not UTF-8"),
}


@pytest.mark.parametrize(("data", "sentence"), STRICT.values(), ids=STRICT)
def test_a_request_is_read_strictly(data, sentence):
    with pytest.raises(MalformedBody, match=sentence):
        parse_json(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_may_be_written_by_any_editor(tmp_path, encoding):
    text = json.dumps({"title": "Blüdhaven"}, ensure_ascii=False)
    (tmp_path / METADATA).write_bytes(text.encode(encoding))
    assert read_title(tmp_path) == "Blüdhaven"
