"""A keyring in Secrets Manager: how often it is read, how long it counts, and what ends it."""

import json

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from temporal_codec import (
    CannotOpenError,
    CodecError,
    CodecOptionsError,
    EncryptionCodec,
    EncryptionPlugin,
    KeyringFile,
    KeyringSecret,
    KeyringSecretError,
    KeyUnavailableError,
)
from temporal_codec.data_keys import DataKeys

from .support import Clock, decode, encode, payload

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:codec-keyring-a1b2c3"
CANARY = "canary-text-of-aws"


class Secrets:
    """What Secrets Manager answers, and how often it is asked."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.reads = 0
        self.error: Exception | None = None

    def __call__(self, region: str) -> "Secrets":
        assert region == "eu-central-1"
        return self

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict:
        assert (SecretId, VersionStage) == (ARN, "AWSCURRENT")
        self.reads += 1
        if self.error is not None:
            raise self.error
        return {"SecretString": self.text}

    def refuse(self, code: str, status: int = 400) -> None:
        response = {"Error": {"Code": code, "Message": CANARY}, "ResponseMetadata": {"HTTPStatusCode": status}}
        self.error = ClientError(response, "GetSecretValue")

    def hang(self) -> None:
        self.error = ConnectTimeoutError(endpoint_url=CANARY)


class World:
    def __init__(self, write_keyring) -> None:
        self.write_keyring = write_keyring
        self.clock = Clock()
        self.secrets = Secrets(write_keyring("old").read_text())
        self.secret = KeyringSecret(ARN, client=self.secrets, clock=self.clock)
        self.codec = self.codec_of(self.secret)

    def codec_of(self, keys, namespace: str = "orders") -> EncryptionCodec:
        codec = EncryptionCodec(namespace, keys)
        codec._keys = DataKeys(keys, codec._keys._settings, clock=self.clock)
        return codec

    def change(self, *names: str) -> None:
        self.secrets.text = self.write_keyring(*names).read_text()

    def later(self, seconds: float) -> None:
        self.clock.now += seconds


@pytest.fixture
def world(write_keyring) -> World:
    return World(write_keyring)


def test_what_it_writes_is_read_under_the_same_document_in_a_file(world, write_keyring) -> None:
    file = EncryptionCodec("orders", KeyringFile(write_keyring("old")))
    assert decode(file, *encode(world.codec, payload())) == [payload()]
    assert decode(world.codec, *encode(file, payload())) == [payload()]


def test_it_is_read_once_in_five_minutes_however_many_payloads_and_namespaces(world) -> None:
    other = world.codec_of(world.secret, "payments")
    for _ in range(3):
        decode(world.codec, *encode(world.codec, *(payload(str(it)) for it in range(50))))
        decode(other, *encode(other, payload()))
        world.later(99)
    assert world.secrets.reads == 1
    world.later(4)
    encode(world.codec, payload())
    assert world.secrets.reads == 2


def test_a_new_key_that_a_payload_names_is_looked_for_at_once_and_then_every_thirty_seconds(world, write_keyring) -> None:
    encode(world.codec, payload())
    world.later(31)
    foreign = EncryptionCodec("orders", KeyringFile(write_keyring("old", "new")))
    encoded = encode(foreign, payload())
    for _ in range(3):
        with pytest.raises(CannotOpenError, match="needs the key codec-server/new, and the secret .* has codec-server/old"):
            decode(world.codec, *encoded)
    assert world.secrets.reads == 2
    world.change("old", "new")
    world.later(31)
    assert decode(world.codec, *encoded) == [payload()]
    assert world.secrets.reads == 3


def test_a_key_that_was_taken_out_reads_and_writes_no_longer_than_five_minutes(world) -> None:
    encoded = encode(world.codec, payload())
    decode(world.codec, *encoded)
    world.later(250)
    # The data key is in memory anew, and that does not lengthen the life of the key that wrapped it.
    decode(world.codec, *encode(world.codec, payload()))
    world.change("new")
    world.later(51)
    with pytest.raises(CannotOpenError, match="needs the key codec-server/old"):
        decode(world.codec, *encoded)
    written = encode(world.codec, payload())
    assert decode(world.codec, *written) == [payload()]
    assert b"old" not in written[0].data


@pytest.mark.parametrize(
    "end",
    [
        lambda it: it.secrets.refuse("ResourceNotFoundException"),
        lambda it: it.secrets.refuse("AccessDeniedException"),
        lambda it: it.secrets.refuse("InvalidRequestException"),
        lambda it: setattr(it.secrets, "text", it.secrets.text.replace("old", "")),
        lambda it: setattr(it.secrets, "text", None),
    ],
    ids=["deleted", "no right", "scheduled for deletion", "a slip", "bytes"],
)
def test_a_secret_that_can_be_reached_and_not_used_ends_with_its_time(world, end) -> None:
    encoded = encode(world.codec, payload())
    decode(world.codec, *encoded)
    end(world)
    world.later(299)
    decode(world.codec, *encoded)
    world.later(2)
    for use in (lambda: decode(world.codec, *encoded), lambda: encode(world.codec, payload())):
        with pytest.raises(KeyringSecretError) as caught:
            use()
        assert CANARY not in str(caught.value) and ARN in str(caught.value)
    assert world.secrets.reads == 2


@pytest.mark.parametrize(
    "fail",
    [lambda it: it.hang(), lambda it: it.refuse("InternalServiceError", 500), lambda it: it.refuse("ThrottlingException")],
)
def test_a_secret_that_cannot_be_reached_goes_on_for_an_hour_and_no_longer(world, fail) -> None:
    encoded = encode(world.codec, payload())
    fail(world.secrets)
    world.later(3800)
    assert decode(world.codec, *encoded) == [payload()]
    encode(world.codec, payload())
    reads = world.secrets.reads
    world.later(101)
    for use in (lambda: decode(world.codec, *encoded), lambda: encode(world.codec, payload())):
        with pytest.raises(KeyUnavailableError) as caught:
            use()
        assert CANARY not in str(caught.value)
    assert world.secrets.reads == reads + 1
    world.secrets.error = None
    world.later(6)
    assert decode(world.codec, *encoded) == [payload()]


def test_what_fails_at_first_works_later_and_says_nothing_of_the_secret(world, caplog) -> None:
    key = json.loads(world.secrets.text)["keys"][0]["key"]
    world.secrets.text = world.secrets.text[:-1]
    with pytest.raises(CodecError) as caught:
        encode(world.codec, payload())
    assert key not in str(caught.value) + caplog.text
    world.change("old")
    world.later(6)
    encode(world.codec, payload())


def test_wrong_options_are_told_at_once() -> None:
    for wrong in ("codec-keyring", "arn:aws:kms:eu-central-1:111122223333:key/a", None):
        with pytest.raises(CodecOptionsError, match="is not the ARN of a secret"):
            KeyringSecret(wrong)
    with pytest.raises(CodecOptionsError):
        KeyringSecret(ARN, read_seconds=0)


def test_the_plugin_takes_it(world) -> None:
    converter = EncryptionPlugin(world.secret).data_converter_for("orders")
    assert decode(world.codec, *encode(converter.payload_codec, payload())) == [payload()]
