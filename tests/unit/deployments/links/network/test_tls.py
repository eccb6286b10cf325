"""Links over TLS with the certificates of Ray."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from deployments.links.link import Link, LinkLost
from deployments.links.network.proof import Refused
from deployments.links.network.tls import Tls
from fraud.errors import SettingInvalid
from tests.contracts.certificates import Authority
from tests.contracts.links import OtherMachine, Replica, board
from tests.contracts.waiting import until

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(certificates) -> Authority:
    return Authority(certificates)


@pytest.fixture(scope="module")
def plain(authority) -> dict[str, str]:
    """Variables of a machine whose certificate names no address."""
    return authority.machine("plain", "DNS:quorum")


def tls_of(variables: dict[str, str]) -> Tls:
    tls = Tls.of(variables)
    assert tls is not None
    return tls


def test_calls_cross_and_are_encrypted(run, plain):
    async def test() -> None:
        place, replica = OtherMachine(tls=tls_of(plain)), Replica("a")
        await replica.open(place)
        replica.go_on.set()
        switchboard = await board(place)
        link = switchboard.best(switchboard._watched.copy().pop())
        assert link is not None
        large = [7] * 500_000
        answers = await asyncio.gather(
            *[link.call(method, (large,), 1) for method in ("now", "later") * 5]
        )
        assert answers == [("a", large)] * 10
        assert link._transport is not None
        version = link._transport.get_extra_info("ssl_object").version()
        assert version == "TLSv1.3"
        under_way = link.call("now", ([1],), 1)
        closing = asyncio.ensure_future(replica.server.close())
        assert await under_way == ("a", [1])
        await closing
        await until(lambda: not link.open)
        await switchboard.close()

    run(test())


def test_an_end_without_tls_gets_nowhere(run, plain):
    async def test() -> None:
        with_tls, replica = OtherMachine(tls=tls_of(plain), proof_s=0.5), Replica("a")
        await replica.open(with_tls)
        without = replace(with_tls.callers, tls=None)
        with pytest.raises((OSError, Refused)):
            await Link.over(without, await with_tls.entry("a"))
        await replica.server.close()
        bare, replica = OtherMachine(proof_s=0.5), Replica("a")
        await replica.open(bare)
        with pytest.raises((OSError, Refused)):
            await Link.over(replace(bare.callers, tls=tls_of(plain)), await bare.entry("a"))
        await replica.server.close()

    run(test())


def test_a_caller_without_a_certificate_gets_nowhere(run, plain, authority):
    anonymous = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anonymous.check_hostname = False
    anonymous.load_verify_locations(authority.certificate)

    async def test() -> None:
        place, replica = OtherMachine(tls=tls_of(plain)), Replica("a")
        await replica.open(place)
        tls = replace(tls_of(plain), caller=anonymous)
        with pytest.raises(OSError):  # noqa: PT011 - whichever way TLS ends
            await Link.over(replace(place.callers, tls=tls), await place.entry("a"))
        assert replica.calls == 0
        await replica.server.close()

    run(test())


def test_each_end_refuses_the_certificate_of_another_authority(run, plain, certificates):
    theirs = tls_of(Authority(certificates, "another").machine("plain"))

    async def test() -> None:
        for replicas, callers in [(tls_of(plain), theirs), (theirs, tls_of(plain))]:
            place, replica = OtherMachine(tls=replicas), Replica("a")
            await replica.open(place)
            with pytest.raises(OSError):  # noqa: PT011 - whichever way TLS ends
                await Link.over(replace(place.callers, tls=callers), await place.entry("a"))
            # One end that does not check is not enough.
            careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
            tls = replace(callers, caller=careless)
            with pytest.raises(OSError):  # noqa: PT011 - whichever way TLS ends
                await Link.over(replace(place.callers, tls=tls), await place.entry("a"))
            await replica.server.close()

    run(test())


def test_the_pepper_is_proved_over_tls_as_well(run, plain):
    async def test() -> None:
        place, replica = OtherMachine("another pepper", tls_of(plain)), Replica("a")
        await replica.open(place)
        ours = OtherMachine(tls=tls_of(plain))
        with pytest.raises(Refused, match="QUORUM_KEY_PEPPER"):
            await Link.over(ours.callers, await place.entry("a"))
        await replica.server.close()

    run(test())


@pytest.mark.parametrize(
    ("alternatives", "fits"),
    [
        ("IP:127.0.0.1,DNS:localhost", True),  # says nothing of the machine
        ("IP:127.0.0.1,IP:192.0.2.7", False),
        ("IP:192.0.2.7,DNS:quorum", False),
    ],
)
def test_a_certificate_for_other_addresses_is_refused(run, authority, alternatives, fits):
    name = f"named{abs(hash(alternatives))}"
    variables = authority.machine(name, alternatives)

    async def test() -> None:
        place, replica = OtherMachine(tls=tls_of(variables)), Replica("a")
        await replica.open(place)
        if fits:
            link = await place.link("a")
            assert await link.call("now", ([1],), 1) == ("a", [1])
            link.hang_up()
        else:
            with pytest.raises(PermissionError, match=r"for 192\.0\.2\.7"):
                await place.link("a")
        await replica.server.close()

    run(test())


def test_without_rays_switch_there_is_no_tls(plain):
    assert Tls.of({}) is None
    assert Tls.of({**plain, "RAY_USE_TLS": "0"}) is None
    assert Tls.of({**plain, "RAY_USE_TLS": "true"}) is not None


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("RAY_TLS_SERVER_CERT", "", "RAY_TLS_SERVER_CERT: it is not set"),
        ("RAY_TLS_CA_CERT", "", "RAY_TLS_CA_CERT: it is not set"),
        ("RAY_TLS_SERVER_CERT", "/missing.crt", "RAY_TLS_SERVER_CERT: it cannot be used"),
        ("RAY_TLS_SERVER_KEY", "/missing.key", "RAY_TLS_SERVER_CERT: it cannot be used"),
        ("RAY_TLS_CA_CERT", "/missing.crt", "RAY_TLS_CA_CERT: it cannot be used"),
    ],
)
def test_files_that_cannot_be_used_are_named(plain, variable, value, reason):
    with pytest.raises(SettingInvalid, match=reason):
        Tls.of({**plain, variable: value})


def test_a_link_over_tls_is_lost_like_any_other(run, plain):
    async def test() -> None:
        place, replica = OtherMachine(tls=tls_of(plain)), Replica("a")
        await replica.open(place)
        link = await place.link("a")
        call = link.call("later", ([1],), 1)
        await until(lambda: replica.calls == 1)
        await replica.server.close(patience_s=0)
        with pytest.raises(LinkLost):
            await call

    run(test())
