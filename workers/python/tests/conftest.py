import base64
import json
import os
from pathlib import Path
from typing import Callable, Iterator

import pytest

from .kms_stand_in import KmsStandIn


@pytest.fixture
def kms() -> Iterator[KmsStandIn]:
    stand_in = KmsStandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture
def write_keyring(tmp_path: Path) -> Callable[..., Path]:
    """Writes a keyring whose keys have these names; the same name is the same key. The last is current."""
    keys: dict[str, str] = {}

    def write(*names: str, current: str | None = None, file: str = "keyring.json") -> Path:
        for name in names:
            keys.setdefault(name, base64.b64encode(os.urandom(32)).decode())
        document = {
            "namespace": "codec-server",
            "current": current or names[-1],
            "keys": [{"name": name, "key": keys[name]} for name in names],
        }
        path = tmp_path / file
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(document))
        fresh.chmod(0o600)
        fresh.replace(path)
        return path

    return write
