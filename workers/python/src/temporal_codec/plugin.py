"""One line for a client and its workers."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, Sequence

from temporalio.client import ClientConfig
from temporalio.converter import DataConverter, DefaultFailureConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker import ReplayerConfig, WorkerConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from .codec import EncryptionCodec
from .data_keys import CacheSettings
from .errors import CodecOptionsError
from .failures import EncryptingFailureConverter
from .key_source import KeySource

_REPLAY_NAMESPACE = "ReplayNamespace"


class EncryptionPlugin(SimplePlugin):
    """Encrypts the payloads and failures of a client and of the workers that are made with it.

    ``await Client.connect(address, namespace="orders-prod.a1b2c", plugins=[EncryptionPlugin(KmsKeys(arn))])``

    The namespace is the client's own. Search attributes stay plain: the server has to read them.

    :param keys: where data keys come from: :class:`KmsKeys`, :class:`KeyringFile` or :class:`KeyringSecret`
    :param also_decode: as for :class:`EncryptionCodec`
    :param plaintext: as for :class:`EncryptionCodec`
    :param cache: as for :class:`EncryptionCodec`
    :param encrypt_failures: whether messages and stack traces of failures are encrypted. Default True; a failure
        converter of your own stays as it is
    :param replay_namespace: the namespace of the histories for a ``Replayer``, which has no client to take it from
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        also_decode: Sequence[str] = (),
        plaintext: Literal["accept", "refuse"] = "accept",
        cache: CacheSettings = CacheSettings(),
        encrypt_failures: bool = True,
        replay_namespace: str | None = None,
    ) -> None:
        super().__init__("temporal-codec-server.EncryptionPlugin")
        if not isinstance(encrypt_failures, bool):
            raise CodecOptionsError("encrypt_failures must be True or False")
        self._keys = keys
        self._options: dict[str, Any] = {"also_decode": also_decode, "plaintext": plaintext, "cache": cache}
        self._encrypt_failures = encrypt_failures
        self._replay_namespace = replay_namespace
        self._codecs: dict[str, EncryptionCodec] = {}
        # Tells wrong options now, and not when a client connects.
        EncryptionCodec("checked", keys, **self._options)

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        config = super().configure_client(config)
        config["data_converter"] = self.data_converter_for(config["namespace"], config["data_converter"])
        return config

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        config = super().configure_worker(config)
        config["workflow_runner"] = _passing_through(config.get("workflow_runner"))
        client = config.get("client")
        codec = None if client is None else self._codecs.get(client.namespace)
        if client is not None and codec is not None:
            codec.look_ahead_with(client)
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        config = super().configure_replayer(config)
        named = config.get("namespace", _REPLAY_NAMESPACE)
        namespace = self._replay_namespace or (None if named == _REPLAY_NAMESPACE else named)
        if namespace is None:
            raise CodecOptionsError("a replayer needs the namespace of its histories: give replay_namespace")
        config["data_converter"] = self.data_converter_for(namespace, config.get("data_converter"))
        config["workflow_runner"] = _passing_through(config.get("workflow_runner"))
        return config

    def data_converter_for(self, namespace: str, base: DataConverter | None = None) -> DataConverter:
        """A data converter that encrypts, for where no plugin can be given.

        :param base: what to add to
        :raises CodecOptionsError: when it has another codec already
        """
        base = DataConverter.default if base is None else base
        if base.payload_codec is not None and not isinstance(base.payload_codec, EncryptionCodec):
            raise CodecOptionsError(
                "the client has a payload codec already: leave it out, or put an EncryptionCodec into one of your own"
            )
        codec = self._codecs.get(namespace)
        if codec is None:
            codec = self._codecs[namespace] = EncryptionCodec(namespace, self._keys, **self._options)
        converter = dataclasses.replace(base, payload_codec=codec)
        if self._encrypt_failures and base.failure_converter_class is DefaultFailureConverter:
            converter = dataclasses.replace(converter, failure_converter_class=EncryptingFailureConverter)
        return converter


def _passing_through(runner: Any) -> Any:
    """Lets workflow files import the codec: the sandbox would load it, and boto3 with it, anew for every workflow."""
    if not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    restrictions = runner.restrictions.with_passthrough_modules("temporal_codec")
    return dataclasses.replace(runner, restrictions=restrictions)
