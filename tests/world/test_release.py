"""A large world is let go of in small steps: what nobody else has is freed, and what somebody has stays."""

import itertools

from cnx_mock.world.release import Holder, release_steps


class Thing:
    """What a world consists of; it counts those that are alive."""

    alive = 0

    def __init__(self) -> None:
        Thing.alive += 1

    def __del__(self) -> None:
        Thing.alive -= 1


def things(count: int) -> list[Thing]:
    return [Thing() for _ in range(count)]


def test_everything_is_freed_a_few_in_each_step():
    first, second = things(25_000), things(300)
    by_number = dict(enumerate(first))
    holders: list[Holder] = [first, by_number, second]
    del first, second, by_number
    alive = [Thing.alive]
    alive += [Thing.alive for _ in release_steps(holders)]
    assert alive[0] == 25_300
    assert alive[-1] == 0
    assert max(before - after for before, after in itertools.pairwise(alive)) <= 100
    assert holders == []


def test_what_is_used_elsewhere_stays():
    used = things(3_000)
    for _ in release_steps([used, [used[5], Thing()]]):
        assert len(used) == 3_000
    assert Thing.alive == 3_000


def test_a_list_may_grow_meanwhile():
    used = things(20_001)
    steps = release_steps([used])
    next(steps)
    used.append(Thing())
    for _ in steps:
        pass
    assert Thing.alive == len(used) == 20_002
