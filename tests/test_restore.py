"""Restoration: damage that was added is taken away, what belongs to a picture stays, and every step says so."""

import json

import cv2
import numpy as np
import pytest
import skimage.data

import animate
from animate import cli, rights
from animate.errors import ConfigError, MediaError, PortraitError, RefusalError
from animate.portrait import read_image, restore_image
from animate.portrait.landmarks import load_detector
from animate.portrait.restore import enlarge as enlarging
from animate.portrait.restore.damage import find_damage
from animate.portrait.restore.noise import estimate_noise
from animate.portrait.restore.repair import facial_features
from animate.provenance import record


@pytest.fixture(scope="module")
def picture():
    """A clean photograph, uint8 [512, 512, 3]."""
    return skimage.data.astronaut()


def psnr(image, reference) -> float:
    return 10 * np.log10(255**2 / np.mean((image.astype(float) - reference) ** 2))


def covered(image, mask, level):
    return np.clip(image * (1 - mask[..., None]) + level * mask[..., None], 0, 255).astype(np.uint8)


def scratched(image, seed=0):
    """Long thin lines as white as paper, across whatever is there."""
    random = np.random.default_rng(seed)
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.float32)
    for _ in range(5):
        start = random.uniform((0.1, 0.05), (0.9, 0.4)) * (width, height)
        end = start + random.uniform((-0.1, 0.3), (0.1, 0.5)) * (width, height)
        cv2.line(mask, *((16 * point).astype(int).tolist() for point in (start, end)), 1.0, 2, cv2.LINE_AA, 4)
    return covered(image, mask, 248)


def jagged(image, seed=0, level=248):
    """Thin lines that zigzag down the picture, over the face too."""
    random = np.random.default_rng(seed)
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.float32)
    for x in (0.1, 0.42, 0.7, 0.93):
        y = np.arange(0.1, 0.8, 0.02) * height
        points = np.stack([x * width + random.normal(0, 2, len(y)).cumsum(), y], axis=1)
        cv2.polylines(mask, [(16 * points).astype(np.int32)], False, 1.0, 2, cv2.LINE_AA, 4)
    return covered(image, mask, level)


def dusty(image, seed=0):
    random = np.random.default_rng(seed)
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.float32)
    for _ in range(50):
        centre = (16 * random.uniform(0, (width, height))).astype(int).tolist()
        axes = (16 * random.uniform(1.2, 4, 2)).astype(int).tolist()
        cv2.ellipse(mask, centre, axes, random.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA, 4)
    return covered(image, mask, 250)


def torn(image, seed=0):
    """A jagged line of bare paper from the right edge."""
    random = np.random.default_rng(seed)
    height, width = image.shape[:2]
    steps = random.uniform((0.015, -0.016), (0.036, 0.028), (14, 2)) * (-width, height)
    points = np.vstack([[width, 0.2 * height], [width, 0.2 * height] + steps.cumsum(axis=0)])
    mask = np.zeros((height, width), np.float32)
    cv2.polylines(mask, [(16 * points).astype(np.int32)], False, 1.0, 6, cv2.LINE_AA, 4)
    return covered(image, mask, 250)


def noisy(image, seed=0, sigma=12):
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape[:2])[..., None]
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def faded(image, seed=0):
    return (70 + 0.5 * image).astype(np.uint8)


def sepia(grey):
    return np.clip(grey * (1.05, 0.95, 0.75) + (12, 4, 0), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("harm", "step", "gain_db"),
    [
        (scratched, "repair", 2.5),
        (jagged, "repair", 6),
        (dusty, "repair", 4),
        (torn, "repair", 8),
        (noisy, "denoise", 2),
        (faded, "contrast", 10),
    ],
)
def test_damage_that_was_added_is_taken_away(picture, harm, step, gain_db):
    harmed = harm(picture)
    restored, report = restore_image(harmed, [step])
    assert [treatment.done for treatment in report] == [True], report[0].words
    assert psnr(restored, picture) > psnr(harmed, picture) + gain_db


def test_a_clean_picture_comes_back_exactly(picture):
    restored, report = restore_image(picture, "auto,tint")
    assert restored is picture
    assert not any(treatment.done for treatment in report)
    assert all(treatment.words for treatment in report)


