"""Whatever comes in: the decision never raises, never leaves the bounds, and comes to rest."""

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.operator.scaling_inputs import NOW, Run

from prewarm_operator.decide.scaling.decision import decide_scaling
from prewarm_operator.decide.scaling.model import Inputs, Mode, Pods, Policy, Rate
from prewarm_operator.decide.schedule import Present
from prewarm_operator.signals.reading import Reading, Upstream, Validity
from prewarm_operator.world.scaling import Forecast, History

ANY = st.floats()
TIMES = st.one_of(st.floats(NOW - 400, NOW + 400), ANY)
COUNTS = st.integers(0, 40)
RATES = st.builds(Rate, st.integers(1, 20), st.floats(0, 100), st.floats(1, 120))
POLICIES = st.builds(
    Policy,
    mode=st.sampled_from(Mode),
    low=COUNTS,
    high=COUNTS,
    concurrency_limit=st.integers(1, 100),
    target_concurrency=st.floats(0.5, 100),
    headroom=st.integers(0, 5),
    stabilization_seconds=st.floats(0, 600),
    down=RATES,
    up=st.none() | RATES,
    paused=st.booleans(),
    spec_replicas=COUNTS,
)
INPUTS = st.builds(
    Inputs,
    policy=POLICIES,
    pods=st.builds(Pods, COUNTS, COUNTS),
    epoch_seconds=st.floats(0, 4e9),
    reading=st.none() | st.builds(Reading, ANY, TIMES, st.just("streams"), st.sampled_from(Validity)),
    forecast=st.none()
    | st.builds(
        Forecast,
        TIMES,
        st.floats(0, 600),
        ANY,
        st.lists(ANY, max_size=3).map(tuple),
        st.booleans(),
        st.none() | ANY,
        st.booleans(),
    ),
    schedule=st.builds(
        Present, st.none() | COUNTS, st.just("w"), st.just(0.0), st.floats(0, 4e9) | st.just(float("inf"))
    ),
    upstream=st.none() | st.builds(Upstream, ANY, TIMES),
)


def within_bounds(policy: Policy, replicas: int) -> bool:
    return policy.low <= replicas <= max(policy.low, policy.high)


@given(st.lists(st.tuples(INPUTS, st.floats(-4000, 4000)), min_size=1, max_size=12))
@settings(max_examples=400, deadline=None)
def test_never_raises_and_never_leaves_the_bounds(steps: list[tuple[Inputs, float]]) -> None:
    now, history = NOW, History()
    for of, passed in steps:
        now += passed
        verdict, history = decide_scaling(of, history, now)
        assert within_bounds(of.policy, verdict.replicas)
        assert verdict.auto.replicas is not None
        assert within_bounds(of.policy, verdict.auto.replicas)
        assert verdict.own >= of.policy.low
        assert verdict.claimed <= min(of.pods.claimed, max(0, of.policy.high - of.policy.low))
        assert verdict.own + verdict.claimed >= verdict.replicas
        assert verdict.again_after_seconds is None or verdict.again_after_seconds > 0


@given(INPUTS, INPUTS)
@settings(max_examples=150, deadline=None)
def test_never_falls_while_the_load_is_not_known(before: Inputs, blind: Inputs) -> None:
    run = Run(History())
    run.step(before)
    policy = blind.policy
    for _ in range(5):
        last = run.history.replicas
        verdict = run.step(blind)
        if verdict.blind and last is not None:
            assert verdict.auto.replicas is not None
            assert verdict.auto.replicas >= min(last, max(policy.low, policy.high))


@given(INPUTS, INPUTS)
@settings(max_examples=150, deadline=None)
def test_comes_to_rest_when_nothing_changes(before: Inputs, of: Inputs) -> None:
    run = Run(History())
    run.step(before)
    slowest = max(of.policy.down.period_seconds, of.policy.up.period_seconds if of.policy.up else 0.0)
    steps = int((of.policy.stabilization_seconds + 40 * slowest) / 15.0) + 10
    run.steps(of, steps)
    assert len(set(run.steps(of, 3 + int(slowest / 15)))) == 1
