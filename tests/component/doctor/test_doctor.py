"""`prewarm-agent doctor` on agents as people build them: it names what is wrong with them, and nothing else."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

TARGETS = Path(__file__).parent / "targets"
SOURCE = Path(__file__).parents[3] / "agent_image" / "src"


def doctor(folder: Path, target: str, *options: str, **environment: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the result as JSON ({} if there is none), and what people read."""
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    environment = {"PYTHONPATH": f"{SOURCE}{os.pathsep}{TARGETS}", "COLUMNS": "160", **environment}
    done = subprocess.run(
        [sys.executable, "-m", "prewarm_agent", "doctor", target, "--workers=1", f"--json={result}", *options],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = json.loads(result.read_text()) if result.exists() else {}
    return done.returncode, found, done.stdout + done.stderr


def names(found: dict[str, Any]) -> list[str]:
    return [fault["name"] for fault in found["faults"]]


def test_an_agent_without_faults_passes_and_its_figures_are_told(tmp_path: Path) -> None:
    code, found, text = doctor(tmp_path, "services:good", "--workers=2")
    assert (code, names(found)) == (0, []), text
    figures = found["figures"]
    assert figures["start_cpu_seconds"] > 0.1
    assert figures["start_seconds_of_several"] > 0
    assert figures["first_request_cpu_seconds"] > 0
    assert [phase["name"] for phase in found["phases"]][:3] == ["import", "build", "request 1"]
    assert found["phases"][3]["prompt_characters"] > 20
    assert "No faults" in text


@pytest.mark.parametrize(
    ("target", "fault", "words"),
    [
        ("services:client_per_request", "ClientPerRequest", "share it"),
        ("services:client_on_first_request", "ClientOnFirstRequest", "before the first request"),
        ("services:make_one_agent", "SharedAgent", "users read each other's texts"),
        ("services:shared_team", "SharedAgent", "users read each other's texts"),
        ("services:blocked_loop", "EventLoopBlocked", "services.py:"),
        ("services:process_per_request", "ProcessPerRequest", "python"),
        ("services:state_file", "SharedStateFile", "state.json"),
        ("services:environment", "EnvironmentPerRequest", "TENANT_KEY"),
        ("services:looks_for_run_sync", "RunSync", "AutoGen 0.7.5 has no run_sync"),
        ("services:asyncio_run", "LoopPerRequest", "event loop"),
        ("patient:answer", "PatientClient", "time-out times its attempts"),
    ],
)
def test_a_habit_is_named_and_nothing_else(tmp_path: Path, target: str, fault: str, words: str) -> None:
    code, found, text = doctor(tmp_path, target, "--requests=3")
    assert (code, names(found)) == (1, [fault]), text
    assert words in " ".join(text.split()), text


def test_waiting_without_blocking_is_no_fault(tmp_path: Path) -> None:
    code, found, text = doctor(tmp_path, "services:awaits_politely", "--requests=2")
    assert (code, names(found)) == (0, []), text


@pytest.fixture
def server() -> Iterator[str]:
    """Refuses the model call of every first request once with 429, and answers all others."""
    calls: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            calls.append(body)
            if "request 1." in body and calls.count(body) % 2:
                self._answer(429, {"error": {"message": "slow down"}})
                return
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}
            head = {"id": "x", "object": "chat.completion", "created": 0, "model": "gpt-4o-mini"}
            self._answer(200, {**head, "choices": [choice]})

        def _answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_a_store_that_the_first_request_connects_to_is_named(tmp_path: Path, server: str) -> None:
    code, found, text = doctor(tmp_path, "services:network_on_first_use", "--requests=3", STORE=server)
    assert (code, names(found)) == (1, ["NetworkOnFirstUse"]), text
    assert server.removeprefix("http://") in text


def test_a_first_call_that_failed_and_was_sent_again_is_not_taken_for_a_cold_start(tmp_path: Path, server: str) -> None:
    code, found, text = doctor(tmp_path, "services:first_call_fails", "--requests=3", "--live", FLAKY=server)
    assert (code, names(found)[0]) == (1, "RetryLooksCold"), text


def test_an_asgi_application_is_asked_over_http(tmp_path: Path) -> None:
    request = '--request=POST /ask {"message": "TEXT"}'
    code, found, text = doctor(tmp_path, "services:application", request, "--requests=3")
    assert (code, names(found)) == (1, ["ClientPerRequest"]), text


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("services:returns_a_string", "returned str, no AutoGen agent or team"),
        ("services:missing", "module services has no 'missing'"),
        ("services", "is not of the form module:factory"),
        ("nowhere:at_all", "No module named 'nowhere'"),
    ],
)
def test_what_cannot_be_examined_is_said_in_a_sentence(tmp_path: Path, target: str, sentence: str) -> None:
    code, _, text = doctor(tmp_path, target)
    assert code == (1 if target == "services:returns_a_string" else 2)
    assert sentence in " ".join(text.split())
    assert "Traceback" not in text


def test_a_start_that_got_slower_fails_ci_and_one_that_did_not_passes(tmp_path: Path) -> None:
    _, found, _ = doctor(tmp_path, "services:good", "--requests=2")
    baseline = tmp_path / "baseline.json"
    for factor, expected in ((0.2, 1), (5.0, 0)):
        seconds = found["figures"]["start_cpu_seconds"] * factor
        baseline.write_text(json.dumps({"figures": {"start_cpu_seconds": seconds}}))
        code, again, text = doctor(tmp_path, "services:good", "--requests=2", f"--baseline={baseline}")
        assert code == expected, text
        assert (again["slower_than_baseline"] is not None) == (expected == 1)


def test_a_baseline_that_is_none_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("[]")
    code, found, text = doctor(tmp_path, "services:good", "--baseline=b.json")
    assert (code, found) == (2, {})
    assert "--baseline b.json" in text
