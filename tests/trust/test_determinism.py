"""Two runs of the main program, one with one thread and one with two: the same bytes in every file."""

from tests.trust.determinism import FILES, SMALL, train


def test_one_and_two_threads_give_the_same_bytes(tmp_path):
    results = [train(tmp_path / str(threads), threads, hash_seed=threads, options=SMALL) for threads in (1, 2)]
    assert results[0] == results[1] and set(results[0]) == set(FILES)
