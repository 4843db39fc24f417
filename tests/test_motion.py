"""The motion model: with tiny networks for the sampler, with the shipped checkpoint for what it learned."""

import shutil

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from animate.channels import BLENDSHAPES, CHANNELS, HEAD, INDEX
from animate.errors import CheckpointError, ConfigError
from animate.motion import lip_gap, load_pipeline
from animate.motion.acting import Acting, Finisher, Guidance
from animate.motion.arousal import Arousal
from animate.motion.contacts import carry_out, evidence
from animate.motion.denoiser import MotionDenoiser
from animate.motion.direction import Direction
from animate.motion.encoder import SpeechEncoder, SpeechEncoderConfig
from animate.motion.fixations import EYES_AGAINST_HEAD, Fixations
from animate.motion.latents import GAZE_RANGE_DEG, HEAD_RANGE, LATENT_INDEX, LATENTS, to_channels
from animate.motion.lids import Lids
from animate.motion.pipeline import CONTEXT, OVERLAP, STREAM_WINDOW, WINDOW, AudioToMotionPipeline
from animate.speech import FEATURES, MOTION_FPS, extract_features
from animate.types import Motion, Speech, SpeechFeatures

CLOSED = 0.05  # of lip_gap


@pytest.fixture(scope="module")
def tiny() -> AudioToMotionPipeline:
    """The real classes, at a size that runs at once."""
    torch.manual_seed(0)
    encoder = SpeechEncoder(SpeechEncoderConfig(len(FEATURES), hidden_size=16, dilations=(1, 2)))
    denoiser = MotionDenoiser(
        latents=[[name, gains] for name, gains in LATENTS.items()],
        mean=[0.1] * len(LATENTS),
        scale=[0.2] * len(LATENTS),
        condition_size=16,
        hidden_size=16,
        num_layers=1,
        num_heads=2,
    )
    return AudioToMotionPipeline(encoder.eval(), denoiser.eval(), FlowMatchEulerDiscreteScheduler())


@pytest.fixture(scope="module")
def base() -> AudioToMotionPipeline:
    """The shipped checkpoint."""
    from animate.resources import shipped

    return load_pipeline(shipped("checkpoints/base"))


@pytest.fixture(scope="module")
def spoken(voice, base) -> Motion:
    """What the shipped model does for the example voice."""
    return base(extract_features(voice), seed=0, duration_s=voice.duration_s)


def noisy_features(count: int) -> SpeechFeatures:
    values = np.random.default_rng(1).random((count, len(FEATURES)), dtype=np.float32)
    return SpeechFeatures(values, float(MOTION_FPS))


def silence(duration_s: float) -> Speech:
    return Speech(np.zeros(int(16_000 * duration_s), np.float32), 16_000)


@pytest.mark.parametrize("count", [1, 2, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW - OVERLAP - CONTEXT, 777])
def test_motion_is_as_long_as_its_features(tiny, count):
    assert len(tiny(noisy_features(count), num_inference_steps=1)) == count


def test_duration_is_that_of_the_speech(tiny):
    motion = tiny(noisy_features(100), duration_s=2.0049)
    assert motion.duration_s == 2.0049
    assert len(motion) == 100


def test_same_seed_repeats_exactly_and_another_differs(tiny):
    first, again, other = (tiny(noisy_features(300), seed=seed).values for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other, atol=0.01)


def test_values_stay_in_their_ranges(tiny):
    values = tiny(noisy_features(300), guidance=Guidance(voice=8.0)).values
    shapes = values[:, : len(BLENDSHAPES)]
    assert shapes.min() >= 0 and shapes.max() <= 1
    assert all(np.abs(values[:, INDEX[name]]).max() <= HEAD_RANGE[name] for name in HEAD)
    assert (values[:, INDEX["mouthClose"]] <= values[:, INDEX["jawOpen"]]).all()


def test_guidance_changes_the_motion(tiny):
    plain, guided = (tiny(noisy_features(60), guidance=Guidance(voice=scale)).values for scale in (1.0, 2.0))
    assert not np.allclose(plain, guided)


