"""What a cluster or the network refuses is one line with the address and the way out."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import elasticsearch
import pytest
from elasticsearch import Elasticsearch

from densehook.elastic.cluster import encoders_of
from densehook.elastic.connect import connect, elastic_errors
from densehook.errors import (
    AuthenticationFailed,
    ClientMismatch,
    ClusterUnreachable,
    DensehookError,
    ElasticError,
    IndexExists,
    IndexNotFound,
    NoProvenance,
    NotElasticsearch,
    NotInService,
    RequestError,
)

Serve = Callable[..., str]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("DENSEHOOK_ES_URL", "DENSEHOOK_ES_API_KEY", "DENSEHOOK_ES_CA_CERTS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DENSEHOOK_HOME", str(tmp_path / "no node here"))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a local HTTP server that gives one answer to every request; gives its address."""
    servers = []

    def start(
        status: int,
        body: Any,
        product: str | None = "Elasticsearch",
        tls: Any = None,
        key: str = "",
        kind: str = "application/json",
    ) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = (body if isinstance(body, str) else json.dumps(body)).encode()
                known = not key or self.headers["Authorization"] == f"ApiKey {key}"
                self.send_response(status if known else 401)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                if product:
                    self.send_header("X-Elastic-Product", product)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def error_of(*args: Any) -> DensehookError:
    with pytest.raises(DensehookError) as caught:
        connect(*args)
    assert "\n" not in str(caught.value)
    return caught.value


def body(kind: str, reason: str, **more: object) -> dict[str, Any]:
    cause = {"type": kind, "reason": reason, **more}
    return {"error": {"root_cause": [cause], **cause}}


def test_nothing_running_says_how_to_start(serve: Serve) -> None:
    error = error_of()
    assert isinstance(error, ClusterUnreachable)
    assert "densehook es start" in str(error)
    assert "--url" in str(error)


def test_a_refused_port_names_the_address() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        error = error_of(url)
    assert isinstance(error, ClusterUnreachable)
    assert url in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "localhost",
        "ftp://localhost:1",
        "http://",
        "http://host",
        "https://h:x",
        "http://h:99999",
        "http://h:0",
        "http://a b:9200",
        "http://a\0:9200",
    ],
)
def test_what_is_no_address_says_how_one_looks(url: str) -> None:
    error = error_of(url)
    assert isinstance(error, RequestError)
    assert "https://host:9200" in str(error)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    error = error_of("https://elastic:open-sesame@host:9200")
    assert isinstance(error, RequestError)
    assert "open-sesame" not in str(error)
    assert "--api-key" in str(error)


def test_blanks_around_an_address_do_not_matter(serve: Serve) -> None:
    connect(f" {serve(200, {})}\n")


