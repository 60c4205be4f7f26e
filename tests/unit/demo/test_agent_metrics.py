import pytest

from prewarm_demo.act1 import mean_phases
from prewarm_demo.cluster.agent_metrics import PodReadings, parse

TEXT = """\
# HELP prewarm_agent_warm Whether it is warm.
# TYPE prewarm_agent_warm gauge
prewarm_agent_warm {warm}
# HELP prewarm_agent_resources_built_total Resources built.
# TYPE prewarm_agent_resources_built_total counter
prewarm_agent_resources_built_total{{kind="model_client"}} {clients}
prewarm_agent_resources_built_total{{kind="ssl_context"}} 1.0
# HELP prewarm_agent_startup_phase_seconds Seconds of each phase.
# TYPE prewarm_agent_startup_phase_seconds gauge
prewarm_agent_startup_phase_seconds{{phase="bind"}} 0.01
prewarm_agent_startup_phase_seconds{{phase="import"}} {imports}
# HELP prewarm_agent_requests_in_flight In flight.
# TYPE prewarm_agent_requests_in_flight gauge
prewarm_agent_requests_in_flight 3.0
"""


def text(*, warm: int = 1, clients: int = 1, imports: float = 0.6) -> str:
    return TEXT.format(warm=warm, clients=clients, imports=imports)


def test_a_scrape_is_read_by_the_names_of_the_contract() -> None:
    reading = parse(text())

    assert reading.warm
    assert reading.built == {"model_client": 1, "ssl_context": 1}
    assert reading.phases == {"bind": 0.01, "import": 0.6}
    assert reading.in_flight == 3


def test_a_pod_that_is_not_warm_says_so() -> None:
    assert not parse(text(warm=0)).warm


def test_another_program_on_the_port_is_not_an_agent_that_built_nothing() -> None:
    with pytest.raises(ValueError, match="prewarm_agent_warm"):
        parse("# TYPE up gauge\nup 1\n")


def test_what_was_built_before_warm_does_not_count_and_what_was_built_after_does() -> None:
    assert PodReadings(parse(text(clients=2)), parse(text(clients=2))).built_after_warm == 0
    assert PodReadings(parse(text(clients=2)), parse(text(clients=7))).built_after_warm == 5


def test_a_kind_first_built_after_warm_counts() -> None:
    later = parse(text() + 'prewarm_agent_resources_built_total{kind="tool"} 2.0\n')

    assert PodReadings(parse(text()), later).built_after_warm == 2


def test_phases_are_the_mean_of_all_pods_in_their_order() -> None:
    pods = [PodReadings(parse(text(imports=seconds)), parse(text(imports=seconds))) for seconds in (0.5, 1.5)]

    assert mean_phases(pods) == {"bind": 0.01, "import": 1.0}
    assert list(mean_phases(pods)) == ["bind", "import"]
