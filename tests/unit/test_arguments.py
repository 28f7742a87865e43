"""The spec on a command line, or in a file where it would be too long for one."""

import json

import pytest

from regatlas import arguments
from regatlas.errors import UserError


def test_a_spec_is_the_argument_or_what_is_in_the_file(tmp_path):
    value = {"methods": [{"id": "@home", "label": "Größe"}]}
    text = json.dumps(value, ensure_ascii=False)
    (tmp_path / "spec.json").write_text(text, encoding="utf-8")
    assert arguments.spec(text) == arguments.spec(f"@{tmp_path / 'spec.json'}") == value


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.json: No such file"):
        arguments.spec(f"@{tmp_path / 'absent.json'}")
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(UserError, match="bytes: "):
        arguments.spec(f"@{tmp_path / 'bytes'}")
    with pytest.raises(ValueError):
        arguments.spec("{")
