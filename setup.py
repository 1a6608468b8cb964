"""The compiled parts: built where there is a C compiler, left out where there is none.

TICKTICK_PURE=1 builds none; TICKTICK_REQUIRE_EXT=1 makes a part that cannot be built an error.
"""

import os
import runpy
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

PARTS = runpy.run_path(str(Path(__file__).parent / "src/ticktick/compiled.py"))["PARTS"]
SHARED = "ticktick._arrays"  # what every part needs of Cython, compiled once
# results must not differ between machines: no fused multiply-add, nothing of one processor; too
# large a number wraps around as NumPy's do
PORTABLE = ["-O3", "-ffp-contract=off", "-fwrapv", "-fno-math-errno"]
# the parts of a step become one function: each call would copy the description of every column
GROWTHS = ("inline-unit-growth", "large-function-growth", "large-stack-frame-growth")
PORTABLE += [f"--param={name}=300" for name in (*GROWTHS, "max-inline-insns-single")]
FLAGS = [] if sys.platform == "win32" else PORTABLE
# as plain Python divides; a step is only given rows that are there; types come from the .pxd alone
DIRECTIVES = {
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": False,
    "infer_types": True,
    "annotation_typing": False,
}
# what the absence of a compiler, a linker or their headers looks like
CANNOT_BUILD = (CCompilerError, BaseError, OSError)


class OptionalBuild(build_ext):
    """Builds what can be built."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        try:
            super().run()
        except CANNOT_BUILD as error:
            self._leave_out(error, *self.extensions)

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except CANNOT_BUILD as error:
            self._leave_out(error, ext)

    def copy_extensions_to_source(self) -> None:
        """Copy, for an editable install, what was built."""
        self.extensions = [each for each in self.extensions if self._is_built(each)]
        super().copy_extensions_to_source()

    def _is_built(self, ext: Extension) -> bool:
        return Path(self.build_lib, self._file_of(ext)).exists()

    def _file_of(self, ext: Extension) -> str:
        file: str = self.get_ext_filename(self.get_ext_fullname(ext.name))
        return file

    def _leave_out(self, error: Exception, *parts: Extension) -> None:
        """Let plain Python serve, and not what was compiled of older sources."""
        if os.environ.get("TICKTICK_REQUIRE_EXT"):
            raise error
        for folder in (self.build_lib, "src"):
            for part in parts:
                Path(folder, self._file_of(part)).unlink(missing_ok=True)
        print(f"compiled parts left out, plain Python serves: {error}", file=sys.stderr)


def extensions() -> list[Extension]:
    """The compiled parts, as C; none where Cython is absent or nobody wants them."""
    if os.environ.get("TICKTICK_PURE"):
        return []
    try:
        from Cython.Build import cythonize  # noqa: PLC0415 - absent where nothing is compiled
    except ImportError:
        if os.environ.get("TICKTICK_REQUIRE_EXT"):
            raise
        return []
    parts = [Extension(name, [source_of(name)], extra_compile_args=FLAGS) for name in PARTS]
    shared = Extension(SHARED, [f"build/cython/{SHARED}.c"], extra_compile_args=FLAGS)
    made: list[Extension] = cythonize(
        [*parts, shared],
        shared_utility_qualified_name=SHARED,
        include_path=["src"],
        build_dir="build/cython",
        language_level=3,
        compiler_directives=DIRECTIVES,
        force=have_types_changed(),
    )
    return made


def have_types_changed() -> bool:
    """Whether some .pxd is newer than what was made of any part.

    Cython looks for changes of `name.pxd`, not of `_name.pxd` and of what that takes from others;
    a part that was made of older types cannot be imported, and plain Python would serve.
    """
    made = [Path("build/cython", source_of(name)).with_suffix(".c") for name in PARTS]
    oldest = min((each.stat().st_mtime for each in made if each.exists()), default=0.0)
    types = Path("src").rglob("*.pxd")
    return any(each.stat().st_mtime > oldest for each in types)


def source_of(name: str) -> str:
    """The file of a part: of `_name` the plain Python that serves where nothing is compiled."""
    package, _, module = name.rpartition(".")
    file = f"{module[1:]}.py" if module.startswith("_") else f"{module}.pyx"
    return f"src/{package.replace('.', '/')}/{file}"


setup(ext_modules=extensions(), cmdclass={"build_ext": OptionalBuild})
