import pytest

from provenance.sizes import read_size, told_size


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("2 GB", 2 * 10**9),
        ("2gb", 2 * 10**9),
        ("1.5 MB", 1_500_000),
        ("512 MiB", 512 * 1024**2),
        ("4G", 4 * 10**9),
        ("300 kB", 300_000),
        ("77", 77),
        (77, 77),
    ],
)
def test_a_size_is_read_as_it_is_said(written: object, size: int) -> None:
    assert read_size(written) == size


@pytest.mark.parametrize("written", ["", "GB", "2 XB", "-1 GB", "0", 0, -5, 1.5, True, None, "1e9"])
def test_what_is_no_size_is_told_with_one(written: object) -> None:
    with pytest.raises(ValueError, match='expected a size such as "2 GB"'):
        read_size(written)


@pytest.mark.parametrize(
    ("size", "told"),
    [(12, "12 bytes"), (1_500, "1.5 kB"), (150 * 10**6, "150 MB"), (2_345_678_901, "2.35 GB")],
)
def test_a_size_is_told_with_three_digits(size: int, told: str) -> None:
    assert told_size(size) == told
