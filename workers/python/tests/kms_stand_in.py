"""A KMS in this process: the service's JSON protocol over a socket, real AES-GCM, calls counted, faults on demand."""

from __future__ import annotations

import base64
import json
import os
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Iterator

import boto3
from botocore.config import Config
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .support import PATIENCE

CANARY = "canary-text-of-aws"


class Refusal(Exception):
    """An exception of KMS by its name."""

    def __init__(self, name: str, status: int = 400) -> None:
        super().__init__(name)
        self.name = name
        self.status = status


class KmsStandIn:
    def __init__(self) -> None:
        self.calls: list[str] = []
        #: The most calls that were under way at once.
        self.most_at_once = 0
        self.under_way = 0
        self._lock = threading.Lock()
        self._answers = threading.Event()
        self._answers.set()
        #: Asked for every call; raises what is wrong with it, and may wait.
        self.trouble: Callable[[str, str], None] = lambda operation, key: None
        self._keys: dict[str, AESGCM] = {}
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One packet for an answer: in two, the second waits for the client's acknowledgement.
            wbufsize = -1

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                operation = self.headers["x-amz-target"].removeprefix("TrentService.")
                with stand_in._lock:
                    stand_in.calls.append(operation)
                    stand_in.under_way += 1
                    stand_in.most_at_once = max(stand_in.most_at_once, stand_in.under_way)
                stand_in._answers.wait()
                status = 200
                try:
                    stand_in.trouble(operation, body["KeyId"])
                    answer = stand_in._answer(operation, body)
                except Refusal as refusal:
                    status, answer = refusal.status, {"__type": refusal.name, "message": f"{CANARY} {body['KeyId']}"}
                with stand_in._lock:
                    stand_in.under_way -= 1
                self._send(status, answer)

            def _send(self, status: int, body: dict[str, Any]) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/x-amz-json-1.1")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                try:
                    self.wfile.flush()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        # It looks that often whether it is to end.
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def create_key(self, region: str = "eu-central-1") -> str:
        arn = f"arn:aws:kms:{region}:111122223333:key/{uuid.uuid4()}"
        self._keys[arn] = AESGCM(os.urandom(32))
        return arn

    def replicate(self, arn: str, region: str) -> tuple[str, str]:
        """A multi-Region key with the material of another: its ARN here and there."""
        name = f"mrk-{uuid.uuid4().hex}"
        arns = tuple(f"arn:aws:kms:{it}:111122223333:key/{name}" for it in (arn.split(":")[3], region))
        for it in arns:
            self._keys[it] = self._keys[arn]
        return arns  # type: ignore[return-value]

    def client(self, region: str, **settings: Any) -> Any:
        """A real client of AWS, for this KMS."""
        config = Config(
            **{
                "connect_timeout": PATIENCE,
                "read_timeout": PATIENCE,
                "max_pool_connections": 64,
                "retries": {"total_max_attempts": 1},
                **settings,
            }
        )
        return boto3.client(
            "kms",
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def count(self, operation: str) -> int:
        return self.calls.count(operation)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Answers no call until the block has ended."""
        self._answers.clear()
        try:
            yield
        finally:
            self._answers.set()

    def close(self) -> None:
        self._answers.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        arn = body["KeyId"]
        key = self._keys.get(arn)
        if key is None:
            raise Refusal("NotFoundException")
        context = json.dumps(sorted(body.get("EncryptionContext", {}).items())).encode()
        if operation == "GenerateDataKey":
            plaintext = os.urandom(body["NumberOfBytes"])
            nonce = os.urandom(12)
            wrapped = nonce + key.encrypt(nonce, plaintext, context)
            return {"KeyId": arn, "Plaintext": _text(plaintext), "CiphertextBlob": _text(wrapped)}
        if operation == "Decrypt":
            blob = base64.b64decode(body["CiphertextBlob"])
            try:
                return {"KeyId": arn, "Plaintext": _text(key.decrypt(blob[:12], blob[12:], context))}
            except InvalidTag:
                raise Refusal("InvalidCiphertextException") from None
        raise Refusal("AccessDeniedException")


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
