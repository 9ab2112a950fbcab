"""KMS: how often it is called, by whom, and what a fault of it does."""

import asyncio
import threading

import pytest

from temporal_codec import (
    CacheSettings,
    CannotEncodeError,
    CannotOpenError,
    CodecError,
    CodecOptionsError,
    EncryptionCodec,
    KeyUnavailableError,
    KmsKeys,
)
from temporal_codec.data_keys import DataKeys

from .kms_stand_in import CANARY, KmsStandIn, Refusal
from .support import PATIENCE, Clock, decode, encode, payload, until


def codec_of(kms: KmsStandIn, write: str | None, *read: str, clock: Clock | None = None, **cache: float) -> EncryptionCodec:
    codec = EncryptionCodec("orders", KmsKeys(write, read, client=kms.client), cache=CacheSettings(**{"timeout_seconds": PATIENCE, **cache}))
    if clock is not None:
        codec._keys = DataKeys(codec._keys._source, codec._keys._settings, clock=clock)
    return codec


def refuse(operation: str, name: str, status: int = 400):
    def trouble(called: str, _: str) -> None:
        if called == operation:
            raise Refusal(name, status)

    return trouble


class TestCalls:
    def test_a_thousand_payloads_cost_one_call_to_write_and_one_to_read(self, kms) -> None:
        codec = codec_of(kms, kms.create_key())
        encoded = encode(codec, *(payload(str(it)) for it in range(1000)))
        assert kms.calls == ["GenerateDataKey"]
        assert decode(codec, *encoded) == [payload(str(it)) for it in range(1000)]
        assert kms.calls == ["GenerateDataKey", "Decrypt"]

    def test_two_hundred_data_keys_cost_a_call_each_and_none_the_second_time(self, kms) -> None:
        arn = kms.create_key()
        encoded = encode(codec_of(kms, arn, write_messages=1), *(payload(str(it)) for it in range(200)))
        assert kms.count("GenerateDataKey") == 200
        reader = codec_of(kms, None, arn)
        for _ in range(2):
            assert len(decode(reader, *encoded)) == 200
            assert kms.count("Decrypt") == 200

    def test_fifty_cold_callers_wait_for_one_call(self, kms) -> None:
        codec = codec_of(kms, kms.create_key())

        async def all_at_once(tasks: list) -> list:
            with kms.hanging():
                waiting = [asyncio.create_task(it) for it in tasks]
                await asyncio.to_thread(until, lambda: kms.under_way)
            return await asyncio.gather(*waiting)

        async def run() -> list:
            encoded = await all_at_once([codec.encode([payload()]) for _ in range(50)])
            return await all_at_once([codec.decode(it) for it in encoded])

        assert asyncio.run(run()) == [[payload()]] * 50
        assert kms.calls == ["GenerateDataKey", "Decrypt"]

    def test_several_threads_with_a_loop_each_wait_for_one_call(self, kms) -> None:
        codec = codec_of(kms, kms.create_key())
        flights = codec._keys._flight
        waiting: list[object] = []
        codec._keys._flight = lambda missing: waiting.append(missing) or flights(missing)

        async def run() -> None:
            with kms.hanging():
                tasks = [asyncio.create_task(asyncio.to_thread(encode, codec, payload())) for _ in range(4)]
                await asyncio.to_thread(until, lambda: len(waiting) == 4 and kms.under_way)
            await asyncio.gather(*tasks)

        asyncio.run(run())
        assert kms.calls == ["GenerateDataKey"]

    def test_nothing_cached_waits_for_calls_that_hang_however_many(self, kms) -> None:
        arn = kms.create_key()
        codec = codec_of(kms, arn)
        assert decode(codec, *encode(codec, payload())) == [payload()]
        writer = codec_of(kms, arn, write_messages=1)
        foreign = [[it] for it in encode(writer, *[payload()] * 100)]

        async def run() -> None:
            with kms.hanging():
                hanging = [asyncio.create_task(codec.decode(it)) for it in foreign]
                await asyncio.to_thread(until, lambda: kms.under_way == 32)
                assert await codec.decode(await codec.encode([payload()])) == [payload()]
                assert not any(it.done() for it in hanging)
            assert await asyncio.gather(*hanging) == [[payload()]] * 100

        asyncio.run(run())

    def test_a_refusal_is_told_at_once_and_leaves_no_task_behind(self, kms) -> None:
        arn, denied = kms.create_key(), kms.create_key()
        encoded = [encode(codec_of(kms, key), payload())[0] for key in (denied, arn, arn)]
        hangs = threading.Event()

        def trouble(_: str, key: str) -> None:
            if key == denied:
                raise Refusal("AccessDeniedException")
            hangs.wait()

        kms.trouble = trouble

        async def run() -> int:
            with pytest.raises(CannotOpenError, match="AccessDeniedException"):
                await codec_of(kms, None, arn, denied, timeout_seconds=600.0).decode(encoded)
            return len(asyncio.all_tasks())

        try:
            assert asyncio.run(run()) == 1
        finally:
            hangs.set()

    def test_whoever_waits_for_a_call_that_hangs_gives_up_however_many(self, kms) -> None:
        arn = kms.create_key()
        foreign = encode(codec_of(kms, arn, write_messages=1), *[payload()] * 100)
        reader = codec_of(kms, None, arn, timeout_seconds=0.1)

        async def run() -> list:
            return await asyncio.gather(*(reader.decode([it]) for it in foreign), return_exceptions=True)

        with kms.hanging():
            assert all(isinstance(it, KeyUnavailableError) for it in asyncio.run(run()))

    def test_a_key_that_came_after_its_caller_gave_up_is_there_for_the_next(self, kms, caplog) -> None:
        codec = codec_of(kms, kms.create_key(), timeout_seconds=0.1)
        with kms.hanging(), pytest.raises(KeyUnavailableError, match="did not answer within 0.1 s"):
            encode(codec, payload())
        until(lambda: codec._keys._written and not codec._keys._flights)
        encode(codec, payload())
        assert kms.calls == ["GenerateDataKey"]
        codec.close()
        assert caplog.text == ""


