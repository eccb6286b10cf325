"""Certificates of machines, made by `openssl` for one test."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Authority:
    """Signs certificates.

    Args:
        folder: gets all files.
        name: of the authority, and of its files.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self.certificate, self._key = folder / f"{name}.crt", folder / f"{name}.key"
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", str(self._key), "-out", str(self.certificate)),
        )

    def machine(self, name: str, alternatives: str = "") -> dict[str, str]:
        """Return Ray's variables of a machine with a certificate of its own.

        Args:
            name: of the machine.
            alternatives: other names in the certificate, such as `IP:10.0.0.1,DNS:a`.
        """
        base = self._folder / f"{self._name}-{name}"
        key, request = base.with_suffix(".key"), base.with_suffix(".csr")
        certificate, extensions = base.with_suffix(".crt"), base.with_suffix(".ext")
        _openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request)),
        )
        extensions.write_text(f"subjectAltName={alternatives}\n" if alternatives else "")
        _openssl(
            *("x509", "-req", "-in", str(request), "-days", "2", "-CAcreateserial"),
            *("-CA", str(self.certificate), "-CAkey", str(self._key)),
            *("-extfile", str(extensions), "-out", str(certificate)),
        )
        return {
            "RAY_USE_TLS": "1",
            "RAY_TLS_SERVER_CERT": str(certificate),
            "RAY_TLS_SERVER_KEY": str(key),
            "RAY_TLS_CA_CERT": str(self.certificate),
        }


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