def test_guidance_of_emotion_and_style_is_their_own(tiny):
    acting = Acting(emotion="happy", expressiveness=1.5)
    motions = [
        tiny(noisy_features(60), acting=acting, guidance=Guidance(**{name: 3.0} if name else {})).values
        for name in ("", "voice", "emotion", "style")
    ]
    assert all(not np.allclose(a, b) for index, a in enumerate(motions) for b in motions[:index])


def test_emotion_and_expressiveness_reach_the_network(tiny):
    plain, happy, lively = (
        tiny(noisy_features(60), acting=acting).values
        for acting in (Acting(), Acting(emotion="happy"), Acting(expressiveness=1.5))
    )
    assert not np.allclose(plain, happy) and not np.allclose(plain, lively)


def test_a_still_head_goes_on_blinking(tiny):
    motion = tiny(noisy_features(400), acting=Acting(head_motion=0.0))
    assert all(not motion[name].any() for name in HEAD)
    assert motion["eyeBlinkLeft"].max() > 0.8


def test_a_gaze_that_drifts_rests_and_jumps():
    times_s = np.arange(1000) / 50
    drift = np.stack([3 * np.sin(0.9 * times_s) + 2 * np.sin(2.3 * times_s), np.cos(1.1 * times_s)], axis=1)
    gaze = Fixations(50.0).draw(drift)
    moving = np.abs(np.diff(gaze, axis=0)).max(axis=1) > 1e-9
    assert 0.01 < moving.mean() < 0.1  # the drift itself moves all the time
    assert np.abs(gaze - drift).max() < 7.5 and np.abs(gaze - drift).mean() < 1.5
    eyes = Fixations(50.0)
    assert np.array_equal(gaze, np.concatenate([eyes.draw(piece) for piece in np.array_split(drift, 13)]))


def test_the_eyes_hold_their_gaze_while_the_head_turns():
    controls = np.zeros((100, len(LATENTS)), np.float32)
    controls[:, LATENT_INDEX["headYaw"]] = 10 * np.sin(np.arange(100) / 12)
    controls[:, LATENT_INDEX["gazeX"]] = -0.8 * controls[:, LATENT_INDEX["headYaw"]] / GAZE_RANGE_DEG
    motion = Motion(Finisher(Acting(), LATENTS, Direction()).channels(controls, 50.0, last=True), 50.0)
    in_head = GAZE_RANGE_DEG * (motion["eyeLookOutLeft"] - motion["eyeLookInLeft"])
    assert np.ptp(in_head) > 10 and np.abs(in_head + 0.8 * motion["headYaw"]).max() < 1e-3
    still = Finisher(Acting(head_motion=0.0), LATENTS, Direction()).channels(controls, 50.0, last=True)
    assert not still[:, INDEX["eyeLookOutLeft"]].any()


def test_eyes_rest_where_they_are_told(tiny):
    aside, ahead = (
        tiny(noisy_features(100), acting=acting) for acting in (Acting(gaze_x_deg=15.0, gaze_y_deg=-10.0), Acting())
    )
    assert aside["eyeLookOutLeft"].mean() > ahead["eyeLookOutLeft"].mean() + 0.2
    assert aside["eyeLookDownLeft"].mean() > ahead["eyeLookDownLeft"].mean() + 0.1


@pytest.mark.parametrize(
    "setting, named",
    [
        ({"emotion": "hapy"}, "'hapy'"),
        ({"emotion": "happy:2"}, "'2' of happy"),
        ({"head_motion": -1}, "head_motion is -1"),
        ({"gaze_x_deg": 90}, "gaze_x_deg is 90"),
        ({"blink_rate": 9}, "blink_rate is 9"),
    ],
)
def test_impossible_acting_is_refused(setting, named):
    with pytest.raises(ConfigError, match=named):
        Acting(**setting)


def test_a_misspelt_emotion_names_the_nearest():
    with pytest.raises(ConfigError, match="'happy'"):
        Acting(emotion="hapy:0.5")


@pytest.mark.parametrize("sizes", [(1, 7, 300), (100, 100, 108), (308,)])
def test_streaming_does_not_depend_on_the_size_of_the_pieces(tiny, sizes):
    features = noisy_features(308)
    edges = np.cumsum((0, *sizes))
    pieces = [SpeechFeatures(features.values[a:b], features.fps) for a, b in zip(edges, edges[1:])]
    streamed = np.concatenate([block.values for block in tiny.stream(pieces)])
    whole = np.concatenate([block.values for block in tiny.stream([features])])
    assert streamed.shape == (308, len(CHANNELS))
    assert np.allclose(streamed, whole, atol=1e-5)


