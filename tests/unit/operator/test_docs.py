from pathlib import Path

from prewarm_operator.decide import reasons

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "reasons.md"


def test_every_reason_has_a_line_in_the_reference() -> None:
    text = PAGE.read_text()
    values = [value for name, value in vars(reasons).items() if name.isupper()]
    assert len(values) > 10
    assert [value for value in values if f"`{value}`" not in text] == []
