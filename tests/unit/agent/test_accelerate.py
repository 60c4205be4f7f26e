"""What the import accelerator dares."""

from importlib.metadata import version

import pytest

from prewarm_agent.startup.accelerate import TESTED_OPENAI, _imported_names


def test_the_locked_release_of_openai_is_the_tested_one() -> None:
    assert version("openai") == TESTED_OPENAI, "run test_accelerator.py with the new release, then change the constant"


def test_names_are_found_where_a_package_imports_them_from() -> None:
    source = "from __future__ import annotations\nfrom .a import B as C, D\nfrom ..e.f import G\n"
    assert _imported_names(source, "openai.types.chat") == {
        "annotations": ("__future__", "annotations"),
        "C": ("openai.types.chat.a", "B"),
        "D": ("openai.types.chat.a", "D"),
        "G": ("openai.types.e.f", "G"),
    }


@pytest.mark.parametrize("more", ["x = 1", "def f(): ...", "import os", "from . import chat", "from .a import *"])
def test_a_package_that_does_more_than_import_names_is_left_alone(more: str) -> None:
    assert _imported_names(f"from .a import B\n{more}\n", "openai.types") is None
