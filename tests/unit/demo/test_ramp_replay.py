from itertools import pairwise

import pytest
import yaml

from prewarm_demo.act2 import DAY, HOURS, PEAK_REQUESTS, PREWARM, RECORD, SPEED
from prewarm_demo.cluster.access import REPOSITORY
from prewarm_demo.install import MANIFESTS
from prewarm_demo.ramp import openmetrics
from prewarm_demo.ramp.plan import RampPlan
from prewarm_demo.ramp.replay import Replay, rates, read, replay, scraped
from prewarm_operator.api.agentdeployment import AgentDeploymentSpec
from prewarm_operator.decide.scale import policy
from prewarm_operator.decide.scaling.model import Mode, Policy

HOURLY = [float(hour) for hour in range(72)]


def test_a_day_is_cut_out_and_the_days_before_are_its_history() -> None:
    cut = replay(HOURLY, 3600, speed=60, day=1, hours=(7, 9), peak=33)

    assert cut.load == [31, 32, 33]
    assert cut.history[-1] == 31, "the history ends where the load begins"
    assert len(cut.history) == 24 + 7 + 1
    assert cut.step_seconds == 60
    assert cut.seconds == 120


def test_loads_are_scaled_to_the_peak_of_the_act_whatever_comes_later() -> None:
    cut = replay(HOURLY, 3600, speed=60, day=1, hours=(0, 6), peak=15)

    assert max(cut.load) == 15
    assert cut.history[12] == 6


def test_requests_per_second_follow_from_requests_at_once() -> None:
    assert rates([0, 8, 12], 4.0) == [0, 2, 3]


def test_the_history_is_what_a_prometheus_would_have_scraped() -> None:
    steady = Replay(history=[20.0] * 400, load=[20.0], step_seconds=10)
    samples = scraped(steady, answer_seconds=4, scrape_seconds=15, seed=1)

    assert len(samples) == 399 * 10 // 15 + 1
    assert sum(samples) / len(samples) == pytest.approx(20, rel=0.05)
    variance = sum((sample - 20) ** 2 for sample in samples) / len(samples)
    assert variance == pytest.approx(20, rel=0.3), "in flight at a moment, not a mean over the time between two scrapes"


def test_the_last_scrape_is_at_the_end_of_the_history() -> None:
    late = Replay(history=[0.0] * 60 + [1000.0] * 2, load=[0.0], step_seconds=10)
    samples = scraped(late, answer_seconds=4, scrape_seconds=15, seed=1)

    assert samples[-1] == pytest.approx(1000, rel=0.2)
    assert samples[-3] == 0


def test_the_history_of_openmetrics_ends_at_its_end() -> None:
    text = openmetrics.text([3, 5], namespace="demo", agent="ramp", end_epoch_seconds=1_000_015, scrape_seconds=15)

    assert text.splitlines() == [
        "# TYPE prewarm_agent_requests_in_flight gauge",
        'prewarm_agent_requests_in_flight{namespace="demo",agent="ramp"} 3 1000000',
        'prewarm_agent_requests_in_flight{namespace="demo",agent="ramp"} 5 1000015',
        "# TYPE prewarm_agent_requests_queued gauge",
        'prewarm_agent_requests_queued{namespace="demo",agent="ramp"} 0 1000000',
        'prewarm_agent_requests_queued{namespace="demo",agent="ramp"} 0 1000015',
        "# EOF",
    ]


def test_the_record_of_the_act_is_a_week_and_its_morning_a_ramp() -> None:
    values, bin_seconds = read(RECORD)
    morning = replay(values, bin_seconds, speed=SPEED, day=DAY, hours=HOURS, peak=PEAK_REQUESTS)

    assert len(values) * bin_seconds == 7 * 86_400
    assert morning.seconds == 300
    assert max(morning.load[:6]) < 0.2 * PEAK_REQUESTS, "the first hour is quiet"
    assert max(morning.load) == PEAK_REQUESTS


def test_the_agent_of_the_act_takes_four_requests_at_once_and_is_scaled_by_prewarm() -> None:
    manifest = yaml.safe_load((REPOSITORY / MANIFESTS / "ramp.yaml").read_text())
    spec = AgentDeploymentSpec.model_validate(manifest["spec"])

    assert policy(spec) == Policy(Mode.AUTO, low=1, high=14, concurrency_limit=4, target_concurrency=2.8)
    assert manifest["metadata"]["name"] == PREWARM


def test_both_sides_are_told_the_same_load_and_each_its_agent() -> None:
    load = Replay(history=[], load=[4.0, 8.0], step_seconds=10)
    ours, theirs = (RampPlan(load, agent, 5.0).args("http://x/") for agent in ("ramp", "ramp-reactive"))

    assert "--rates=1.0000,2.0000" in ours
    assert "--step-seconds=10" in ours
    assert [one for one, other in zip(ours, theirs, strict=True) if one != other] == ["--model=ramp"]
    assert not [one for one, other in pairwise(ours) if one == other]
