"""A bar over a training."""

from collections.abc import Iterator

from tqdm.auto import tqdm

from mpinotes.training import parallel
from mpinotes.training.loop import TrainState


def with_bar(states: Iterator[TrainState], steps: int, description: str) -> Iterator[TrainState]:
    """The same `states` under a progress bar of `steps` steps, shown by the first process.

    The bar's rate and remaining time are those of this run: steps resumed from a checkpoint took none.

    >>> average = torch.nn.Identity()
    >>> states = (TrainState(step, {"total": 1.0}, [], 0.0, average) for step in (4, 5, 6))
    >>> [state.step for state in with_bar(states, 6, "training on")]
    [4, 5, 6]
    """
    state = next(states)
    with tqdm(total=steps, initial=state.step, desc=description, disable=not parallel.is_first()) as bar:
        yield state
        for state in states:
            bar.set_postfix(loss=f"{state.terms['total']:.4f}", refresh=False)
            bar.update()
            yield state
