"""What people mistype on the command line is told in a sentence, not in a traceback."""

from pathlib import Path

import pytest

from prewarm_agent import cli
from prewarm_agent.serve.listen import listen
from prewarm_agent.spec import document
from prewarm_agent.spec.findings import PermanentError


@pytest.mark.parametrize("option", ["--port", "--probe-port"])
@pytest.mark.parametrize("port", ["80810", "-1", "http", ""])
def test_what_is_no_port_is_refused(option: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["serve", f"{option}={port}"])
    assert f"argument {option}: {port!r} is no port; use a number from 0 to 65535." in capsys.readouterr().err


def test_a_busy_port_is_named_with_the_options_that_choose_another() -> None:
    with listen(0) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(OSError, match=f"^port {port}: Address already in use; .* --port or --probe-port"):
            listen(port)


def test_a_file_that_is_not_there_is_not_called_bad_json(tmp_path: Path) -> None:
    with pytest.raises(PermanentError) as refused:
        document.read_json(tmp_path / "agent.json")
    assert refused.value.findings[0].text.endswith(
        "cannot be read: No such file or directory; name the file of the spec."
    )
