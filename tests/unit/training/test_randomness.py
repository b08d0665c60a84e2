import pytest
import torch

from adaptkit.training.randomness import forked, random_states, restore_random_states

CPU = torch.device("cpu")


def test_forked_draws_leave_no_trace_and_start_at_the_seed() -> None:
    before = torch.get_rng_state()
    with forked(CPU, seed=5):
        first = torch.rand(3)
    with forked(CPU, seed=5):
        assert torch.equal(torch.rand(3), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_draws_on_the_cpu_leave_gpus_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: pytest.fail(f"GPUs draw from {seed} on"))
    with forked(CPU, seed=5):
        torch.rand(3)


def test_a_restored_state_draws_the_same_numbers_again() -> None:
    with forked(CPU):
        states = random_states(CPU)
        drawn = torch.rand(3)
        restore_random_states(states, CPU)
        assert torch.equal(torch.rand(3), drawn)


@pytest.mark.parametrize("states", [{}, {"cpu": b"short"}, {"cpu": b"", "cuda": b""}], ids=str)
def test_states_of_another_device_are_refused(states: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        restore_random_states(states, CPU)