def test_streaming_waits_no_longer_than_its_look_ahead(tiny):
    given = 0

    def voice():
        nonlocal given
        for _ in range(60):
            given += 10
            yield noisy_features(10)

    done, waits = 0, []
    for block in tiny.stream(voice()):
        waits.append(given - done)  # frames known when the first frame of the block comes out
        done += len(block)
    assert done == 600
    assert max(waits) <= STREAM_WINDOW + tiny.speech_encoder.margin + 10 + round(0.5 * MOTION_FPS)


def test_blinks_follow_their_rate():
    wish = np.zeros(50 * 120)
    wish[::100] = 0.6
    counts = []
    for rate in (0, 0.5, 1, 2):
        lids = Lids(50.0, rate).draw(wish, last=True)
        counts.append(int(np.sum((lids[1:] > 0.5) & (lids[:-1] <= 0.5))))
    assert counts[0] == 0
    assert counts[2] in (59, 60) and counts[1] == pytest.approx(30, abs=2) and counts[3] >= counts[2]


def test_lids_drawn_in_pieces_are_the_same():
    wish = np.clip(np.random.default_rng(4).normal(0.05, 0.15, 3000), 0, 1)
    whole = Lids(50.0).draw(wish, last=True)
    lids, pieces = Lids(50.0), []
    for start in range(0, 3000, 37):
        pieces.append(lids.draw(wish[start : start + 37], last=start + 37 >= 3000))
    assert np.array_equal(np.concatenate(pieces), whole)


def test_a_seal_closes_the_lips_whatever_else_is_asked():
    controls = np.zeros((3, len(LATENTS)), np.float32)
    for name, value in {"jawOpen": 0.4, "mouthLowerDown": 0.3, "mouthUpperUp": 0.2}.items():
        controls[:, LATENT_INDEX[name]] = value
    controls[:, LATENT_INDEX["seal"]] = (0.0, 0.4, 1.0)
    gap = lip_gap(Motion(to_channels(controls), MOTION_FPS))
    assert gap[0] > gap[1] > gap[2] == 0


def test_likely_contacts_are_carried_out_and_unlikely_ones_are_not():
    phones = ("", "p", "m", "f", "u", "a")
    heard = np.zeros((40, len(phones)), np.float32)
    heard[:, 5] = 1
    for frames, phone, probability in ((slice(5, 9), 1, 0.3), (slice(15, 19), 3, 0.4), (slice(25, 29), 4, 0.6)):
        heard[frames, phone], heard[frames, 5] = probability, 1 - probability if probability > 0.5 else 0.4
    heard[33:37, 2], heard[33:37, 5] = 0.005, 0.4
    controls = np.zeros((40, len(LATENTS)), np.float32)
    controls[:, LATENT_INDEX["jawOpen"]], controls[:, LATENT_INDEX["mouthLowerDown"]] = 0.3, 0.2
    motion = Motion(to_channels(carry_out(controls, evidence(heard, phones), LATENT_INDEX)), MOTION_FPS)
    gap = lip_gap(motion)
    assert gap[6:8].max() < 0.02
    assert gap[16:18].max() < 0.05 and motion["mouthRollLower"][16] > 0.15
    assert motion["mouthPucker"][26] > 0.3 and motion["mouthPucker"][6] < 0.02
    assert np.allclose(gap[33:37], gap[0]) and gap[0] > 0.3


def test_a_contact_happens_at_its_peak_and_not_beside_it():
    heard = np.zeros((30, 2), np.float32)
    heard[10:20, 0], heard[13:17, 0] = 0.2, 0.9
    lips = evidence(heard, ("p", "a"))[:, 0]
    assert lips[13:17].min() > 0.95 and max(lips[10], lips[19]) < 0.05
    heard[13:17, 0] = 0.2
    assert evidence(heard, ("p", "a"))[10:20, 0].min() > 0.95  # a long one holds, however sure


