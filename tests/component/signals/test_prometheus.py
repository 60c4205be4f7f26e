"""Readings from a real Prometheus that scrapes a real agent and pods in trouble."""

import asyncio
import itertools
import math
import time
from collections.abc import Callable

import pytest
from component.signals.conftest import Scraped

from prewarm_operator.signals.prometheus import History, Prometheus
from prewarm_operator.signals.promql import MOST_NAMED
from prewarm_operator.signals.reading import Reading, Validity

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUPPORT = ("team", "support")
MOST = 1000


async def until(
    client: Prometheus, agent: tuple[str, str], condition: Callable[[Reading], object], ready_pods: int = 2
) -> Reading:
    """The first reading for which it is true."""
    reading = None
    try:
        async with asyncio.timeout(20):
            while True:
                reading = (await client.fleet()).reading(agent, ready_pods, MOST)
                if condition(reading):
                    return reading
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"the last reading was {reading}") from None


def says(value: float) -> Callable[[Reading], bool]:
    return lambda reading: reading.validity is Validity.VALID and reading.value == value


async def test_a_real_agents_requests_are_its_load(client: Prometheus, scraped: Scraped) -> None:
    await until(client, ("team", "real"), says(0), 1)
    asked = [asyncio.create_task(scraped.agent.ask(f"hello {number} SLEEP=2")) for number in range(3)]
    reading = await until(client, ("team", "real"), says(3), 1)
    assert reading.source == "Prometheus"
    assert 0 <= time.monotonic() - reading.at_seconds < 1
    await asyncio.gather(*asked)


async def test_the_load_is_the_sum_over_the_pods_of_an_agent_in_its_namespace(
    client: Prometheus, scraped: Scraped
) -> None:
    scraped.pods["one"].in_flight, scraped.pods["one"].queued = 3, 1
    scraped.pods["two"].in_flight = 5
    scraped.pods["namesake"].in_flight = 70
    await until(client, SUPPORT, says(9))
    await until(client, ("other", "support"), says(70), 1)


async def test_what_was_refused_lately_is_load(client: Prometheus, scraped: Scraped) -> None:
    agent = ("team", "refusing")
    await until(client, agent, says(0), 1)
    scraped.pods["refusing"].rejected = 240
    await until(client, agent, lambda reading: 1 < reading.value < 100, 1)
    end = time.time() + 1
    (history,) = [part async for part in client.fleet_history(end - 1, end, 1.0)]
    assert 1 < history.loads[agent][-1] < 100


async def test_what_a_pod_refuses_because_it_drains_is_no_load(client: Prometheus, scraped: Scraped) -> None:
    await until(client, SUPPORT, says(0))
    begun = scraped.pods["one"].scrapes
    while scraped.pods["one"].scrapes < begun + 5:
        await asyncio.sleep(0.1)
    assert (await client.fleet()).reading(SUPPORT, 2, MOST).value == 0


async def test_the_sum_is_capped_at_what_the_pods_may_hold(client: Prometheus, scraped: Scraped) -> None:
    scraped.pods["one"].in_flight = 500_000
    reading = await until(client, SUPPORT, lambda reading: reading.value > 100)
    assert reading.value == MOST


async def test_a_scrape_lost_from_one_pod_at_peak_makes_the_reading_partial(
    client: Prometheus, scraped: Scraped
) -> None:
    scraped.pods["one"].in_flight = scraped.pods["two"].in_flight = 8
    await until(client, SUPPORT, says(16))
    scraped.pods["one"].broken = True
    reading = await until(client, SUPPORT, lambda reading: reading.validity is Validity.PARTIAL)
    assert (reading.value, reading.problem) == (8, "has samples of 1 of 2 Ready pods")


async def test_a_draining_pod_is_load_and_no_capacity(client: Prometheus, scraped: Scraped) -> None:
    scraped.pods["one"].in_flight = scraped.pods["two"].in_flight = 2
    scraped.pods["one"].draining = 1
    reading = await until(client, SUPPORT, lambda reading: reading.value == 4 and reading.problem)
    assert reading.problem == "has samples of 1 of 2 Ready pods"
    await until(client, SUPPORT, says(4), 1)


async def test_a_pod_that_names_another_agent_speaks_for_itself(client: Prometheus, scraped: Scraped) -> None:
    scraped.pods["liar"].in_flight = 100
    await until(client, ("team", "liar"), says(100), 1)
    await until(client, SUPPORT, says(0))


@pytest.mark.parametrize(
    ("lie", "problem"), [(math.nan, "says nan"), (math.inf, "says inf"), (-5, "says -5"), (1e308, "says 1e+308")]
)
async def test_a_pod_that_lies_breaks_only_its_own_agents_reading(
    client: Prometheus, scraped: Scraped, lie: float, problem: str
) -> None:
    scraped.pods["liar"].in_flight = lie
    scraped.pods["one"].in_flight = 1
    reading = await until(client, ("team", "liar"), lambda reading: reading.problem == problem, 1)
    assert (reading.value, reading.validity) == (0, Validity.INVALID)
    await until(client, SUPPORT, says(1))


async def test_a_pod_that_says_less_than_nothing_takes_no_load_from_its_peers(
    client: Prometheus, scraped: Scraped
) -> None:
    scraped.pods["one"].in_flight, scraped.pods["two"].queued = 5, -5
    reading = await until(client, SUPPORT, lambda reading: reading.validity is Validity.INVALID)
    assert reading.problem == "says -5"


