from http.cookies import SimpleCookie

import pytest
from fastapi import Request, Response
from itsdangerous import URLSafeTimedSerializer

from engine.domain.messages import Person, Role
from handlers.access import Access, Identity
from handlers.web.sessions import SESSION_SECONDS, Attempts, Sessions, SignInLinks

ANN = Identity(person=Person(name="Ann", role=Role.ADMIN), platform="web", user="Ann")
KEY = "a key"


def sessions(key=KEY, people=(ANN,)):
    return Sessions(key=key, access=Access(list(people)))


def request(cookies="", method="GET", scheme="http", **headers):
    named = {"host": "bot:8080", "cookie": cookies, **headers}
    return Request(
        {
            "type": "http",
            "method": method,
            "path": "/",
            "scheme": scheme,
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()],
        }
    )


def signed_in(room=None, user="Ann"):
    response = Response()
    (room or sessions()).begin(response, user, secure=False)
    return response.headers["set-cookie"]


def cookie_of(header):
    return header.partition(";")[0]


def test_a_link_opens_the_door_once():
    links = SignInLinks()
    token = links.issue("Ann")
    assert links.redeem(token) == "Ann"
    assert links.redeem(token) is None


def test_links_cannot_be_guessed_from_one_another():
    links = SignInLinks()
    tokens = {links.issue("Ann") for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 32


def test_the_cookie_brings_the_person_back():
    assert sessions().caller(request(cookie_of(signed_in()))).person == ANN.person


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites():
    (cookie,) = SimpleCookie(signed_in()).values()
    assert cookie["httponly"]
    assert cookie["samesite"] == "strict"
    assert int(cookie["max-age"]) == SESSION_SECONDS


@pytest.mark.parametrize("cookies", ["", "greenlight_x=1", f"{sessions().cookie}=Ann", f"{sessions().cookie}="])
def test_whoever_has_no_cookie_of_ours_is_a_stranger(cookies):
    assert sessions().caller(request(cookies)) is None


def test_a_cookie_signed_with_another_key_is_no_cookie():
    other = URLSafeTimedSerializer("another key", salt="greenlight.web.session").dumps("Ann")
    assert sessions().caller(request(f"{sessions().cookie}={other}")) is None


def test_a_cookie_is_too_old_after_its_days():
    signer = sessions()._signer.make_signer(b"greenlight.web.session")
    signer.get_timestamp = lambda: 1_000_000_000
    old = signer.sign(sessions()._signer.dump_payload("Ann")).decode()
    assert sessions().caller(request(f"{sessions().cookie}={old}")) is None


def test_a_person_who_was_removed_is_locked_out_at_once():
    assert sessions(people=()).caller(request(cookie_of(signed_in()))) is None


@pytest.mark.parametrize("origin", [None, "http://bot:9090", "https://bot:8080", "https://evil.example", "null"])
def test_a_change_counts_only_when_it_comes_from_our_own_page(origin):
    headers = {"origin": origin} if origin else {}
    assert sessions().caller(request(cookie_of(signed_in()), "POST", **headers)) is None


def test_our_own_page_may_change_things():
    assert sessions().caller(request(cookie_of(signed_in()), "POST", origin="http://bot:8080"))
    assert sessions().caller(request(cookie_of(signed_in()), "POST", scheme="https", origin="https://bot:8080"))


def test_a_page_by_http_changes_nothing_on_a_bot_by_https():
    cookie = cookie_of(signed_in())
    assert sessions().caller(request(cookie, "POST", scheme="https", origin="http://bot:8080")) is None


def test_two_bots_on_one_machine_use_different_cookies():
    assert sessions("one").cookie != sessions("two").cookie


class Watch:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def test_an_address_that_fails_too_often_waits_until_the_window_has_passed():
    watch = Watch()
    attempts = Attempts(limit=3, window=60, monotonic=watch)
    for _ in range(3):
        assert not attempts.too_many("1.2.3.4")
        attempts.note("1.2.3.4")
    assert attempts.too_many("1.2.3.4")
    assert not attempts.too_many("5.6.7.8")
    watch.seconds = 60
    assert not attempts.too_many("1.2.3.4")


def test_the_memory_of_failures_is_bounded():
    attempts = Attempts()
    for number in range(3000):
        attempts.note(str(number))
    assert len(attempts._failures) == 1000
