"""Walks over who depends on whom."""

from headless_dbt.lineage import reachable, turned

GRAPH = {"c": ["b"], "b": ["a"], "d": ["b", "x"], "a": []}


def test_what_a_node_depends_on_is_all_the_way_up() -> None:
    assert reachable(GRAPH, ["c"]) == {"b", "a"}
    assert reachable(GRAPH, ["c", "d"]) == {"b", "a", "x"}


def test_what_depends_on_a_node_is_the_same_walk_over_the_turned_graph() -> None:
    assert reachable(turned(GRAPH), ["a"]) == {"b", "c", "d"}


def test_a_start_is_reached_only_where_there_is_a_way_to_it() -> None:
    assert reachable(GRAPH, ["c", "b"]) == {"b", "a"}
    assert reachable({"a": ["b"], "b": ["a"]}, ["a"]) == {"a", "b"}


def test_what_is_not_there_depends_on_nothing() -> None:
    assert reachable(GRAPH, ["unknown"]) == set()
