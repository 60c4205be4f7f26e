import pytest

from devcluster.settings import REPOSITORY
from prewarm_chart.files import files


@pytest.mark.parametrize(("path", "text"), files().items(), ids=files())
def test_the_file_in_the_repository_is_what_the_model_of_the_values_says(path: str, text: str) -> None:
    assert (REPOSITORY / path).read_text(encoding="utf-8") == text, "run `make generate`"
