"""The house as CONTRIBUTING.md draws it: which room may import which, and what costs nothing at start."""

import ast
import subprocess
import sys
from pathlib import Path

import animate

PACKAGE = Path(animate.__file__).parent
STAGES = {"portrait", "speech", "motion", "renderer", "provenance", "media"}
VOCABULARY = {
    "types",
    "channels",
    "clock",
    "easing",
    "errors",
    "topology",
    "config",
    "resources",
    "__init__",
    "__version__",
}
HEAVY = ("torch", "diffusers", "transformers", "mediapipe", "librosa", "face_alignment", "cv2", "numba")


def imported_rooms(source: str) -> set[str]:
    """Return the rooms of `animate` that a module imports, anywhere in it."""
    rooms = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "animate":
            parts = node.module.split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("animate.")}
    return rooms


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def sources_of(rooms: set[str]):
    return [(path, room_of(path)) for path in sorted(PACKAGE.rglob("*.py")) if room_of(path) in rooms]


def modules_loaded_by(statement: str) -> set[str]:
    probe = f"{statement}\nimport sys\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_reader_of_imports_sees_every_form():
    source = "import animate.media.encode\nfrom animate import provenance\ndef f():\n    from animate.motion import x"
    assert imported_rooms(source) == {"media", "provenance", "motion"}


def test_stages_share_only_the_vocabulary():
    checked = sources_of(STAGES)
    assert {room for _, room in checked} == STAGES
    for path, room in checked:
        assert imported_rooms(path.read_text()) <= VOCABULARY | {room}, path


def test_the_vocabulary_imports_no_stage():
    for path, _ in sources_of(VOCABULARY - {"__init__", "__version__"}):
        assert imported_rooms(path.read_text()) <= VOCABULARY, path


def test_only_provenance_implements_marked_frames():
    makers = {room_of(path) for path in PACKAGE.rglob("*.py") if "(MarkedFrames)" in path.read_text()}
    assert makers == {"provenance"}


def test_import_loads_no_heavy_package():
    assert modules_loaded_by("import animate").isdisjoint(HEAVY)


def test_help_loads_no_heavy_package():
    quiet = (
        "import contextlib, io, animate.cli\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):"
    )
    loaded = modules_loaded_by(f"{quiet}\n    animate.cli.main(['render', '--help'])")
    assert "animate" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_verification_needs_no_network_model():
    loaded = modules_loaded_by("import animate\nanimate.verify")
    assert "cv2" in loaded
    assert loaded.isdisjoint({"torch", "diffusers", "transformers", "mediapipe", "face_alignment"})
