"""Fetching a picture from a stranger's address: what is refused, and that nothing is asked that is refused.

The servers are real ones on the loopback. What production forbids (the loopback, other ports) the tests allow by the
function's own parameters, and the names are resolved by a table: the system's resolver is never asked.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .conftest import WORKLOADS, load_program
from .site import Site, serving

fetch = load_program("digits/fetch.py")

PICTURE = b"\x89PNG and so on"
PNG = {"Content-Type": "image/png"}


def names(table: Mapping[str, list[str]]) -> Callable[[str, int], list[str]]:
    def resolve(host: str, port: int) -> list[str]:
        if host not in table:
            raise OSError("no such host")
        return table[host]

    return resolve


LOOPBACK = names({"pictures.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})


def get(site: Site, path: str = "/", **changes: Any) -> bytes:
    """Fetch from the site by the name pictures.example, with the loopback and the site's port allowed."""
    limits = fetch.Limits(**({"ports": (site.port,)} | changes.pop("limits", {})))
    settings = {"limits": limits, "resolve": LOOPBACK, "allowed": lambda address: address == "127.0.0.1"} | changes
    url = changes.pop("url", f"http://pictures.example:{site.port}{path}")
    settings.pop("url", None)
    content: bytes = fetch.fetch(url, **settings)
    return content


def test_a_picture_is_fetched_by_the_name_of_its_host() -> None:
    with serving({"/7.png?size=1": (200, PNG, PICTURE)}) as site:
        assert get(site, "/7.png?size=1") == PICTURE
        assert site.asked == [("/7.png?size=1", f"pictures.example:{site.port}")]
        assert site.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",  # noqa: S104 - an address to refuse, none to listen at
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.254",
        "192.168.1.1",
        "100.64.0.1",  # shared by the customers of a provider
        "169.254.169.254",  # the metadata of an instance
        "169.254.170.2",  # the credentials of a task
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",  # the metadata of an instance
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:808:808::1",  # and of a public address: nobody needs it
        "2002:a9fe:a9fe::1",  # 6to4 of 169.254.169.254
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2001:0:808:808::1",  # Teredo
        "not an address",
        "",
    ],
)
def test_what_is_not_the_public_internet_is_refused_and_not_asked(address: str) -> None:
    assert not fetch.is_public(address)
    with pytest.raises(fetch.FetchError, match=r"is not a host of the public internet"):
        fetch.fetch("http://pictures.example/7.png", resolve=names({"pictures.example": [address]}))


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"]
)
def test_what_is_the_public_internet_is_not(address: str) -> None:
    assert fetch.is_public(address)


def test_a_name_is_refused_when_only_one_of_its_addresses_is_internal() -> None:
    resolve = names({"pictures.example": ["8.8.8.8", "10.0.0.1"]})
    with pytest.raises(fetch.FetchError, match="public internet"):
        fetch.fetch("http://pictures.example/", resolve=resolve)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
)
def test_the_loopback_is_refused_however_it_is_written(host: str) -> None:
    """Here the system's resolver decides what such a text means, as it would for a careless client."""
    with serving({"/": (200, PNG, PICTURE)}) as site:
        with pytest.raises(fetch.FetchError, match=r"public internet|no address is known"):
            fetch.fetch(f"http://{host}:{site.port}/", limits=fetch.Limits(ports=(site.port,)))
        assert site.asked == []