def test_a_wrong_api_key_is_called_by_its_source_and_never_shown(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(401, body("security_exception", "unable to authenticate with provided credentials"))
    given = error_of(url, "bm90OmFrZXk=")
    assert isinstance(given, AuthenticationFailed)
    assert "does not accept the API key given: 401 unable to authenticate" in str(given)
    assert "give an API key with --api-key or DENSEHOOK_ES_API_KEY" in str(given)
    assert "bm90OmFrZXk=" not in str(given)

    none = error_of(url)
    assert "does not accept a request without an API key" in str(none)

    monkeypatch.setenv("DENSEHOOK_ES_API_KEY", "bm90OmFrZXk=")
    named = error_of(url)
    assert "does not accept the API key of DENSEHOOK_ES_API_KEY" in str(named)
    assert "bm90OmFrZXk=" not in str(named)


def test_a_good_api_key_is_sent(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    url = serve(200, {}, key="Z29vZDprZXk=")
    connect(url, "Z29vZDprZXk=")
    assert isinstance(error_of(url, "bm90OmFrZXk="), AuthenticationFailed)
    monkeypatch.setenv("DENSEHOOK_ES_API_KEY", "Z29vZDprZXk=\n")
    connect(url)


def test_what_cannot_be_a_key_is_refused_unsent_and_not_shown() -> None:
    error = error_of("http://127.0.0.1:9", "schlüssel")
    assert isinstance(error, RequestError)
    assert "schlüssel" not in str(error)


def test_a_key_without_cluster_rights_is_good_enough(serve: Serve) -> None:
    denied = body("security_exception", "action [cluster:monitor/health] is unauthorized")
    connect(serve(403, denied, None))  # Elasticsearch does not sign this answer


@pytest.mark.parametrize("status", [403, 404, 502])
def test_what_a_proxy_says_is_not_taken_for_elasticsearchs_word(serve: Serve, status: int) -> None:
    url = serve(status, "<html>Forbidden</html>", None, kind="text/html")
    error = error_of(url)
    assert isinstance(error, NotElasticsearch)
    assert f"{url} refused: {status}" in str(error)
    assert "not Elasticsearch's answer" in str(error)


def test_the_environment_names_the_cluster(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENSEHOOK_ES_URL", serve(200, {}))
    connect()


def test_something_else_at_the_address_is_said(serve: Serve) -> None:
    url = serve(200, {"hello": "world"}, None)
    error = error_of(url)
    assert isinstance(error, NotElasticsearch)
    assert f"{url} is not Elasticsearch" in str(error)


def test_a_server_error_gives_its_reason(serve: Serve) -> None:
    error = error_of(serve(500, body("oops", "heap is on fire\nreally")))
    assert "500 heap is on fire really" in str(error)


def test_an_answer_that_is_no_json_is_not_taken_for_silence(serve: Serve) -> None:
    error = error_of(serve(200, "<html>hello</html>"))
    assert isinstance(error, NotElasticsearch)
    assert "was not understood" in str(error)


def test_a_server_that_keeps_silent_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = Elasticsearch(url, request_timeout=0.1, max_retries=0)
        with (
            pytest.raises(ClusterUnreachable, match=f"nothing answers at {url}.*timed out"),
            elastic_errors(client),
        ):
            client.cluster.health()


def test_the_root_cause_is_told_not_what_wraps_it(serve: Serve) -> None:
    wrapped = {"type": "search_phase_execution_exception", "reason": "all shards failed"}
    cause = {"type": "query_shard_exception", "reason": "no field [x]"}
    with pytest.raises(ElasticError, match=r"400 no field \[x\]"):
        connect(serve(400, {"error": {**wrapped, "root_cause": [cause]}}))
    with pytest.raises(ElasticError, match=r"400 no field \[x\]"):
        connect(
            serve(400, {"error": {**wrapped, "root_cause": [], "reason": "", "caused_by": cause}})
        )


def test_a_missing_index_is_named_with_what_to_do(serve: Serve) -> None:
    missing = serve(404, body("index_not_found_exception", "no such index", index="passages"))
    client = Elasticsearch(missing)
    message = r"'passages'.*densehook create passages"
    with pytest.raises(IndexNotFound, match=message), elastic_errors(client):
        client.indices.get_mapping(index="passages")


def test_a_denied_action_is_said(serve: Serve) -> None:
    denied = connect(serve(403, body("security_exception", "action [indices:data/read] is denied")))
    message = r"403 action \[indices:data/read\] is denied"
    with pytest.raises(ElasticError, match=message), elastic_errors(denied):
        denied.indices.get_mapping(index="x")


def test_an_untrusted_certificate_names_the_option(serve: Serve, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    url = serve(200, {}, tls=context)
    error = error_of(url)
    assert isinstance(error, ClusterUnreachable)
    assert f"no trusted connection to {url}" in str(error)
    assert "--ca-certs" in str(error)
    connect(url, None, certificate)


def test_a_missing_certificate_is_named(serve: Serve, tmp_path: Path) -> None:
    error = error_of(serve(200, {}), None, tmp_path / "ca.pem")
    assert f"there is no CA certificate at {tmp_path / 'ca.pem'}" in str(error)


def test_a_certificate_named_for_another_cluster_does_not_hinder_plain_http(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    monkeypatch.setenv("DENSEHOOK_ES_CA_CERTS", str(certificate))
    connect(serve(200, {}))


def test_an_index_that_came_meanwhile_is_said(serve: Serve) -> None:
    there = body("resource_already_exists_exception", "index [x/abc] already exists", index="x")
    client = Elasticsearch(serve(400, there))
    with pytest.raises(IndexExists, match="already exists; delete it"), elastic_errors(client):
        client.indices.get(index="x")


def test_only_what_elasticsearch_said_is_an_elastic_error() -> None:
    for kind in (ClusterUnreachable, NotElasticsearch, NotInService, RequestError, NoProvenance):
        assert not issubclass(kind, ElasticError)
    for kind in (AuthenticationFailed, IndexNotFound, IndexExists):
        assert issubclass(kind, ElasticError)


def test_another_404_is_not_a_missing_index(serve: Serve) -> None:
    client = Elasticsearch(serve(404, {"error": "alias [x] missing", "status": 404}))
    missing = r"404 alias \[x\] missing"
    with pytest.raises(ElasticError, match=missing) as caught, elastic_errors(client):
        client.indices.get_alias(name="x")
    assert not isinstance(caught.value, IndexNotFound)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1, signed by itself, with its key in the same file."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(pem))
    return path


def test_a_client_of_another_version_than_the_cluster_understands_is_named_with_what_to_install(
    serve: Serve,
) -> None:
    # as 8.19.21 answers a client of 9
    found = "Accept version must be either version 8 or 7, but found 9. Accept=application/json"
    invalid = "Invalid media-type value on headers [Accept, Content-Type]"
    cause = {"caused_by": {"type": "status_exception", "reason": found}}
    url = serve(400, body("media_type_header_exception", invalid, **cause))
    error = error_of(url)
    assert isinstance(error, ClientMismatch)
    installed = ".".join(map(str, elasticsearch.__version__))
    assert str(error) == (
        f"the Python client is elasticsearch {installed}, {url} is Elasticsearch"
        " 8 and understands clients of 7 and 8; install one with:"
        " pip install 'elasticsearch>=8,<9'"
    )
    with pytest.raises(ClientMismatch):  # which is no word on whether the plugin is there
        encoders_of(Elasticsearch(url))