class TestBounds:
    def test_a_key_writes_a_day_and_reads_five_minutes_by_default(self, kms) -> None:
        clock = Clock()
        codec = codec_of(kms, kms.create_key(), clock=clock)
        encoded = encode(codec, payload())
        decode(codec, *encoded)
        clock.now += 301
        decode(codec, *encode(codec, payload()))
        assert (kms.count("GenerateDataKey"), kms.count("Decrypt")) == (1, 2)
        clock.now += 86_400
        encode(codec, payload())
        assert kms.count("GenerateDataKey") == 2

    @pytest.mark.parametrize(("bound", "calls"), [({"write_messages": 2}, 3), ({"write_bytes": 120}, 3), ({}, 1)])
    def test_a_key_writes_so_many_messages_and_bytes(self, kms, bound, calls) -> None:
        codec = codec_of(kms, kms.create_key(), **bound)
        for _ in range(5):
            encode(codec, payload())
        assert kms.count("GenerateDataKey") == calls

    def test_a_payload_above_all_bounds_is_written_with_a_key_of_its_own(self, kms) -> None:
        codec = codec_of(kms, kms.create_key(), write_bytes=10)
        assert decode(codec, *encode(codec, payload(), payload())) == [payload()] * 2
        assert kms.count("GenerateDataKey") == 2

    def test_a_full_cache_keeps_what_was_used_last_and_still_opens_a_batch_above_it(self, kms) -> None:
        arn = kms.create_key()
        encoded = [encode(codec_of(kms, arn), payload(str(it)))[0] for it in range(5)]
        reader = codec_of(kms, None, arn, max_keys=2)
        assert decode(reader, *encoded) == [payload(str(it)) for it in range(5)]
        assert kms.count("Decrypt") == 5
        assert len(reader._keys._read) == 2

    @pytest.mark.parametrize("wrong", [{"write_seconds": 86_401}, {"read_seconds": 0}, {"max_keys": -1}])
    def test_bounds_that_bound_nothing_are_refused(self, wrong) -> None:
        with pytest.raises(CodecOptionsError, match=next(iter(wrong))):
            CacheSettings(**wrong)


class TestKeys:
    def test_one_key_writes_and_all_read_without_kms_encrypt(self, kms) -> None:
        old, new = kms.create_key(), kms.create_key()
        before = encode(codec_of(kms, old, new), payload("before"))
        worker = codec_of(kms, new, old)
        assert decode(worker, *before, *encode(worker, payload("after"))) == [payload("before"), payload("after")]
        assert "Encrypt" not in kms.calls

    def test_a_key_that_is_not_listed_is_never_asked_and_named_with_those_that_are(self, kms) -> None:
        listed, other = kms.create_key(), kms.create_key()
        encoded = encode(codec_of(kms, other), payload())
        with pytest.raises(CannotOpenError) as caught:
            decode(codec_of(kms, listed), *encoded)
        assert str(caught.value) == f"this payload needs the key {other}, and the codec has {listed}"
        assert "Decrypt" not in kms.calls

    def test_a_replica_in_another_region_reads(self, kms) -> None:
        here, there = kms.replicate(kms.create_key(), "us-east-1")
        assert decode(codec_of(kms, None, there), *encode(codec_of(kms, here), payload())) == [payload()]

    def test_another_namespace_is_refused_before_a_key_is_touched(self, kms) -> None:
        arn = kms.create_key()
        foreign = encode(EncryptionCodec("payments", KmsKeys(arn, client=kms.client)), payload())
        with pytest.raises(CannotOpenError, match="payments was met in orders"):
            decode(codec_of(kms, arn), *foreign)
        assert "Decrypt" not in kms.calls

    @pytest.mark.parametrize("wrong", ["alias/orders", "arn:aws:kms:eu-central-1:111122223333:alias/orders", ""])
    def test_what_is_not_the_arn_of_a_key_is_told_at_once(self, wrong) -> None:
        with pytest.raises(CodecOptionsError, match="ARN of a KMS key"):
            KmsKeys(wrong)

    def test_without_a_key_to_write_with_nothing_is_written(self, kms) -> None:
        with pytest.raises(CannotEncodeError, match="no KMS key writes"):
            encode(codec_of(kms, None, kms.create_key()), payload())