async def test_an_agent_that_is_not_scraped_is_unknown_and_not_idle(client: Prometheus, scraped: Scraped) -> None:
    await until(client, SUPPORT, says(0))
    reading = (await client.fleet()).reading(("team", "unheard"), 1, MOST)
    assert (reading.validity, reading.problem) == (Validity.INVALID, "has no samples of this agent")


@pytest.mark.parametrize("query", ["vector(7)", "7", 'sum(up{agent="support",namespace="team"}) + 5'])
async def test_an_own_query_gives_one_number(client: Prometheus, scraped: Scraped, query: str) -> None:
    await until(client, SUPPORT, says(0))
    reading = await client.own_query(query)
    assert (reading.value, reading.validity, reading.source) == (7, Validity.VALID, "the own query to Prometheus")
    assert 0 <= time.monotonic() - reading.at_seconds < 1


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("0/0", "says nan"),
        ("vector(1)/0", "says inf"),
        ("-1", "says -1"),
        ("1e308", "says 1e+308"),
        ("nothing_of_that_name", "gives no series"),
        ('up{agent="support",namespace="team"}', "gives 2 series where one is needed: aggregate them"),
        ("up[1m]", "gives a matrix where a number is needed"),
        ('"text"', "gives a string where a number is needed"),
        ("sum(", "answers 400: invalid parameter"),
    ],
)
async def test_an_own_query_that_gives_no_load_is_invalid(client: Prometheus, query: str, problem: str) -> None:
    await until(client, SUPPORT, says(0))
    reading = await client.own_query(query)
    assert (reading.value, reading.validity) == (0, Validity.INVALID)
    assert reading.problem.startswith(problem)


async def test_one_broken_query_does_no_harm_to_the_others(client: Prometheus) -> None:
    queries = ["sum(" if number == 42 else f"vector({number})" for number in range(100)]
    readings = await asyncio.gather(*map(client.own_query, queries))
    assert [reading.value for reading in readings if reading.validity is Validity.VALID] == [
        number for number in range(100) if number != 42
    ]


async def test_history_is_on_the_grid_and_ends_before_the_bin_under_way(client: Prometheus, scraped: Scraped) -> None:
    scraped.pods["one"].in_flight, scraped.pods["two"].queued = 3, 4
    await until(client, SUPPORT, says(7))
    await asyncio.sleep(2.2)
    end = time.time()
    (history,) = [part async for part in client.fleet_history(end - 60, end, 1.0)]
    assert history.problem == ""
    assert history.epoch_seconds == tuple(float(second) for second in range(math.ceil(end - 60), math.floor(end) + 1))
    assert {len(loads) for loads in history.loads.values()} == {len(history.epoch_seconds)}
    assert history.loads[SUPPORT][-1] == 7
    assert {SUPPORT, ("other", "support"), ("team", "real")} <= history.loads.keys()


async def test_a_history_of_named_agents_is_the_same_and_of_few_others(client: Prometheus, scraped: Scraped) -> None:
    scraped.pods["one"].in_flight = 3
    await until(client, SUPPORT, says(3))
    await asyncio.sleep(1.2)
    end = time.time()
    named = [SUPPORT, ("other", "unheard")]
    (everybody,) = [part async for part in client.fleet_history(end - 10, end, 1.0)]
    (few,) = [part async for part in client.fleet_history(end - 10, end, 1.0, named)]
    assert few.loads.keys() == {SUPPORT, ("other", "support")}
    assert repr(few.loads[SUPPORT]) == repr(everybody.loads[SUPPORT])
    many = [("team", f"agent-{number}") for number in range(MOST_NAMED + 1)]
    (all_of_them,) = [part async for part in client.fleet_history(end - 10, end, 1.0, many)]
    assert all_of_them.loads.keys() == everybody.loads.keys()


async def test_a_history_without_samples_is_unknown_and_not_idle(client: Prometheus) -> None:
    long_ago = time.time() - 30 * 86400
    (history,) = [part async for part in client.fleet_history(long_ago, long_ago + 60, 15.0)]
    assert (history.loads, history.problem) == ({}, "")
    (history,) = [part async for part in client.own_history(SUPPORT, "vector(1)/0", long_ago, long_ago + 60, 15.0)]
    assert all(map(math.isnan, history.loads[SUPPORT]))


async def test_history_comes_hour_by_hour_and_one_that_fails_says_why(client: Prometheus) -> None:
    end = 1_699_999_995.0
    parts: list[History] = [part async for part in client.own_history(SUPPORT, "vector(2)", end - 7200, end, 15.0)]
    assert [len(part.epoch_seconds) for part in parts] == [240, 240, 1]
    times = [at for part in parts for at in part.epoch_seconds]
    assert all(b - a == 15 and a % 15 == 0 for a, b in itertools.pairwise(times))
    assert {load for part in parts for load in part.loads[SUPPORT]} == {2.0}
    (broken,) = [part async for part in client.own_history(SUPPORT, "sum(", end - 60, end, 15.0)]
    assert (broken.loads, broken.problem[:11]) == ({}, "answers 400")
    (several,) = [part async for part in client.own_history(SUPPORT, "up", time.time() - 1, time.time(), 1.0)]
    assert "series where one is needed: aggregate them" in several.problem
