"""What the process is told."""

from pathlib import Path

import pytest

from prewarm_agent.settings import Settings


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = Settings.resolve(environ={})
    assert settings.spec_path == Path("/etc/prewarm/agent.json")
    assert (settings.port, settings.probe_port) == (8080, 8081)
    assert settings.termination_log_path == Path("/dev/termination-log")
    assert (settings.keys_path, settings.state_directory) == (Path("/etc/prewarm-keys/keys.json"), Path("/run/prewarm"))
    assert (settings.pool_path, settings.pod_uid) == (None, "")


def test_the_command_line_comes_before_the_environment() -> None:
    environ = {"PREWARM_SPEC": "/from/environment"}
    assert Settings.resolve(environ=environ).spec_path == Path("/from/environment")
    assert Settings.resolve(spec="/from/option", port=0, environ=environ).spec_path == Path("/from/option")
    assert Settings.resolve(port=0, environ={}).port == 0


@pytest.mark.parametrize("timeout", ["soon", "0", "-1", "inf", "nan", ""])
def test_a_timeout_that_is_none_is_refused(timeout: str) -> None:
    with pytest.raises(ValueError, match="PREWARM_REQUEST_TIMEOUT_SECONDS is"):
        Settings.resolve(environ={"PREWARM_REQUEST_TIMEOUT_SECONDS": timeout})


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_a_token_without_a_value_does_not_open_the_door(value: str) -> None:
    with pytest.raises(ValueError, match="PREWARM_API_TOKEN is set and empty"):
        Settings.resolve(environ={"PREWARM_API_TOKEN": value})


def test_a_token_with_the_line_break_of_its_file_is_the_token() -> None:
    assert Settings.resolve(environ={"PREWARM_API_TOKEN": "abc\n"}).api_token == "abc"
