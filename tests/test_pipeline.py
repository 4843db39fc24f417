"""The whole way, with the shipped checkpoint and the shipped example."""

from dataclasses import replace

import numpy as np
import pytest

import animate
from animate.channels import HEAD


def first_seconds(speech, seconds):
    return replace(speech, samples=speech.samples[: round(seconds * speech.sample_rate)])


def test_the_readme_example_works(tmp_path, animator, astronaut, voice):
    clip = animator(astronaut, first_seconds(voice, 1.5), seed=7)
    path = clip.save(tmp_path / "ada.mp4")
    verdict = animate.verify(path)
    assert verdict.marked and verdict.mark_id == clip.frames().mark_id


def test_frames_are_fresh_and_the_same_each_time(animator, astronaut, voice):
    frames = animator(astronaut, first_seconds(voice, 0.4)).frames()
    first, second = list(frames), list(frames)
    assert len(first) == frames.num_frames == 10
    assert all(np.array_equal(a, b) for a, b in zip(first, second))


def test_frames_keep_the_size_of_the_picture(animator, astronaut, voice):
    frame = next(iter(animator(astronaut, first_seconds(voice, 0.2)).frames()))
    assert frame.shape == astronaut.image.shape and frame.dtype == np.uint8


def test_the_same_seed_repeats_and_another_seed_differs(animator, astronaut, voice):
    short = first_seconds(voice, 1.0)
    motions = [animator(astronaut, short, seed=seed).motion.values for seed in (1, 1, 2)]
    assert np.array_equal(motions[0], motions[1])
    assert not np.allclose(motions[0], motions[2])


def test_an_edited_motion_can_be_rendered(animator, astronaut, voice):
    clip = animator(astronaut, first_seconds(voice, 0.4))
    still = clip.with_motion(clip.motion.with_channels(**dict.fromkeys(HEAD, 0.0)))
    assert not np.array_equal(next(iter(still.frames())), next(iter(clip.frames())))


def test_the_stages_work_by_hand(tmp_path, astronaut, voice):
    motion = animate.generate_motion(first_seconds(voice, 0.5), seed=3, num_inference_steps=2)
    frames = animate.render(astronaut, motion, fps=29.97, mark_id="0123456789ab")
    assert frames.num_frames == 15
    from animate import media

    assert animate.verify(media.write_video(tmp_path / "by_hand.mp4", frames)).mark_id == "0123456789ab"


def test_an_unknown_setting_is_refused(animator, astronaut, voice):
    with pytest.raises(animate.AnimateError, match="'seed'"):
        animator(astronaut, voice, sede=7)


def test_a_missing_checkpoint_is_explained(tmp_path):
    with pytest.raises(animate.AnimateError, match=str(tmp_path)):
        animate.Animator.from_pretrained(tmp_path)


@pytest.mark.parametrize("picture", ["painting_mona_lisa.jpg", "statue_terracotta.jpg", "photo_einstein_bw.jpg"])
def test_paintings_statues_and_old_prints_speak(shared, animator, tmp_path, picture):
    source = shared / "portraits" / picture
    voice = animate.read_voice(shared / "speech" / "en_radio.wav")
    path = animator(source, first_seconds(voice, 1.2)).save(tmp_path / "out.mp4")
    assert animate.verify(path).marked
    assert not animate.verify(source).marked
