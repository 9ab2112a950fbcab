"""What a payload is bound to, what is left alone, and what is refused."""

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import ActivitySerializationContext, NexusSerializationContext, WorkflowSerializationContext

from temporal_codec import (
    CannotEncodeError,
    CannotOpenError,
    CodecOptionsError,
    EncryptionCodec,
    KeyringFile,
    PlaintextRefusedError,
    WrongNamespaceError,
)

from .support import decode, encode, encoding_of, payload


@pytest.fixture
def keyring(write_keyring):
    return KeyringFile(write_keyring("one"))


def test_what_is_encoded_holds_nothing_readable_and_decodes(keyring) -> None:
    codec = EncryptionCodec("orders", keyring)
    given = [payload(), payload("x" * 1_000_000), Payload(metadata={"encoding": b"binary/null"})]
    encoded = encode(codec, *given)
    assert [encoding_of(it) for it in encoded] == ["binary/aws-encryption-sdk"] * 3
    assert b"Lovelace" not in encoded[0].SerializeToString()
    assert b"orders" in encoded[0].data
    # Suite 0x0478 in a message of version 2.
    assert encoded[0].data[:3] == b"\x02\x04\x78"
    assert decode(codec, *encoded) == given


def test_a_payload_encoded_twice_is_peeled_twice(keyring) -> None:
    codec = EncryptionCodec("orders", keyring)
    assert decode(codec, *encode(codec, *encode(codec, payload()))) == [payload()]


def test_more_than_eight_layers_are_refused(keyring) -> None:
    codec = EncryptionCodec("orders", keyring)
    nested = [payload()]
    for _ in range(9):
        nested = encode(codec, *nested)
    with pytest.raises(CannotOpenError, match="more than 8 layers"):
        decode(codec, *nested)


def test_another_namespace_is_refused_by_the_names_of_both(keyring) -> None:
    foreign = encode(EncryptionCodec("payments", keyring), payload())
    with pytest.raises(WrongNamespaceError, match="namespace payments was met in orders.*also_decode"):
        decode(EncryptionCodec("orders", keyring), *foreign)


@pytest.mark.parametrize("pattern", ["payments", "pay*", "*"])
def test_further_namespaces_are_decoded_where_they_are_named(keyring, pattern) -> None:
    foreign = encode(EncryptionCodec("payments", keyring), payload())
    assert decode(EncryptionCodec("orders", keyring, also_decode=[pattern]), *foreign) == [payload()]


@pytest.mark.parametrize("pattern", ["payment", "payments.", "ayments", "p*x"])
def test_a_pattern_matches_whole_names(keyring, pattern) -> None:
    foreign = encode(EncryptionCodec("payments", keyring), payload())
    with pytest.raises(WrongNamespaceError):
        decode(EncryptionCodec("orders", keyring, also_decode=[pattern]), *foreign)


def test_plaintext_is_left_alone_or_refused(keyring) -> None:
    assert decode(EncryptionCodec("orders", keyring), payload()) == [payload()]
    refusing = EncryptionCodec("orders", keyring, plaintext="refuse")
    with pytest.raises(PlaintextRefusedError, match="json/plain"):
        decode(refusing, payload())
    with pytest.raises(PlaintextRefusedError):
        decode(refusing, payload(encoding="binary/zlib"))
    assert decode(refusing, *encode(refusing, payload())) == [payload()]


@pytest.mark.parametrize(
    "context",
    [
        WorkflowSerializationContext(namespace="payments", workflow_id="w"),
        ActivitySerializationContext("payments", "a", "t", "q", "w", "t", False),
    ],
)
def test_nothing_is_encoded_for_another_namespace_than_the_client_s(keyring, context) -> None:
    codec = EncryptionCodec("orders", keyring)
    foreign = codec.with_context(context)
    with pytest.raises(CannotEncodeError, match="payments would be bound to orders"):
        encode(foreign, payload())
    assert decode(foreign, *encode(codec, payload())) == [payload()]


@pytest.mark.parametrize(
    "context",
    [
        WorkflowSerializationContext(namespace="orders", workflow_id="w"),
        WorkflowSerializationContext(namespace="ReplayNamespace", workflow_id="w"),
        NexusSerializationContext(endpoint="e", service="s", operation="o"),
    ],
)
def test_contexts_of_the_own_namespace_of_a_replay_and_of_nexus_encode(keyring, context) -> None:
    codec = EncryptionCodec("orders", keyring)
    assert decode(codec, *encode(codec.with_context(context), payload())) == [payload()]


@pytest.mark.parametrize(
    ("namespace", "options", "message"),
    [
        ("", {}, "namespace"),
        ("orders", {"plaintext": "maybe"}, "plaintext"),
        ("orders", {"also_decode": "payments"}, "also_decode"),
        ("orders", {"also_decode": [""]}, "also_decode"),
        ("orders", {"inflated_bytes": 0}, "inflated_bytes"),
    ],
)
def test_wrong_options_are_told_at_once(keyring, namespace, options, message) -> None:
    with pytest.raises(CodecOptionsError, match=message):
        EncryptionCodec(namespace, keyring, **options)
