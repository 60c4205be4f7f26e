from pathlib import Path

import pytest

from prewarm_operator.api.manifests import manifests

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("path", "text"), manifests().items(), ids=manifests())
def test_the_file_in_the_repository_is_what_the_models_say(path: str, text: str) -> None:
    assert (REPOSITORY / path).read_text(encoding="utf-8") == text, "run `make generate`"


def test_no_file_is_left_of_a_kind_that_is_gone() -> None:
    folders = (REPOSITORY / "crds", REPOSITORY / "charts" / "prewarm" / "templates" / "crds")
    found = {str(file.relative_to(REPOSITORY)) for folder in folders for file in folder.iterdir()}
    assert found == {path for path in manifests() if not path.startswith("docs/")}
