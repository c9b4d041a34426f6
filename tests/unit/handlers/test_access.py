import pytest

from engine.domain.errors import ConfigError, NotAllowed
from engine.domain.messages import Person, Role
from handlers.access import Access, Identity, require

ANN = Person(name="Ann", role=Role.TRADER)
BOB = Person(name="Bob", role=Role.VIEWER)


def identity(person, platform="telegram", user="1001"):
    return Identity(person=person, platform=platform, user=user)


def test_a_person_is_the_same_on_every_platform():
    access = Access([identity(ANN), identity(ANN, "web", "ann")])
    assert access.person("telegram", "1001") == access.person("web", "ann") == ANN


def test_an_empty_list_lets_nobody_in():
    assert Access([]).person("telegram", "1001") is None


def test_an_id_counts_only_on_its_own_platform():
    assert Access([identity(ANN)]).person("slack", "1001") is None


def test_who_has_no_id_on_a_platform_does_not_let_anonymous_people_in():
    assert Access([identity(ANN, user="")]).person("telegram", "") is None


def test_two_people_with_one_id_are_refused():
    with pytest.raises(ConfigError, match="Ann and Bob"):
        Access([identity(ANN), identity(BOB)])


def test_one_name_with_two_roles_is_refused():
    with pytest.raises(ConfigError, match="two roles"):
        Access([identity(ANN), identity(Person(name="Ann", role=Role.ADMIN), "web", "ann")])


@pytest.mark.parametrize("name", ["api", "API"])
def test_nobody_can_have_the_name_of_the_apis_token(name):
    with pytest.raises(ConfigError, match=f"Nobody can be called {name}"):
        Access([identity(Person(name=name, role=Role.VIEWER))])


def test_a_role_includes_the_ones_below_it():
    require(Person(name="Cy", role=Role.ADMIN), Role.TRADER, "/pause")


def test_a_role_that_does_not_suffice_is_told_which_would():
    with pytest.raises(NotAllowed, match="/pause needs the role trader; yours is viewer"):
        require(BOB, Role.TRADER, "/pause")