def test_clean_portraits_and_paintings_come_back_exactly(shared):
    """Craquelure, canvas, brush strokes, hair, halftone, spectacles: none of them is damage."""
    for file in sorted((shared / "portraits").iterdir()):
        image, _ = read_image(file)
        restored, report = restore_image(image)
        assert restored is image, (file.name, [treatment.words for treatment in report if treatment.done])


def test_features_are_not_taken_for_damage_even_unprotected(picture):
    """Lashes, nostrils, catch-lights and teeth pass by their looks alone, with no mask to shield them."""
    nothing = np.zeros(picture.shape[:2], bool)
    assert not find_damage(picture, nothing, nothing).mask.any()


def test_dust_in_an_eye_is_left(picture):
    faces = load_detector("mediapipe").detect(picture)
    features, skin = facial_features(faces, picture.shape[:2])
    assert 0.002 < features.mean() < 0.05
    found = find_damage(dusty(picture), features, skin).mask
    rim = cv2.erode(features.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert found.any()
    assert not (found & rim).any()


def test_a_scratch_is_repaired_from_end_to_end(picture):
    """Also on a faded and noisy print, where it is brighter than all that is shown."""
    print_ = noisy(faded(picture), sigma=5)
    harmed = jagged(print_)
    covered_part = np.abs(harmed.astype(int) - print_).max(axis=2) > 60
    nothing = np.zeros(covered_part.shape, bool)
    found = find_damage(harmed, nothing, nothing).mask
    assert found[covered_part].mean() > 0.95
    assert not (found & (cv2.dilate(covered_part.astype(np.uint8), np.ones((15, 15))) == 0)).mean() > 0.001


def test_dark_spots_on_a_face_are_moles_unless_they_are_everywhere(picture):
    skin = np.zeros(picture.shape[:2], bool)
    skin[100:180, 190:260] = True
    face = [(205, 130), (225, 150), (245, 130)]
    around = [(x, y) for x in (330, 350, 370, 480) for y in (30, 60, 90, 120)]

    def spotted(places):
        image = noisy(np.full_like(picture, 200), sigma=2)
        image[:, :80] = 40
        for place in places:
            cv2.circle(image, place, 3, (30, 30, 30), -1, cv2.LINE_AA)
        return find_damage(image, np.zeros_like(skin), skin)

    assert not spotted(face).mask.any()
    everywhere = spotted(face + around)
    assert everywhere.spots == len(face + around)
    assert all(everywhere.mask[y, x] for x, y in face)


def test_a_few_bright_dots_are_not_dust(picture):
    dots = picture.copy()
    for x in (60, 200, 300):
        cv2.circle(dots, (x, 60), 3, (250, 250, 250), -1, cv2.LINE_AA)
    nothing = np.zeros(picture.shape[:2], bool)
    found = find_damage(dots, nothing, nothing)
    assert found.spots == 0
    assert found.doubtful_spots >= 3
    assert not found.mask.any()


def test_dull_light_is_not_fading(picture):
    dull = (47 + 0.6 * picture).astype(np.uint8)
    assert restore_image(dull, ["contrast"])[0] is dull


def test_fading_is_seen_through_scratches_and_noise(picture):
    _, (report,) = restore_image(jagged(noisy(faded(picture), sigma=7)), ["contrast"])
    assert report.done
    assert 1.5 < report.figures["gain"] <= 1.9


def test_mist_stays_light(picture):
    misty = (150 + 0.22 * picture).astype(np.uint8)
    restored, (report,) = restore_image(misty, ["contrast"])
    assert report.done
    assert restored.mean() > 160
    assert np.percentile(restored, 1) > 100


def test_noise_is_measured(picture):
    estimate = estimate_noise(cv2.cvtColor(noisy(picture), cv2.COLOR_RGB2GRAY))
    assert estimate.is_noise
    assert estimate.sigma == pytest.approx(12, rel=0.15)
    assert not estimate_noise(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)).is_noise


