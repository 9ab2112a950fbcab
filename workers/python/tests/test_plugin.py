"""The plugin: converter, failure converter and namespace in one line."""

import asyncio
import dataclasses

import pytest
from temporalio import workflow
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter, DefaultFailureConverter
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from temporal_codec import CannotOpenError, CodecOptionsError, EncryptingFailureConverter, EncryptionPlugin, KeyringFile

from .support import decode, encode, encoding_of, payload


@workflow.defn(sandboxed=False)
class Nothing:
    @workflow.run
    async def run(self) -> None:
        pass


@pytest.fixture
def plugin(write_keyring):
    return EncryptionPlugin(KeyringFile(write_keyring("one")))


def configured(plugin, namespace="orders", converter=DataConverter.default):
    config = plugin.configure_client({"namespace": namespace, "data_converter": converter, "interceptors": []})
    return config["data_converter"]


def test_the_namespace_is_the_client_s(plugin) -> None:
    converter = configured(plugin, "orders-prod.a1b2c")
    assert converter.payload_codec.namespace == "orders-prod.a1b2c"
    assert configured(plugin, "orders-prod.a1b2c").payload_codec is converter.payload_codec
    assert configured(plugin, "payments").payload_codec.namespace == "payments"


def failure_of(converter, error) -> Failure:
    failure = Failure()
    asyncio.run(converter.encode_failure(error, failure))
    return failure


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_failures_hold_nothing_readable_and_come_back(plugin) -> None:
    converter = configured(plugin)
    try:
        raise RuntimeError("outer secret") from raised(ValueError("inner secret"))
    except RuntimeError as error:
        failure = failure_of(converter, error)
    assert b"secret" not in failure.SerializeToString()
    assert encoding_of(failure.encoded_attributes) == "binary/aws-encryption-sdk"
    assert encoding_of(failure.cause.encoded_attributes) == "binary/aws-encryption-sdk"
    read = asyncio.run(converter.decode_failure(failure))
    assert "outer secret" in str(read) and "inner secret" in str(read.__cause__)


def test_the_codec_s_own_failures_stay_readable_and_need_no_key(plugin) -> None:
    failure = failure_of(configured(plugin), raised(CannotOpenError("this payload needs the key codec-server/new")))
    assert failure.message == "this payload needs the key codec-server/new"
    assert failure.application_failure_info.type == "CannotOpenError"
    assert not failure.application_failure_info.non_retryable
    assert not failure.HasField("encoded_attributes")


def test_a_failure_converter_of_one_s_own_stays(plugin) -> None:
    class Own(DefaultFailureConverter):
        pass

    base = dataclasses.replace(DataConverter.default, failure_converter_class=Own)
    assert configured(plugin, converter=base).failure_converter_class is Own
    assert configured(plugin).failure_converter_class is EncryptingFailureConverter


def test_failures_stay_plain_where_somebody_asks_for_it(write_keyring) -> None:
    plugin = EncryptionPlugin(KeyringFile(write_keyring("one")), encrypt_failures=False)
    assert failure_of(configured(plugin), raised(ValueError("plain"))).message == "plain"


def test_a_client_with_another_codec_is_refused(plugin) -> None:
    from temporalio.converter import PayloadCodec

    class Other(PayloadCodec):
        async def encode(self, payloads):
            return list(payloads)

        async def decode(self, payloads):
            return list(payloads)

    with pytest.raises(CodecOptionsError, match="has a payload codec already"):
        configured(plugin, converter=dataclasses.replace(DataConverter.default, payload_codec=Other()))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"plaintext": "no"}, "plaintext must be"),
        ({"also_decode": "orders-*"}, "also_decode"),
        ({"encrypt_failures": None}, "encrypt_failures must be True or False"),
        ({"keys": "keyring.json"}, "keys must be KmsKeys, a KeyringFile or a KeyringSecret"),
    ],
)
def test_wrong_options_are_told_when_the_plugin_is_made(write_keyring, options, told) -> None:
    with pytest.raises(CodecOptionsError, match=told):
        EncryptionPlugin(**{"keys": KeyringFile(write_keyring("one")), **options})


def test_a_replayer_needs_a_namespace_and_decodes_what_the_worker_wrote(plugin, write_keyring) -> None:
    encoded = encode(configured(plugin).payload_codec, payload())
    with pytest.raises(CodecOptionsError, match="replay_namespace"):
        Replayer(workflows=[Nothing], plugins=[plugin])
    replaying = EncryptionPlugin(KeyringFile(write_keyring("one")), replay_namespace="orders")
    replayer = Replayer(workflows=[Nothing], plugins=[replaying])
    assert decode(replayer.config(active_config=True)["data_converter"].payload_codec, *encoded) == [payload()]


def test_workflow_files_may_import_the_codec(plugin) -> None:
    config = plugin.configure_worker({"workflow_runner": SandboxedWorkflowRunner()})
    restrictions = config["workflow_runner"].restrictions
    assert "temporal_codec" in restrictions.passthrough_modules
    assert SandboxRestrictions.default.passthrough_modules < restrictions.passthrough_modules