class TestFaults:
    @pytest.mark.parametrize(
        ("name", "status", "error"),
        [
            ("AccessDeniedException", 400, CannotOpenError),
            ("DisabledException", 400, CannotOpenError),
            ("ThrottlingException", 400, KeyUnavailableError),
            ("KMSInternalException", 500, KeyUnavailableError),
        ],
    )
    def test_what_kms_says_is_told_by_code_and_key_without_its_text(self, kms, name, status, error) -> None:
        arn = kms.create_key()
        encoded = encode(codec_of(kms, arn), payload())
        kms.trouble = refuse("Decrypt", name, status)
        with pytest.raises(error, match=f"{arn}: {name}") as caught:
            decode(codec_of(kms, arn), *encoded)
        assert CANARY not in str(caught.value)
        assert caught.value.__context__ is None or caught.value.__suppress_context__

    @pytest.mark.parametrize(
        ("name", "status", "seconds"), [("AccessDeniedException", 400, 2), ("KMSInternalException", 500, 0.25)]
    )
    def test_a_fault_is_answered_from_memory_for_a_moment_and_then_asked_for_again(self, kms, name, status, seconds) -> None:
        clock = Clock()
        arn = kms.create_key()
        encoded = encode(codec_of(kms, arn), payload())
        codec = codec_of(kms, arn, clock=clock)
        kms.calls.clear()

        def trouble(*_: str) -> None:
            raise Refusal(name, status)

        kms.trouble = trouble
        told = set()
        for _ in range(3):
            with pytest.raises(CodecError, match=name) as writing:
                encode(codec, payload())
            with pytest.raises(CodecError, match=name) as reading:
                decode(codec, *encoded)
            told |= {writing.value, reading.value}
        assert (kms.count("GenerateDataKey"), kms.count("Decrypt")) == (1, 1)
        assert len(told) == 6
        kms.trouble = lambda *_: None
        clock.now += seconds
        assert decode(codec, *encode(codec, payload()), *encoded) == [payload()] * 2

    @pytest.mark.parametrize("name", ["AccessDeniedException", "DisabledException", "KMSInvalidStateException"])
    def test_a_key_that_reads_no_more_does_not_go_on_writing(self, kms, name: str) -> None:
        codec = codec_of(kms, kms.create_key())
        encoded = encode(codec, payload())
        kms.trouble = refuse("Decrypt", name)
        with pytest.raises(CannotOpenError, match=name):
            decode(codec, *encoded)
        encode(codec, payload())
        assert kms.calls == ["GenerateDataKey", "Decrypt", "GenerateDataKey"]

    def test_a_payload_that_was_altered_takes_no_key_away(self, kms) -> None:
        codec = codec_of(kms, kms.create_key())
        encoded = encode(codec, payload())
        kms.trouble = refuse("Decrypt", "InvalidCiphertextException")
        with pytest.raises(CannotOpenError):
            decode(codec, *encoded)
        encode(codec, payload())
        assert kms.calls == ["GenerateDataKey", "Decrypt"]

    def test_a_kms_that_is_not_there_may_come_back(self, kms) -> None:
        codec = codec_of(kms, kms.create_key())
        kms.close()
        with pytest.raises(KeyUnavailableError, match="cannot answer .* EndpointConnectionError"):
            encode(codec, payload())

    def test_a_key_in_memory_writes_on_through_a_passing_fault_for_an_hour(self, kms) -> None:
        clock = Clock()
        codec = codec_of(kms, kms.create_key(), clock=clock)
        encode(codec, payload())
        kms.trouble = refuse("GenerateDataKey", "KMSInternalException", 500)
        clock.now += 86_400 + 3599
        encode(codec, payload())
        clock.now += 11
        with pytest.raises(KeyUnavailableError):
            encode(codec, payload())

    def test_a_key_in_memory_writes_nothing_through_a_fault_that_it_has_no_bytes_for(self, kms) -> None:
        codec = codec_of(kms, kms.create_key(), write_bytes=120)
        encode(codec, payload())
        kms.trouble = refuse("GenerateDataKey", "KMSInternalException", 500)
        with pytest.raises(KeyUnavailableError):
            encode(codec, payload("x" * 100))

    def test_a_key_in_memory_does_not_write_on_after_it_was_refused(self, kms) -> None:
        clock = Clock()
        codec = codec_of(kms, kms.create_key(), clock=clock)
        encode(codec, payload())
        clock.now += 86_401
        kms.trouble = refuse("GenerateDataKey", "DisabledException")
        with pytest.raises(CodecError):
            encode(codec, payload())
        clock.now += 2
        kms.trouble = refuse("GenerateDataKey", "ThrottlingException")
        with pytest.raises(KeyUnavailableError):
            encode(codec, payload())
