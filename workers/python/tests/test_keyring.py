"""The keyring file: all keys read, one writes, and a changed file is picked up."""

import logging

import pytest

from temporal_codec import CannotOpenError, EncryptionCodec, KeyringFile, KeyringFileError

from .support import Clock, decode, encode, payload


def test_after_keygen_the_new_key_writes_and_the_older_ones_read(write_keyring) -> None:
    clock = Clock()
    worker = EncryptionCodec("orders", KeyringFile(write_keyring("old"), clock=clock))
    before = encode(worker, payload("before"))
    write_keyring("old", "new")
    clock.now += 2
    after = encode(worker, payload("after"))
    assert b"new" in after[0].data and b"old" in before[0].data
    assert decode(worker, *before, *after) == [payload("before"), payload("after")]


def test_a_key_that_is_missing_is_told_by_name_and_picked_up_when_it_comes(write_keyring) -> None:
    clock = Clock()
    other = EncryptionCodec("orders", KeyringFile(write_keyring("old", "new", file="other.json")))
    worker = EncryptionCodec("orders", KeyringFile(write_keyring("old"), clock=clock))
    written = encode(other, payload())
    with pytest.raises(CannotOpenError, match="needs the key codec-server/new, .* has codec-server/old$"):
        decode(worker, *written)
    write_keyring("old", "new", current="old")
    clock.now += 2
    assert decode(worker, *written) == [payload()]


def test_another_key_of_the_same_name_is_told(write_keyring, tmp_path) -> None:
    written = encode(EncryptionCodec("orders", KeyringFile(write_keyring("one"))), payload())
    impostor = tmp_path / "impostor.json"
    impostor.write_text(f'{{"namespace":"codec-server","current":"one","keys":[{{"name":"one","key":"{"A" * 43}="}}]}}')
    impostor.chmod(0o600)
    with pytest.raises(CannotOpenError, match="another key has that name"):
        decode(EncryptionCodec("orders", KeyringFile(impostor)), *written)


def test_while_the_file_cannot_be_used_the_keys_stay_and_the_log_says_so_once(write_keyring, caplog) -> None:
    clock = Clock()
    path = write_keyring("one")
    worker = EncryptionCodec("orders", KeyringFile(path, clock=clock))
    path.write_text("{")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            clock.now += 2
            assert decode(worker, *encode(worker, payload())) == [payload()]
    assert [it.getMessage() for it in caplog.records] == [
        f"The keyring {path} cannot be used: it is not valid JSON at line 1 column 2. The keys stay as they were for five minutes at most."
    ]


@pytest.mark.parametrize(
    "spoil",
    [lambda path: path.write_text("{"), lambda path: path.unlink(), lambda path: path.chmod(0o644)],
    ids=["broken", "gone", "open to others"],
)
def test_a_file_that_cannot_be_used_serves_for_five_minutes_and_no_longer(write_keyring, spoil) -> None:
    clock = Clock()
    path = write_keyring("one")
    worker = EncryptionCodec("orders", KeyringFile(path, clock=clock))
    written = encode(worker, payload())
    spoil(path)
    clock.now += 299
    assert decode(worker, *written, *encode(worker, payload())) == [payload(), payload()]
    clock.now += 1
    with pytest.raises(KeyringFileError, match="keyring.json"):
        decode(worker, *written)
    with pytest.raises(KeyringFileError, match="keyring.json"):
        encode(worker, payload())
    path.unlink(missing_ok=True)
    write_keyring("one")
    clock.now += 1
    assert decode(worker, *written) == [payload()]


KEY = "A" * 43 + "="


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "must be an object"),
        ('{"namespace":"n","current":"a"}', "must have the fields"),
        (f'{{"namespace":"aws-kms","current":"a","keys":[{{"name":"a","key":"{KEY}"}}]}}', "aws-kms"),
        (f'{{"namespace":"n","current":"b","keys":[{{"name":"a","key":"{KEY}"}}]}}', "names no key"),
        (f'{{"namespace":"n","current":"a","keys":[{{"name":"a","key":"{KEY}"}},{{"name":"a","key":"{KEY}"}}]}}', "twice"),
        ('{"namespace":"n","current":"a","keys":[{"name":"a","key":"c2VjcmV0"}]}', "base64 of 32 bytes"),
        ('{"namespace":"n","current":"a","keys":[]}', "at least one"),
    ],
)
def test_what_is_not_a_keyring_is_refused_without_a_word_of_it(tmp_path, text, message) -> None:
    path = tmp_path / "keyring.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyringFileError, match=message) as caught:
        KeyringFile(path)
    assert "c2VjcmV0" not in str(caught.value)


def test_a_keyring_that_others_can_read_is_refused(write_keyring) -> None:
    path = write_keyring("one")
    path.chmod(0o644)
    with pytest.raises(KeyringFileError, match='run "chmod 600'):
        KeyringFile(path)
    with pytest.raises(KeyringFileError, match="does not exist"):
        KeyringFile(path.with_name("none.json"))
