"""The table of phases has room for its words in a terminal of 80 characters."""

import io

from rich.console import Console

from prewarm_agent.doctor.examination import Examination, Figures, Order
from prewarm_agent.doctor.observation import Calls, Observation
from prewarm_agent.doctor.report import show


def shown(phase: Calls) -> str:
    seen = Observation(phases=[phase])
    order = Order(target="orders:build", request=None, requests=1, offline=True, workers=1)
    figures = Figures(1.0, 1.0, None, None, None, None, None)
    written = io.StringIO()
    show(Examination(order, seen, seen, figures, [], None), Console(file=written, width=80))
    return written.getvalue()


def test_without_a_network_its_columns_are_left_out() -> None:
    page = shown(Calls("request 1", built={"TLS context": 1, "model client": 1}))
    assert "DNS" not in page
    assert "request 1" in page
    assert "1 TLS context" in page


def test_a_network_has_its_columns_and_phases_stay_whole() -> None:
    page = shown(Calls("request 1", built={"TLS context": 1, "model client": 1}, tcp_seconds=0.021))
    assert "TCP" in page
    assert " 21 " in page
    assert "request 1" in page
