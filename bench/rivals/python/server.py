"""A codec server as a Python team would run it: aiohttp, the SDK's protobuf types and JSON mapping,
and an AES-256-GCM codec that speaks the encryption sample's format.

usage: python server.py PORT   (0 for any; prints "listening PORT" once it accepts connections)
"""

import asyncio
import os
import sys
from collections.abc import Iterable

from aiohttp import web
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

ENCODING = b"binary/encrypted"
KEY_ID = b"test-key-id"
# aiohttp's default of 1 MiB would refuse the large workload.
MAX_BODY_BYTES = 64 * 1024 * 1024
CORS = {
    "Access-Control-Allow-Origin": "http://localhost:8233",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type,x-namespace",
}


class AesCodec(PayloadCodec):
    def __init__(self) -> None:
        super().__init__()
        # The public key of the samples.
        self._aead = AESGCM(b"test-key-test-key-test-key-test!")

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce = os.urandom(12)
        sealed = self._aead.encrypt(nonce, payload.SerializeToString(), None)
        return Payload(metadata={"encoding": ENCODING, "encryption-key-id": KEY_ID}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        if payload.metadata.get("encryption-key-id") != KEY_ID:
            raise ValueError("the payload names another key")
        return Payload.FromString(self._aead.decrypt(payload.data[:12], payload.data[12:], None))


def application() -> web.Application:
    codec = AesCodec()

    def answering(transform):
        async def handle(request: web.Request) -> web.Response:
            payloads = json_format.Parse(await request.read(), Payloads())
            answer = Payloads(payloads=await transform(payloads.payloads))
            return web.Response(
                text=json_format.MessageToJson(answer), content_type="application/json", headers=CORS
            )

        return handle

    async def preflight(_: web.Request) -> web.Response:
        return web.Response(headers=CORS)

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.add_routes(
        [
            web.post("/decode", answering(codec.decode)),
            web.post("/encode", answering(codec.encode)),
            web.options("/decode", preflight),
            web.options("/encode", preflight),
        ]
    )
    return app


async def main() -> None:
    runner = web.AppRunner(application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    await site.start()
    print(f"listening {runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
