"""Tables as lines for a terminal."""

from lipbench.reports.markdown.cells import Column, Row, Table, TableCell
from lipbench.reports.markdown.console import LONGEST, WIDTH, table_lines

COLUMNS = (Column("System", left=True), Column("75\u00a0frames", "ms", "lower"), Column("Speed-up"))


def table(*rows):
    return Table(COLUMNS, rows)


def test_columns_are_equal_and_intervals_stand_beside_their_values():
    lines = table_lines(
        table(Row((TableCell("A"), TableCell("1.0", 1.0, interval="[0.9, 1.1]"), TableCell("12", 12, "×"))))
    )
    assert lines == [
        "  System     75 frames ↓  Speed-up",
        "                      ms",
        "  A       1.0 [0.9, 1.1]       12×",
    ]


def test_where_a_line_is_too_long_intervals_go():
    name = "A" * (WIDTH - 40)
    (line,) = table_lines(table(Row((TableCell(name), TableCell("1.0", 1.0, interval="[0.9, 1.1]" * 3)))))[2:]
    assert line.endswith("1.0")


def test_a_failure_is_a_cell_of_bounded_length_and_the_rest_of_its_row_is_empty():
    (line,) = table_lines(table(Row((TableCell("A"), TableCell("failed: " + "why " * 40, mark="failed")))))[2:]
    assert line.endswith("…")
    assert len(line) < LONGEST + 20


def test_a_table_without_units_has_one_line_of_heads():
    heads = table_lines(Table((Column("A", left=True), Column("B")), (Row((TableCell("x"), TableCell("1", 1))),)))
    assert heads == ["  A  B", "  x  1"]
