import pytest

from prewarm_demo.load.records import CHUNK_CHARACTERS, Record, decode, encode


def records(count: int) -> list[Record]:
    return [Record(i / 60, 0.0001 * (i % 7), 0.2 + (i * 7919 % 1000) / 1e4, "ok") for i in range(count)]


def test_records_survive_the_log() -> None:
    sent = [Record(0.0, 0.0, 0.2, "ok"), Record(1.5, 0.0002, 0.0101, "refused"), Record(2.0, 0.0, 10.0, "timeout")]

    assert decode(encode(sent)) == sent


def test_no_line_is_long_enough_for_a_container_runtime_to_split() -> None:
    chunks = encode(records(5000))

    assert len(chunks) > 1
    assert max(map(len, chunks)) <= CHUNK_CHARACTERS < 16 * 1024


def test_times_keep_a_tenth_of_a_millisecond() -> None:
    sent = records(100)

    for before, after in zip(sent, decode(encode(sent)), strict=True):
        assert after.due_seconds == pytest.approx(before.due_seconds, abs=0.6e-4)
        assert after.latency_seconds == pytest.approx(before.latency_seconds, abs=0.6e-4)


@pytest.mark.parametrize("missing", [0, -1])
def test_a_lost_line_is_an_error_and_not_fewer_requests(missing: int) -> None:
    chunks = encode(records(5000))
    del chunks[missing]

    with pytest.raises(ValueError, match="lost a line"):
        decode(chunks)
