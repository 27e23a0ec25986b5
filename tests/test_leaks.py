"""No secret stands in a file that is committed."""

import shutil

import pytest
from leaks import ROOT, found, tracked


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="no git history here")
def test_no_committed_file_holds_a_secret():
    assert found(tracked()) == set()


def test_a_planted_secret_is_found():
    planted = [("deploy/x.yaml", b"aws_key: AKIA" + b"QYLPMN5HHHFPZAM2\n"), ("app.py", b'api_key = "3f' + b'9d1c7ab2e84f60"\n')]
    assert {(name, kind) for name, kind, _ in found(iter(planted))} >= {("deploy/x.yaml", "AWS Access Key"), ("app.py", "Secret Keyword")}