def test_a_contact_ends_where_an_open_vowel_is_certain():
    heard = np.zeros((20, 2), np.float32)
    heard[8:12, 0], heard[:8, 1], heard[12:, 1] = 1, 0.95, 0.95
    lips = evidence(heard, ("p", "a"))[:, 0]
    assert lips[9:11].min() > 0.9 and lips[:8].max() == lips[12:].max() == 0
    heard[:, 1] = 0.0
    assert evidence(heard, ("p", "a"))[12, 0] > 0.2  # without the vowel it fades


def test_an_aroused_voice_is_told_from_a_calm_one():
    rows = np.zeros((300, len(FEATURES)), np.float32)
    rows[:, FEATURES.index("voicing")] = 1
    calm, aroused = rows.copy(), rows.copy()
    calm[:, :40] = np.linspace(1.0, 0.4, 40)
    aroused[:, :40] = np.linspace(0.8, 0.9, 40)
    aroused[:, FEATURES.index("pitch")] = np.sin(np.arange(300) / 10)
    assert Arousal().follow(aroused, 0)[-1] > 0.7 > 0.4 > Arousal().follow(calm, 0)[-1]


def test_the_encoder_hears_a_recording_piece_by_piece(tiny):
    features = torch.from_numpy(noisy_features(90).values)
    encoder = tiny.speech_encoder
    whole, _ = encoder.listen(features, 0, 90)
    pieces = torch.cat([encoder.listen(features, start, start + 30)[0] for start in (0, 30, 60)])
    assert torch.allclose(whole, pieces, atol=1e-5)


def test_a_saved_pipeline_loads_and_does_the_same(tiny, tmp_path):
    tiny.save_pretrained(tmp_path / "saved")
    loaded = load_pipeline(tmp_path / "saved")
    assert np.allclose(loaded(noisy_features(50)).values, tiny(noisy_features(50)).values, atol=1e-5)