def test_texture_is_not_noise():
    """Strong fine structure with form: strokes, not chance."""
    random = np.random.default_rng(0)
    strokes = np.full((400, 400), 128, np.uint8)
    for x, y, angle in zip(*random.integers(0, 400, (2, 900)), random.uniform(0, np.pi, 900)):
        end = (int(x + 14 * np.cos(angle)), int(y + 14 * np.sin(angle)))
        cv2.line(strokes, (int(x), int(y)), end, int(random.integers(60, 200)), 1, cv2.LINE_AA)
    estimate = estimate_noise(strokes)
    assert estimate.sigma > 6
    assert not estimate.is_noise


def test_grain_is_kept_in_part(picture):
    restored, (report,) = restore_image(noisy(picture), ["denoise"])
    assert 1 < report.figures["sigma_after"] < 0.6 * report.figures["sigma"]
    assert estimate_noise(cv2.cvtColor(restored, cv2.COLOR_RGB2GRAY)).sigma > 1


def test_grey_stays_grey(picture, monkeypatch):
    monkeypatch.setattr(enlarging, "_model_files", lambda: None)
    grey = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    restored, report = restore_image(faded(noisy(dusty(scratched(grey)))), "auto,enlarge:150")
    assert sum(treatment.done for treatment in report) >= 3
    assert (restored == restored[..., :1]).all()


def test_sepia_becomes_grey_only_on_request(picture):
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    tinted = sepia(grey)
    restored, (report,) = restore_image(tinted, ["tint"])
    assert report.done
    assert (restored == restored[..., :1]).all()
    assert psnr(restored, grey) > psnr(tinted, grey) + 10
    assert "tint" not in [treatment.step for treatment in restore_image(tinted)[1]]


def test_colours_are_no_tint(picture):
    restored, (report,) = restore_image(picture, "tint")
    assert restored is picture
    assert "colours of its own" in report.words


def test_a_tilted_scan_is_set_straight():
    print_ = skimage.data.chelsea()
    height, width = print_.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 3, 1)
    turn[:, 2] += 40
    scan = cv2.warpAffine(print_, turn, (width + 80, height + 80), flags=cv2.INTER_CUBIC, borderValue=(250,) * 3)
    restored, (report,) = restore_image(scan, ["straighten"])
    assert report.figures["tilt_deg"] == pytest.approx(-3, abs=0.3)
    assert np.abs(np.array(restored.shape) - print_.shape).max() <= 8
    same_size = cv2.resize(print_, (restored.shape[1], restored.shape[0]), interpolation=cv2.INTER_AREA)
    assert psnr(restored, same_size) > 24


def test_a_white_background_is_no_scanner_bed(shared):
    image, _ = read_image(shared / "portraits" / "photo_small_smile_teeth.png")
    assert restore_image(image, ["straighten"])[0] is image


def test_small_faces_are_enlarged_better_than_by_bicubic(picture, monkeypatch):
    monkeypatch.setattr(enlarging, "_model_files", lambda: None)
    small = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
    large, (report,) = restore_image(small, ["enlarge"])
    bicubic = cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC)
    assert large.shape == picture.shape, report.words
    assert psnr(large, picture) > psnr(bicubic, picture) + 0.3


def test_an_enlarged_picture_made_small_again_is_the_picture(picture, monkeypatch):
    monkeypatch.setattr(enlarging, "_model_files", lambda: None)
    small = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
    large, _ = restore_image(small, ["enlarge:150"])
    again = cv2.resize(large, (256, 256), interpolation=cv2.INTER_AREA)
    assert large.shape[0] >= 1024
    assert psnr(again, small) > 38


def test_the_network_keeps_to_the_picture(picture):
    pytest.importorskip("ncnn", reason="the extra [restore] is not installed")
    if enlarging._model_files() is None:
        pytest.skip("the extra [restore] is not installed")
    small = np.ascontiguousarray(cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)[20:84, 80:144])
    large = enlarging._by_network(small)
    assert large.shape == (256, 256, 3)
    assert psnr(cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA), small) > 25


@pytest.mark.parametrize("steps", ["denoize", "repair:3", "enlarge:0", "enlarge:wide", "off,repair"])
def test_wrong_steps_are_refused(steps):
    with pytest.raises(ConfigError):
        restore_image(np.zeros((64, 64, 3), np.uint8), steps)


