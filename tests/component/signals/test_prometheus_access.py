"""Who asks, and where: addresses, tokens, passwords, certificates, headers."""

from pathlib import Path

import pytest
from aiohttp import web
from component.signals.prometheus_server import prometheus
from component.signals.test_prometheus_faults import asking, giving, number

from devcluster import pki
from prewarm_operator.signals.prometheus import Prometheus
from prewarm_operator.signals.reading import Cause, Validity
from prewarm_operator.signals.server import Server


class Recorder:
    """Answers with a number and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await giving(number("3"))(request)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/api/v1/query"),
        ("/", "/api/v1/query"),
        ("/prometheus", "/prometheus/api/v1/query"),
        ("/api/prom/", "/api/prom/api/v1/query"),
    ],
)
async def test_an_address_may_have_a_path(path: str, asked: str) -> None:
    recorder = Recorder()
    async with asking(recorder.answer, path) as client:
        assert (await client.own_query('a{b="c+d & e"}')).value == 3
    (request,) = recorder.requests
    assert request.path == asked
    assert request.query["query"] == 'a{b="c+d & e"}'
    assert request.query["timeout"] == "5000ms"


async def test_a_tenant_is_a_header_or_a_parameter_of_the_address() -> None:
    recorder = Recorder()
    async with asking(recorder.answer, "/?namespace=team", headers={"X-Scope-OrgID": "team"}) as client:
        await client.own_query("x")
    (request,) = recorder.requests
    assert (request.query["namespace"], request.headers["X-Scope-OrgID"]) == ("team", "team")


async def test_a_token_is_read_anew_for_each_question(tmp_path: Path) -> None:
    token = tmp_path / "token"
    recorder = Recorder()
    async with asking(recorder.answer, bearer_token_file=token) as client:
        missing = await client.own_query("x")
        for content in ("first\n", "second"):
            token.write_text(content)
            await client.own_query("x")
    assert missing.validity is Validity.INVALID
    assert str(token) in missing.problem
    assert [request.headers["Authorization"] for request in recorder.requests] == ["Bearer first", "Bearer second"]


async def test_a_token_is_not_sent_where_a_redirect_leads(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    recorder = Recorder()

    async def redirect(request: web.Request) -> web.Response:
        if request.path == "/elsewhere":
            await recorder.answer(request)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with asking(redirect, bearer_token_file=tmp_path / "token") as client:
        assert (await client.own_query("x")).validity is Validity.INVALID
    assert recorder.requests == []


async def test_a_token_that_is_no_header_is_told_without_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("se\ncret")
    async with asking(Recorder().answer, bearer_token_file=tmp_path / "token") as client:
        reading = await client.own_query("x")
    assert reading.validity is Validity.INVALID
    assert "cret" not in reading.problem


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    async with asking(Recorder().answer) as client:
        assert (await client.own_query("x")).value == 3


async def test_a_real_prometheus_behind_tls_certificates_and_a_password(tmp_path: Path) -> None:
    certificates = [
        pki.Certificate("server", "/CN=prometheus", ("IP:127.0.0.1",)),
        pki.Certificate("client", "/CN=prewarm"),
    ]
    pki.create(tmp_path / "pki", certificates)
    files = {name: str(tmp_path / "pki" / name) for name in ("ca.crt", "server.crt", "server.key")}
    tls = {"cert_file": files["server.crt"], "key_file": files["server.key"], "client_ca_file": files["ca.crt"]}
    users = {"prewarm": "$2b$04$/4hGtfwAI2HhvlQAuv1cU.lBn4QTyifEqEDvitcckRK/3DadA/bsS"}  # open sesame
    config = {
        "tls_server_config": tls | {"client_auth_type": "RequireAndVerifyClientCert"},
        "basic_auth_users": users,
    }
    for name, content in {"username": "prewarm\n", "password": "open sesame\n"}.items():
        (tmp_path / name).write_text(content)
    user = tmp_path / "username"
    (tmp_path / "wrong").write_text("open barley")
    ca, own = tmp_path / "pki" / "ca.crt", (tmp_path / "pki" / "client.crt", tmp_path / "pki" / "client.key")
    async with prometheus(tmp_path, [], config) as address:
        right = Server(address, None, user, tmp_path / "password", ca, *own)
        cases = {
            "": right,
            "answers 401": Server(address, None, user, tmp_path / "wrong", ca, *own),
            "cannot be asked": Server(address, None, user, tmp_path / "password", ca),
            "cannot be asked: Cannot connect": Server(address, None, user, tmp_path / "password", None, *own),
        }
        for problem, server in cases.items():
            client = Prometheus(server)
            reading = await client.own_query("vector(3)")
            await client.close()
            assert reading.problem.startswith(problem)
            assert (reading.validity is Validity.VALID) is (problem == "")


async def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no PEM")
    client = Prometheus(Server("https://127.0.0.1:9", ca_file=tmp_path / "ca.crt"))
    reading = await client.own_query("x")
    await client.close()
    assert (reading.validity, reading.cause) == (Validity.INVALID, Cause.UNAVAILABLE)
    assert "X509" in reading.problem or "PEM" in reading.problem or "certificate" in reading.problem


async def test_certificates_are_read_anew_when_they_change(tmp_path: Path) -> None:
    for name in ("old", "new"):
        pki.create(tmp_path / name, [pki.Certificate("server", "/CN=prometheus", ("IP:127.0.0.1",))])
    tls = {"cert_file": str(tmp_path / "new" / "server.crt"), "key_file": str(tmp_path / "new" / "server.key")}
    trusted = tmp_path / "ca.crt"
    trusted.write_bytes((tmp_path / "old" / "ca.crt").read_bytes())
    async with prometheus(tmp_path, [], {"tls_server_config": tls}) as address:
        client = Prometheus(Server(address, ca_file=trusted))
        before = await client.own_query("vector(3)")
        replacement = tmp_path / "replacement"
        replacement.write_bytes((tmp_path / "new" / "ca.crt").read_bytes())
        replacement.rename(trusted)  # as the kubelet swaps files
        after = await client.own_query("vector(3)")
        await client.close()
    assert (before.validity, after.validity) == (Validity.INVALID, Validity.VALID)
