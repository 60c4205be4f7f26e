import pytest

from prewarm_operator.settings import LeaseTimes, SettingsError, from_environment


@pytest.mark.parametrize("times", [(10, 10.0, 2.0), (15, 10.0, 10.0), (15, 10.0, 0.0)])
def test_lease_times_that_would_allow_two_leaders_are_refused(times: tuple[int, float, float]) -> None:
    with pytest.raises(SettingsError, match="--lease-seconds must be longer than --renew-deadline-seconds"):
        LeaseTimes(*times)


def test_without_an_agent_image_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREWARM_AGENT_IMAGE", raising=False)
    with pytest.raises(SettingsError, match="PREWARM_AGENT_IMAGE is not set: give it the agent image"):
        from_environment(LeaseTimes(), resync_seconds=300.0)


@pytest.mark.parametrize(
    ("value", "namespaces"), [("", ()), ("team-a", ("team-a",)), (" team-a, team-b,,team-a", ("team-a", "team-b"))]
)
def test_namespaces_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, namespaces: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PREWARM_AGENT_IMAGE", "example.com/agent:1")
    monkeypatch.setenv("PREWARM_WATCH_NAMESPACES", value)
    assert from_environment(LeaseTimes(), resync_seconds=300.0).watch_namespaces == namespaces