@pytest.mark.parametrize("size", [(1, 1), (30, 200), (61, 61), (60, 400)])
def test_tiny_pictures_pass(size):
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    assert restore_image(image, "auto,tint")[0].shape[2] == 3


def test_grey_arrays_are_refused():
    with pytest.raises(PortraitError, match="uint8"):
        animate.restore(np.zeros((64, 64), np.uint8))


def test_off_does_nothing(picture):
    assert restore_image(dusty(picture), "off")[1] == ()


def test_what_is_animated_is_restored_and_what_is_checked_is_the_original(picture, tmp_path):
    file = tmp_path / "old.png"
    harmed = faded(picture)
    cv2.imwrite(str(file), harmed[..., ::-1])
    portrait = animate.read_portrait(file, restore="contrast")
    plain = animate.read_portrait(file)
    assert psnr(portrait.image, picture) > psnr(harmed, picture) + 10
    assert np.array_equal(portrait.original, harmed)
    assert portrait.sha256 == plain.sha256 == read_image(file)[1]
    assert portrait.restoration[0].done
    assert plain.original is None
    assert plain.restoration == ()
    assert rights.examine(portrait).explicit == rights.examine(plain).explicit


def test_a_clip_of_a_restored_portrait_says_so(picture, tmp_path):
    cv2.imwrite(str(tmp_path / "old.png"), dusty(picture)[..., ::-1])
    cv2.imwrite(str(tmp_path / "clean.png"), picture[..., ::-1])
    for name, told in (("old", True), ("clean", False)):
        portrait = animate.read_portrait(tmp_path / f"{name}.png", restore="repair")
        motion = animate.Motion.rest(duration_s=0.2, fps=25)
        clip = animate.Clip(portrait, motion, None, animate.RenderConfig(), consent=animate.Consent("historical"))
        file = clip.save(tmp_path / f"{name}.mp4")
        assert (b"restored: repair" in file.read_bytes()) == told
        assert record.find(animate.verify(file).mark_id)[0]["restored"] == (["repair"] if told else [])


def test_a_restored_picture_is_marked_and_signed_as_edited(picture, tmp_path):
    restored = animate.restore(dusty(picture), "repair")
    file = restored.save(tmp_path / "restored.png")
    verdict = animate.verify(file)
    assert verdict.marked
    assert verdict.mark_id == verdict.credentials.mark_id
    assert verdict.credentials.state in ("trusted", "unknown signer")
    said = file.read_bytes()
    assert b"algorithmicallyEnhanced" in said
    assert b"trainedAlgorithmicMedia" not in said
    assert record.find(verdict.mark_id)[0]["event"] == "restored"
    assert [path.name for path in tmp_path.iterdir()] == ["restored.png"]
    with pytest.raises(RefusalError, match="made by animate"):
        animate.restore(file)


def test_a_picture_that_needed_nothing_is_not_said_to_be_edited(picture, tmp_path):
    file = animate.restore(picture, "contrast").save(tmp_path / "same.png")
    assert b"algorithmicallyEnhanced" not in file.read_bytes()
    assert animate.verify(file).marked


def test_only_png_is_written(picture, tmp_path):
    with pytest.raises(MediaError, match=r"\.png"):
        animate.restore(picture, "contrast").save(tmp_path / "restored.jpg")
    assert not list(tmp_path.iterdir())


def test_the_command_reports_each_step(picture, tmp_path, capsys):
    file, out, sheet = (tmp_path / name for name in ("old.png", "new.png", "sheet.png"))
    cv2.imwrite(str(file), faded(picture)[..., ::-1])
    arguments = ["restore", str(file), "-o", str(out), "--steps", "contrast", "--before-after", str(sheet), "--json"]
    assert cli.main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["output"] == str(out)
    assert [(step["step"], step["done"]) for step in said["steps"]] == [("contrast", True)]
    assert cv2.imread(str(sheet)).shape[1] > 2 * picture.shape[1]
    assert animate.verify(sheet).marked


def test_the_command_refuses_a_wrong_step_without_a_traceback(tmp_path, capsys):
    assert cli.main(["restore", "nowhere.jpg", "-o", str(tmp_path / "new.png"), "--steps", "repare"]) == 2
    assert "animate-portrait: " in capsys.readouterr().err
