import socket

import pytest

from prewarm_agent.cli import main


@pytest.mark.parametrize("option", ["--port", "--probe-port"])
def test_a_port_that_is_taken_is_named_with_the_option_that_chooses_another(option: str) -> None:
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as taken:
        port = str(taken.getsockname()[1])
        other = ({"--port", "--probe-port"} - {option}).pop()
        with pytest.raises(SystemExit) as ended:
            main(["serve", "--spec", "x.json", option, port, other, "0"])
        assert str(ended.value).startswith(
            f"prewarm-agent: {option} {port}: Address already in use; choose another port"
        )
