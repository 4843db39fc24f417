"""Who signs: a key and certificate of the user's own, made on first use, or a studio's chain by path.

The chain has the shape that C2PA asks for (C2PA 2.x, 14.5): a P-256 leaf for digital signatures under a root of its
own. The root's key is thrown away as soon as it has signed the leaf, so that nothing else can ever hang under it.
"""

from __future__ import annotations

import datetime
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from animate.errors import DependencyError, ProvenanceError
from animate.provenance.home import home, writable_home
from animate.types import Signer

CHAIN_VARIABLE, KEY_VARIABLE = "ANIMATE_SIGNING_CHAIN", "ANIMATE_SIGNING_KEY"
_YEARS = 10


def signer_of_this_user() -> Signer:
    """Return who signs: the studio named by `ANIMATE_SIGNING_CHAIN` and `ANIMATE_SIGNING_KEY`, or this user.

    Raises
    ------
    ProvenanceError
        If the files cannot be read or do not belong together, or only one of the two is named.
    """
    chain, key = os.environ.get(CHAIN_VARIABLE), os.environ.get(KEY_VARIABLE)
    if bool(chain) != bool(key):
        raise ProvenanceError(f"Set both {CHAIN_VARIABLE} and {KEY_VARIABLE}, or neither.")
    return read_signer(chain, key) if chain and key else own_signer()


def own_signer() -> Signer:
    """Return the user's own signer; its key is made on first use, never overwritten.

    Raises
    ------
    ProvenanceError
        If it cannot be read or made.
    """
    folder = writable_home() / "identity"
    if not folder.is_dir():
        _make(folder)
    return read_signer(folder / "chain.pem", folder / "key.pem")


def read_signer(chain: str | Path, key: str | Path) -> Signer:
    """Return the signer of a certificate chain and a private key without a password, both files in PEM.

    Raises
    ------
    ProvenanceError
        If a file cannot be read, or the key is not that of the first certificate.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certificates = "\n".join(_certificates(Path(chain).read_text()))
        private = load_pem_private_key(Path(key).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it has a password
        raise ProvenanceError(f"The signing chain {chain} or key {key} cannot be read: {error}.") from error
    scheme = Scheme.of(certificates)
    if private.public_key() != scheme.public_key:
        raise ProvenanceError(f"The key {key} is not that of the first certificate in {chain}.")
    return Signer(certificates, lambda data: private.sign(data, *scheme.arguments))


@dataclass(frozen=True, eq=False)
class Scheme:
    """How the key of a certificate signs.

    Attributes
    ----------
    name : str
        As C2PA calls it (C2PA 2.x, 13.2.1), such as "ES256".
    public_key : object
        Of the package cryptography.
    arguments : tuple
        What its `verify`, and `sign` of the private key, take beside the data.
    """

    name: str
    public_key: object
    arguments: tuple

    @classmethod
    def of(cls, certificates: str) -> Scheme:
        """Return the scheme of the first certificate of a chain in PEM.

        Raises
        ------
        ProvenanceError
            If there is none, or C2PA knows no scheme for its key.
        """
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
        from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
        from cryptography.x509 import load_pem_x509_certificate

        try:
            public = load_pem_x509_certificate(certificates.encode()).public_key()
        except ValueError as error:
            raise ProvenanceError(f"The signing chain does not begin with a certificate in PEM: {error}.") from error
        curves = {"secp256r1": ("ES256", SHA256()), "secp384r1": ("ES384", SHA384()), "secp521r1": ("ES512", SHA512())}
        if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in curves:
            name, digest = curves[public.curve.name]
            return cls(name, public, (ec.ECDSA(digest),))
        if isinstance(public, rsa.RSAPublicKey):
            salted = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
            return cls("PS256", public, (salted, SHA256()))
        if isinstance(public, ed25519.Ed25519PublicKey):
            return cls("ED25519", public, ())
        raise ProvenanceError(
            f"The signing certificate has a {type(public).__name__}. Use one of P-256, P-384, P-521, RSA or Ed25519."
        )

    def fits(self, signature: bytes, data: bytes) -> bool:
        """Tell whether a signature of data was made with the private key."""
        from cryptography.exceptions import InvalidSignature

        try:
            self.public_key.verify(signature, data, *self.arguments)
        except InvalidSignature:
            return False
        return True


def trusted_roots() -> str:
    """Return the roots this user trusts, in PEM: of the own identity if there is one, and all of `trust/*.pem`."""
    own = home() / "identity" / "chain.pem"
    roots = [_certificates(own.read_text())[-1]] if own.is_file() else []
    roots += [file.read_text() for file in sorted((home() / "trust").glob("*.pem"))]
    return "\n".join(roots)


def _certificates(pem: str) -> list[str]:
    end = "-----END CERTIFICATE-----"
    return [part[part.index("-----BEGIN") :] + end + "\n" for part in pem.split(end) if "-----BEGIN" in part]


def _make(folder: Path) -> None:
    """Put a new key and chain into place in one step; if another process was first, theirs stays."""
    leaf, root, key = _new_chain()
    draft = Path(tempfile.mkdtemp(prefix=".identity-", dir=folder.parent))  # mode 0700
    try:
        for name, text in (("key.pem", key), ("chain.pem", leaf + root)):
            with open(os.open(draft / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
        os.rename(draft, folder)  # fails on a folder that holds something
    except OSError as error:
        if not folder.is_dir():
            raise ProvenanceError(f"The signing key cannot be stored in {folder}: {error.strerror}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _new_chain() -> tuple[str, str, str]:
    """Return leaf, root and the leaf's private key, each in PEM."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
    except ImportError as error:
        raise DependencyError("Signing needs the package cryptography. Run: pip install cryptography") from error

    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    serial = x509.random_serial_number()
    # No name of a person: the certificate goes out with every file.
    root_name, leaf_name = (
        x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "animate-portrait user"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{role} {serial % (1 << 32):08x}"),
            ]
        )
        for role in ("root", "signer")
    )
    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(name, key, usage: str, authority: bool):
        usages = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder(root_name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
            .add_extension(x509.BasicConstraints(authority, 0 if authority else None), critical=True)
            .add_extension(x509.KeyUsage(**{**usages, usage: True}), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        )

    root = certificate(root_name, root_key, "key_cert_sign", authority=True).sign(root_key, hashes.SHA256())
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    leaf = certificate(leaf_name, leaf_key, "digital_signature", authority=False)
    leaf = leaf.add_extension(purpose, critical=False).sign(root_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    key = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return leaf.public_bytes(pem).decode(), root.public_bytes(pem).decode(), key.decode()
