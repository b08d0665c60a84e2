import pytest

from adaptkit.data.batch_shapes import PADDED_LENGTHS, BatchShape, ShapeBuckets

BUCKETS = ShapeBuckets()


@pytest.mark.parametrize(("length", "padded"), [(1, 16), (16, 16), (17, 32), (65, 96), (129, 256), (512, 512)])
def test_a_length_is_padded_to_the_next_bucket(length: int, padded: int) -> None:
    assert BUCKETS.of(BatchShape(3, length), 512) == BatchShape(3, padded)


def test_no_bucket_is_longer_than_the_backbone_reads() -> None:
    assert BUCKETS.of(BatchShape(3, 70), 90) == BatchShape(3, 90)
    assert BUCKETS.of(BatchShape(3, 90), 90) == BatchShape(3, 90)
    assert BUCKETS.of(BatchShape(3, 600), 8192) is None


def test_there_are_no_more_lengths_than_recordings() -> None:
    assert len(PADDED_LENGTHS) <= BUCKETS.most == 8


def test_a_batch_is_padded_to_the_smallest_recorded_shape_that_holds_it() -> None:
    recorded = [BatchShape(32, 64), BatchShape(32, 32), BatchShape(64, 32)]
    assert BUCKETS.fitting(BatchShape(30, 20), recorded) == BatchShape(32, 32)
    assert BUCKETS.fitting(BatchShape(40, 30), recorded) == BatchShape(64, 32)
    assert BUCKETS.fitting(BatchShape(32, 65), recorded) is None


def test_a_batch_is_not_padded_to_more_than_twice_its_tokens() -> None:
    recorded = [BatchShape(32, 32)]
    assert BUCKETS.fitting(BatchShape(16, 32), recorded) == BatchShape(32, 32)
    assert BUCKETS.fitting(BatchShape(15, 32), recorded) is None
    assert BUCKETS.fitting(BatchShape(1, 5), recorded) is None
