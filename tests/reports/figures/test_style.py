"""How systems look."""

from reports.figures.style import looks


def test_looks_are_distinct_and_stable():
    others = [(name, name.upper()) for name in "abcdefgh"]
    systems = [("hh_t2l", "HH-T2L"), ("hh_t2l", "HH-T2L (tiny)"), ("dual_lip", "DualLip"), *others[:7]]
    for ten in (systems, [*others, ("yak", "Yak"), ("zebra", "Zebra")]):
        found = looks(ten)
        assert len(found) == 10
        assert len({(look.color, look.marker) for look in found.values()}) == 10
    assert looks(systems) == looks(iter(systems))
    assert looks([("hh_t2l", "HH-T2L")])["HH-T2L"] == looks(systems)["HH-T2L"]