def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    """A name whose second answer would be an internal address is asked once only."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    with serving({"/": (200, PNG, PICTURE)}) as site:
        assert get(site, resolve=resolve) == PICTURE
    assert asked == ["pictures.example"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("ftp://pictures.example/7.png", "only http and https"),
        ("gopher://pictures.example/", "only http and https"),
        ("data:image/png;base64,AAAA", "only http and https"),
        ("//pictures.example/7.png", "only http and https"),
        ("7.png", "only http and https"),
        ("", "only http and https"),
        ("http://", "names no host"),
        ("http://someone@pictures.example/", "with a user name"),
        ("http://someone:secret@pictures.example/", "with a user name"),
        ("http://pictures.example\\@other.example/", "with a user name"),
        ("http://pictures.example:22/", "only the ports 80, 443"),
        ("http://pictures.example:0/", "only the ports 80, 443"),
        ("http://pictures.example:99999/", "not an address"),
        ("http://[::1/", "not an address"),
        ("http://pictures.example/a b", "no spaces"),
        ("http://pictures.example/\r\nHost: other.example", "no spaces"),
        ("http://pictures.example/\u00e4", "plain letters"),
        ("http://pictures.example/" + "a" * 3000, "at most 2048"),
    ],
)
def test_other_addresses_are_refused_before_anything_is_asked(url: str, says: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError("nobody may be asked")

    with pytest.raises(fetch.FetchError, match=says):
        fetch.fetch(url, resolve=resolve)


def test_a_redirect_is_followed_and_looked_at_like_the_first_address() -> None:
    with serving({"/there": (200, PNG, PICTURE)}) as site:
        site.pages["/"] = (302, {"Location": "/there"}, b"")
        assert get(site) == PICTURE
        site.pages["/"] = (301, {"Location": f"http://other.example:{site.port}/there"}, b"")
        assert get(site) == PICTURE
        assert site.asked[-1] == ("/there", f"other.example:{site.port}")


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("http://inside.example:{port}/there", "inside.example is not a host of the public internet"),
        ("http://169.254.169.254/latest/meta-data/", "only the ports"),
        ("file:///etc/passwd", "only http and https"),
        ("http://someone@other.example:{port}/there", "with a user name"),
        ("http://unknown.example:{port}/there", "no address is known"),
    ],
)
def test_a_redirect_to_what_is_refused_is_refused(location: str, says: str) -> None:
    resolve = names({"pictures.example": ["127.0.0.1"], "inside.example": ["10.0.0.1"], "other.example": ["127.0.0.1"]})
    with serving({"/there": (200, PNG, PICTURE)}) as site:
        site.pages["/"] = (307, {"Location": location.format(port=site.port)}, b"")
        with pytest.raises(fetch.FetchError, match=says):
            get(site, resolve=resolve)
        assert [path for path, _ in site.asked] == ["/"]


def test_redirects_come_to_an_end() -> None:
    with serving({"/": (302, {"Location": "/"}, b"")}) as site:
        with pytest.raises(fetch.FetchError, match="redirects more than 3 times"):
            get(site)
        assert len(site.asked) == 4


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ((404, PNG, b"no"), "answers with status 404"),
        ((302, PNG, b"no"), "answers with status 302"),
        ((206, PNG, b"part"), "answers with status 206"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), "no picture: expected image/png or image/jpeg"),
        ((200, {"Content-Type": "image/svg+xml"}, b"<svg>"), "no picture"),
        ((200, {}, PICTURE), "no picture"),
        ((200, PNG | {"Content-Encoding": "gzip"}, PICTURE), "compressed once more"),
        ((200, PNG, b"x" * 1001), "more than 1,000 bytes"),
        ((200, PNG | {"Content-Length": "5000"}, PICTURE), "ends before its end|does not answer as it should"),
        ((200, PNG | {"X-Long": "x" * 70_000}, PICTURE), "does not answer as it should"),
    ],
)
def test_other_answers_are_refused(page: tuple[int, dict[str, str], bytes], says: str) -> None:
    with serving({"/": page}) as site, pytest.raises(fetch.FetchError, match=says):
        get(site, limits={"bytes": 1000, "seconds": 5.0})


def test_a_body_without_an_end_is_cut_at_the_limit() -> None:
    sent = 0

    def endless(page: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        page.send_response(200)
        page.send_header("Content-Type", "image/png")
        page.end_headers()
        try:
            while sent < 100_000_000:
                page.wfile.write(b"x" * 100_000)
                sent += 100_000
        except OSError:
            pass

    with serving({"/": endless}) as site, pytest.raises(fetch.FetchError, match="more than 300,000 bytes"):
        get(site, limits={"bytes": 300_000})
    assert sent < 100_000_000


@pytest.mark.parametrize("slow", ["silent", "header", "body"])
def test_whoever_answers_too_slowly_is_cut_off(slow: str) -> None:
    """Each byte comes in time for itself; it is all of them together that take too long."""
    over = threading.Event()

    def dribble(page: BaseHTTPRequestHandler) -> None:
        if slow == "body":
            page.send_response(200)
            page.send_header("Content-Type", "image/png")
            page.end_headers()
        elif slow == "header":
            page.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        try:
            while not over.wait(0.02):
                if slow != "silent":
                    page.wfile.write(b"x")
        except OSError:
            pass

    with serving({"/": dribble}) as site:
        try:
            with pytest.raises(fetch.FetchError, match=r"within 0\.4 seconds|longer than 0\.4 seconds|ends before"):
                get(site, limits={"seconds": 0.4})
        finally:
            over.set()


def test_a_resolver_that_does_not_answer_is_not_waited_for() -> None:
    over = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        over.wait()
        return ["8.8.8.8"]

    try:
        with pytest.raises(fetch.FetchError, match="no address is known"):
            fetch.fetch("http://pictures.example/", limits=fetch.Limits(seconds=0.05), resolve=resolve)
    finally:
        over.set()


def test_a_host_that_is_not_there_is_named_and_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(fetch.FetchError) as error:
        fetch.fetch(
            f"http://pictures.example:{port}/",
            limits=fetch.Limits(ports=(port,)),
            resolve=LOOPBACK,
            allowed=lambda _: True,
        )
    assert str(error.value) == "pictures.example: the host does not answer as it should"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving({"/": (200, PNG, PICTURE)}) as site:
        assert get(site) == PICTURE


def test_no_variable_of_the_environment_is_read() -> None:
    text = (WORKLOADS / "digits" / "fetch.py").read_text()
    assert "import os" not in text
    assert "environ[" not in text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for pictures.example, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pictures.example")])
    today = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("pictures.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(signed.public_bytes(pem) + private)
    return path


def test_https_checks_the_certificate_of_the_hosts_own_name(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with serving({"/": (200, PNG, PICTURE)}) as site:
        site.socket = context.wrap_socket(site.socket, server_side=True)
        own, other = f"https://pictures.example:{site.port}/", f"https://other.example:{site.port}/"
        assert get(site, url=own, tls=trusting) == PICTURE
        for url, tls in ((other, trusting), (own, None)):  # another name; a certificate that nobody knows
            with pytest.raises(fetch.FetchError, match="does not answer as it should"):
                get(site, url=url, tls=tls)
        site.pages["/"] = (302, {"Location": f"http://pictures.example:{site.port}/"}, b"")
        with pytest.raises(fetch.FetchError, match="from https to something else"):
            get(site, url=own, tls=trusting)
