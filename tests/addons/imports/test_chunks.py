"""Chunks of an import are as large as some tenths of a second allow."""

import pytest

from bodega_imports.chunks import FIRST, ChunkSize


def after(size: ChunkSize, each: float, times: int = 40) -> int:
    """Return the size behind some chunks whose rows take so many seconds each."""
    for _ in range(times):
        size.took(size(), size() * each)
    return size()


def test_what_is_quick_is_written_in_larger_chunks_and_what_is_slow_in_smaller() -> None:
    size = ChunkSize(50_000)
    assert size() == FIRST
    assert after(size, 10e-6) == pytest.approx(15_000, rel=0.1)
    assert after(size, 100e-6) == pytest.approx(1_500, rel=0.1)
    assert after(size, 1.0) == 50  # Not fewer, or there would be a transaction for each row.
    assert after(size, 10e-6) == pytest.approx(15_000, rel=0.1)


def test_one_chunk_says_half_to_twice_as_many() -> None:
    size = ChunkSize(50_000)
    assert after(size, 1e-9, 1) == 2 * FIRST
    assert after(size, 60.0, 1) == FIRST


def test_there_is_a_most_and_a_last_chunk_says_nothing() -> None:
    size = ChunkSize(1_200)
    assert after(size, 1e-6) == 1_200
    size.took(7, 60.0)
    assert size() == 1_200
    assert ChunkSize(300)() == 300


def test_large_rows_come_in_small_chunks() -> None:
    assert ChunkSize(50_000, 100_000)() == 80
    assert after(ChunkSize(50_000, 2_000), 1e-6) == 4_000
    assert ChunkSize(50_000, 10**9)() == 1