def test_a_missing_or_incomplete_checkpoint_is_refused(tiny, tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint folder"):
        load_pipeline(tmp_path / "nowhere")
    tiny.save_pretrained(tmp_path / "saved")
    (tmp_path / "saved/denoiser/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="incomplete.*diffusion_pytorch_model"):
        load_pipeline(tmp_path / "saved")


def test_a_damaged_checkpoint_is_refused(tiny, tmp_path):
    tiny.save_pretrained(tmp_path / "saved")
    shutil.copy(tmp_path / "saved/scheduler/scheduler_config.json", tmp_path / "saved/denoiser/config.json")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_pipeline(tmp_path / "saved")


def test_a_checkpoint_of_another_version_is_refused(tiny, tmp_path):
    from safetensors.torch import load_file, save_file

    tiny.save_pretrained(tmp_path / "saved")
    for name in ("speech_encoder/model.safetensors", "denoiser/diffusion_pytorch_model.safetensors"):
        folder = tmp_path / name.split("/")[0]
        shutil.copytree(tmp_path / "saved", folder)
        weights = load_file(folder / name)
        save_file({f"other.{key}": value for key, value in weights.items()}, folder / name, {"format": "pt"})
        with pytest.raises(CheckpointError, match="another version|cannot be read"):
            load_pipeline(folder)


def test_rest_controls_are_closed_lips_and_a_still_head():
    motion = Motion(to_channels(np.zeros((3, len(LATENTS)), np.float32)), MOTION_FPS)
    assert not motion.values.any()
    assert not lip_gap(motion).any()


def test_gaze_moves_both_eyes_the_same_way():
    controls = np.zeros((2, len(LATENTS)), np.float32)
    controls[:, LATENT_INDEX["gazeX"]] = (0.5, -0.5)
    motion = Motion(to_channels(controls), MOTION_FPS)
    assert motion["eyeLookOutLeft"].tolist() == motion["eyeLookInRight"].tolist() == [0.5, 0.0]
    assert motion["eyeLookInLeft"].tolist() == motion["eyeLookOutRight"].tolist() == [0.0, 0.5]


def test_lip_gap_opens_with_the_jaw_and_shuts_with_mouth_close():
    rest = Motion.rest(0.1, MOTION_FPS)
    assert lip_gap(rest.with_channels(jawOpen=0.4)).min() == pytest.approx(0.4)
    assert lip_gap(rest.with_channels(jawOpen=0.4, mouthClose=0.4)).max() == 0
    assert lip_gap(rest.with_channels(mouthUpperUpLeft=0.5, mouthUpperUpRight=0.5)).min() > 0


# What the shipped checkpoint learned


def test_silence_keeps_the_mouth_closed(base):
    motion = base(extract_features(silence(4.0)), seed=0)
    assert lip_gap(motion).max() < CLOSED


def test_life_goes_on_through_a_pause_and_after_the_voice(base, voice):
    line = voice.samples[: 2 * voice.sample_rate]
    pause = 1e-4 * np.random.default_rng(0).standard_normal(8 * voice.sample_rate).astype(np.float32)
    motion = base(extract_features(Speech(np.concatenate([line, pause, line, pause]), voice.sample_rate)), seed=1)
    in_head = GAZE_RANGE_DEG * (motion["eyeLookOutLeft"] - motion["eyeLookInLeft"])
    gaze = in_head + EYES_AGAINST_HEAD[0] * motion["headYaw"]
    for rows in (slice(150, 500), slice(650, 1000)):  # 7 s each
        shut = motion["eyeBlinkLeft"][rows] > 0.8
        assert 1 <= (shut[1:] & ~shut[:-1]).sum() <= 7
        steps = np.diff(motion.values[rows, INDEX["headPitch"] : INDEX["headRoll"] + 1], axis=0) * MOTION_FPS
        assert (np.sqrt((steps**2).mean(axis=0)) > 2).all()  # degrees a second; people in pauses: 4 to 8
        jumps = np.abs(gaze[rows][3:] - gaze[rows][:-3]) > 1.0
        assert (jumps[1:] & ~jumps[:-1]).sum() >= 2 and jumps.mean() < 0.2


def test_speech_opens_the_mouth(spoken):
    assert np.quantile(lip_gap(spoken), 0.9) > 0.15
    assert np.quantile(spoken["jawOpen"], 0.95) > 0.12


def test_lips_are_closed_before_the_voice_starts(base, voice):
    late = Speech(np.pad(voice.samples, (voice.sample_rate * 2, 0)), voice.sample_rate)
    motion = base(extract_features(late), seed=0)
    assert np.quantile(lip_gap(motion)[: round(1.6 * MOTION_FPS)], 0.95) < CLOSED


def test_a_quiet_recording_moves_the_lips_as_much(base, voice, spoken):
    quiet = base(extract_features(Speech(voice.samples * 0.05, voice.sample_rate)), seed=0, duration_s=voice.duration_s)
    assert np.corrcoef(lip_gap(quiet), lip_gap(spoken))[0, 1] > 0.97


def test_a_face_in_silence_still_lives_and_blinks(base):
    motion = base(extract_features(silence(6.0)), seed=0)
    assert motion["eyeBlinkLeft"].max() > 0.6
    assert motion["headYaw"].std() > 0.1


def test_every_clip_of_three_seconds_blinks(base):
    features = extract_features(silence(3.0))
    assert all(base(features, seed=seed)["eyeBlinkLeft"].max() > 0.6 for seed in range(4))


def test_windows_leave_no_seam(base, voice):
    long = Speech(np.tile(voice.samples, 1 + 20 * voice.sample_rate // len(voice.samples)), voice.sample_rate)
    motion = base(extract_features(long), seed=0)
    steps = np.abs(np.diff(motion.values[:, [INDEX["jawOpen"], INDEX["headYaw"], INDEX["headPitch"]]], axis=0))
    net = WINDOW - OVERLAP - CONTEXT
    edges = np.arange(WINDOW - OVERLAP, len(steps), net)
    assert len(edges) > 4
    assert (steps[edges - 1].max(axis=0) <= 1.5 * np.quantile(steps, 0.99, axis=0)).all()


def test_seeds_share_the_lips_and_differ_in_the_head(base, voice, spoken):
    other = base(extract_features(voice), seed=1, duration_s=voice.duration_s)
    assert np.corrcoef(lip_gap(other), lip_gap(spoken))[0, 1] > 0.9
    assert np.corrcoef(other["headYaw"], spoken["headYaw"])[0, 1] < 0.9


def test_the_checkpoint_names_every_channel_it_moves(base):
    moved = {channel for _, gains in base.denoiser.config.latents for channel in gains}
    assert moved <= set(CHANNELS)
    assert {"jawOpen", "mouthClose", "eyeBlinkLeft", "headYaw", "browInnerUp"} <= moved
