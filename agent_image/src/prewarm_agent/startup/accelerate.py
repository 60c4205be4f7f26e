"""Imports the framework for half the CPU: of what it would import, the larger part is never used.

Three savings, each undone or invisible afterwards:

* The packages under `openai.types` hold nothing but names from hundreds of modules of pydantic models. They look up a
  name when it is first used (PEP 562) instead of importing all of them.
* jsonref, which AutoGen needs, takes `requests` if it is there, and does without if not. httpx takes pygments and with
  it rich, for its command line. Neither is there meanwhile.
* The garbage collector is off, and never looks at what was imported: nearly all that an import allocates stays.
"""

import ast
import gc
import importlib
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from importlib.abc import Loader, MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import version
from importlib.util import resolve_name
from types import ModuleType

logger = logging.getLogger(__name__)

# The release that the tests ran with; any other may have put more than names into those packages.
TESTED_OPENAI = "3.57.0"
_LAZY = "openai.types"
# What is imported anew after a failure: the SDK, and who holds parts of it.
_AFFECTED = ("openai", "autogen_ext")


class Outcome(StrEnum):
    """How the imports were done: as planned, or plainly and why."""

    ACCELERATED = "accelerated"
    OFF = "off"
    UNTESTED_VERSION = "untested_version"
    FAILED = "failed"


def import_modules(modules: Sequence[str], *, accelerate: bool) -> Outcome:
    """Imports them, in order. Raises what a plain import raises: a failure of the accelerator ends in one of those."""
    outcome = _accelerated(modules) if accelerate else Outcome.OFF
    if outcome is not Outcome.ACCELERATED:
        for module in modules:
            importlib.import_module(module)
    return outcome


def _accelerated(modules: Sequence[str]) -> Outcome:
    known = set(sys.modules)
    try:
        if (installed := version("openai")) != TESTED_OPENAI:
            logger.warning("imports not accelerated", extra={"openai": installed, "tested": TESTED_OPENAI})
            return Outcome.UNTESTED_VERSION
        with _no_garbage_collection(), _lazy_types(), _hidden("pygments"):
            with _hidden("requests"):
                importlib.import_module("jsonref")
            for module in modules:
                importlib.import_module(module)
    except Exception as error:
        logger.warning("imports not accelerated", exc_info=error)
        for name in set(sys.modules) - known:
            if name.partition(".")[0] in _AFFECTED:
                del sys.modules[name]
        return Outcome.FAILED
    return Outcome.ACCELERATED


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # or the next allocation would start a collection of all that
        if enabled:
            gc.enable()


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Makes the import of a module fail, unless it was imported before."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # Python's own mark for a module that must not be found
    try:
        yield
    finally:
        del sys.modules[module]


@contextmanager
def _lazy_types() -> Iterator[None]:
    finder = _LazyFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _LazyFinder(MetaPathFinder):
    """Finds the packages as Python does, and has those executed lazily that hold only names of other modules."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _LAZY and not fullname.startswith(f"{_LAZY}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.submodule_search_locations is None or not isinstance(spec.loader, SourceLoader):
            return spec
        names = _imported_names(spec.loader.get_source(fullname) or "", fullname)
        if names is not None:
            spec.loader = _LazyLoader(spec.loader, names)
        return spec


def _imported_names(source: str, package: str) -> dict[str, tuple[str, str]] | None:
    """The module and the attribute behind each name, or None if the source does more than import names."""
    names = {}
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.ImportFrom) or statement.module is None:
            return None
        module = resolve_name("." * statement.level + statement.module, package)
        for alias in statement.names:
            if alias.name == "*":
                return None
            names[alias.asname or alias.name] = (module, alias.name)
    return names


class _LazyLoader(Loader):
    """Makes a module that imports a name at its first use, and all of them for who asks which there are."""

    def __init__(self, loader: SourceLoader, names: dict[str, tuple[str, str]]) -> None:
        self._loader = loader
        self._names = names

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader  # for reloads, resources and inspect

        def execute() -> None:
            self._loader.exec_module(module)
            vars(module).pop("__getattr__", None)
            vars(module).pop("__dir__", None)

        def look_up(name: str) -> object:
            if name == "__all__":  # `from ... import *`, which reads the module's namespace when there is no __all__
                execute()
            elif name in self._names:
                source, attribute = self._names[name]
                value = getattr(importlib.import_module(source), attribute)
                setattr(module, name, value)
                return value
            elif not name.startswith("__"):
                submodule = f"{module.__name__}.{name}"
                try:
                    return importlib.import_module(submodule)
                except ModuleNotFoundError as error:
                    if error.name != submodule:
                        raise
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        def list_names() -> list[str]:
            execute()
            return dir(module)

        vars(module).update(__getattr__=look_up, __dir__=list_names)
