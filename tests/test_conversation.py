"""Who speaks when, who listens, and what is refused before anything is rendered."""

import json

import numpy as np
import pytest
import skimage.data
import soundfile
import yaml
from PIL import Image

import animate
from animate.channels import INDEX
from animate.cli import main
from animate.config import RenderConfig
from animate.errors import AnimateError, ConfigError
from animate.motion.direction import SPEECH
from animate.motion.listening import Attention, attentive, with_nods
from animate.people.conversation import _camera, converse
from animate.people.scene import read_conversation
from animate.people.stage import make_stage, places
from animate.people.turns import Turn, read_turns, turns_from
from animate.types import Motion

RATE = 16000


def bust():
    return skimage.data.astronaut()[:300, 80:380]


def line(path, seconds, pitch):
    """A voice-like tone in syllables."""
    times = np.arange(round(seconds * RATE)) / RATE
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * times) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * times)), RATE)


@pytest.fixture
def folder(tmp_path):
    Image.fromarray(bust()).save(tmp_path / "ada.png")
    Image.fromarray(bust()[:, ::-1]).save(tmp_path / "bob.png")
    for name, pitch in (("ada.wav", 220), ("bob.wav", 120)):
        line(tmp_path / name, 1.0, pitch)
    line(tmp_path / "talk.wav", 3.0, 150)
    return tmp_path


def scene(folder, **changes):
    described = {
        "people": {
            "ada": {"portrait": "ada.png", "voice": "ada.wav", "consent": "fictional"},
            "bob": {"portrait": "bob.png", "voice": "bob.wav", "consent": "fictional"},
        },
        **changes,
    }
    path = folder / "talk.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in described.items() if value is not None}))
    return path


def test_without_turns_people_speak_one_after_the_other(folder):
    talk = read_conversation(scene(folder))
    assert [turn.who for turn in talk.turns] == ["ada", "bob"]
    assert talk.turns[0].end_s == pytest.approx(1.0) and talk.turns[1].start_s == pytest.approx(1.3)
    ada, bob = (talk.tracks[name] for name in ("ada", "bob"))
    middle = round(1.15 * ada.sample_rate)
    assert np.abs(ada.samples[middle:]).max() == 0 and np.abs(bob.samples[:middle]).max() == 0
    assert np.abs(bob.samples[middle:]).max() > 0.1
    assert talk.speech.duration_s == pytest.approx(ada.duration_s)


def test_turns_cut_a_recording(folder):
    (folder / "talk.rttm").write_text(
        "SPKR-INFO talk 1 <NA> <NA> <NA> unknown bob <NA> <NA>\n"
        "SPEAKER talk 1 1.5 1.0 <NA> <NA> bob <NA> <NA>\nSPEAKER talk 1 0 1.2 <NA> <NA> ada <NA> <NA>\n"
    )
    people = {"ada": {"portrait": "ada.png"}, "bob": {"portrait": "bob.png"}}
    talk = read_conversation(scene(folder, people=people, recording="talk.wav", turns="talk.rttm"))
    assert [(turn.who, turn.start_s) for turn in talk.turns] == [("ada", 0.0), ("bob", 1.5)]
    heard = talk.speech.samples
    assert len(heard) == 3 * RATE
    bob = talk.tracks["bob"].samples
    assert np.allclose(
        bob[round(1.6 * RATE) : round(2.4 * RATE)], heard[round(1.6 * RATE) : round(2.4 * RATE)], atol=1e-3
    )
    assert np.abs(bob[: round(1.49 * RATE)]).max() == 0


def test_the_speaker_moves_the_mouth_and_the_listener_does_not(folder, animator):
    group = converse(read_conversation(scene(folder)), model=animator.model)
    ada, bob = (performer.motion for performer in group.performers)
    speech = [INDEX[name] for name in SPEECH]
    first, second = slice(5, 40), slice(80, 110)  # 0.1 to 0.8 s and 1.6 to 2.2 s
    assert ada.values[first, speech].max() > 0.1 and bob.values[first, speech].max() < 0.02
    assert bob.values[second, speech].max() > 0.1 and ada.values[second, speech].max() < 0.02


def test_the_listener_looks_to_the_speaker(folder, animator):
    group = converse(read_conversation(scene(folder)), model=animator.model)
    ada, bob = (performer.motion for performer in group.performers)
    # Bob is on the right of the picture, so Ada, whose left is there, turns that way.
    assert ada["headYaw"][100:].mean() > 1.0 and bob["headYaw"][50:].mean() < 0.0
    assert ada["eyeLookOutLeft"][100:].mean() > ada["eyeLookInLeft"][100:].mean() + 0.05


def test_a_conversation_is_written_marked_with_all_its_sources(folder, animator):
    group = converse(read_conversation(scene(folder)), model=animator.model)
    verdict = animate.verify(group.save(folder / "talk.mp4"))
    assert verdict.marked and verdict.credentials.consent == "fictional"
    import c2pa

    manifest = json.loads(c2pa.Reader(str(folder / "talk.mp4")).json())
    parts = manifest["manifests"][manifest["active_manifest"]]["ingredients"]
    assert sorted(part["title"] for part in parts) == ["portrait", "portrait 2", "voice 1", "voice 2"]


def test_one_without_consent_gives_the_whole_a_label(folder, animator):
    people = yaml.safe_load(scene(folder).read_text())["people"]
    people["bob"]["consent"] = "undeclared"
    group = converse(read_conversation(scene(folder, people=people)), model=animator.model)
    declared = converse(read_conversation(scene(folder)), model=animator.model)
    assert not np.array_equal(next(iter(group.frames())), next(iter(declared.frames())))
    assert animate.verify(group.save(folder / "talk.mp4")).credentials.consent == "undeclared"


def test_a_gaze_that_would_have_no_effect_is_refused(folder):
    with pytest.raises(ConfigError, match="look at who speaks"):
        converse(read_conversation(scene(folder)), config=RenderConfig(gaze_x_deg=10.0))


def test_layouts_have_their_sizes(folder):
    talk = read_conversation(scene(folder))
    portraits = list(talk.people.values())
    assert make_stage(portraits, "side-by-side").still.shape == (300, 600, 3)
    assert make_stage(portraits, "cut", lambda time_s: 0).still.shape == (300, 300, 3)
    with pytest.raises(ConfigError, match="in one picture.*side-by-side"):
        make_stage(portraits, "picture")


def test_the_camera_passes_over_words_thrown_in_but_shows_a_short_answer():
    said = [("ada", 0, 4), ("bob", 2, 2.5), ("ada", 4.5, 6), ("bob", 6.2, 6.8), ("ada", 7, 9), ("bob", 9.3, 10)]
    seen = _camera(tuple(Turn(who, start_s=start, end_s=end) for who, start, end in said), ["ada", "bob"])
    assert [seen(time_s) for time_s in (1, 2.2, 6.5, 8, 9.5)] == [0, 0, 0, 0, 1]


def test_the_camera_cuts_to_who_speaks(folder):
    portraits = list(read_conversation(scene(folder)).people.values())
    stage = make_stage(portraits, "cut", lambda time_s: int(time_s >= 0.1))
    rest = Motion.rest(0.2, 25)
    frames = list(stage.frames([rest, rest]))
    own = [np.abs(frame.astype(int) - portraits[0].image).mean() for frame in frames]
    assert own[0] < 5 and own[-1] > 20


def test_places_are_left_to_right(folder):
    ada, bob = places(list(read_conversation(scene(folder)).people.values()))
    assert bob[0] - ada[0] > 3 and ada[1] == bob[1]


PEOPLE = {"ada": {"portrait": "ada.png", "voice": "ada.wav"}, "bob": {"portrait": "bob.png"}}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"people": None}, "people"),
        ({"peple": {}}, "no key 'peple'.*'people'"),
        ({"layout": "side-by-sid"}, "layout.*'side-by-side'"),
        ({"people": {"ada": {"voice": "ada.wav"}}}, "people.ada: the portrait is missing"),
        ({"people": {"ada": {"portrait": "ada.png", "vioce": "ada.wav"}}}, "people.ada has no key 'vioce'.*'voice'"),
        ({"people": {"ada": {"portrait": "eve.png", "voice": "ada.wav"}}}, "people.ada.portrait: There is no file"),
        ({"people": {"ada": {"portrait": "ada.png", "voice": "none.wav"}}}, "people.ada.voice: There is no file"),
        ({"people": {"ada": {"portrait": "ada.png", "face": 4, "voice": "ada.wav"}}}, "no face 4"),
        ({"people": {"ada": {"portrait": "ada.png"}}}, "nobody speaks"),
        ({"people": PEOPLE, "turns": [{"who": "bob"}]}, r"turn 1 \(bob\): there is nothing to say"),
        ({"people": PEOPLE, "turns": [{"who": "bop"}]}, "'bop' speaks but is not among the people.*'bob'"),
        ({"people": PEOPLE, "turns": [{"who": "ada", "end_s": -1}]}, "turn 1: end_s is -1"),
        (
            {"people": PEOPLE, "turns": [{"who": "ada", "start_s": 0.5, "end_s": 9}]},
            "ends at 9 s, but ada.wav lasts 1.00 s",
        ),
        ({"people": PEOPLE, "recording": "talk.wav"}, "turns are missing"),
        ({"people": PEOPLE, "recording": "talk.wav", "turns": [{"who": "bob"}]}, "start_s and end_s are missing"),
        ({"turns": [{"who": "ada"}, {"who": "ada", "start_s": 0.5}]}, "begins at 0.5 s while still speaking"),
        ({"turns": "none.rttm"}, "none.rttm"),
        ({"turns": "turns.txt"}, "turns.txt.*rttm"),
        ({"people": {"ada": PEOPLE["ada"], "bob": {"portrait": "ada.png"}}}, "ada and bob are in the same picture"),
    ],
)
def test_a_mistake_in_a_scene_is_named_and_nothing_is_rendered(folder, capsys, changes, message):
    path = scene(folder, **changes)
    before = sorted(folder.rglob("*"))
    with pytest.raises(AnimateError, match=message):
        read_conversation(path)
    assert main(["converse", str(path), "-o", str(folder / "out.mp4")]) == 2
    assert "Traceback" not in capsys.readouterr().err and sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "line, message",
    [
        ("SPEAKER talk 1 0.5 1.0", "line 2: SPEAKER has 5 fields"),
        ("SPEAKER talk 1 soon 1.0 <NA> <NA> ada", "line 2: start is 'soon'"),
        ("SPEAKER talk 1 0.5 -1 <NA> <NA> ada", "line 2: duration is '-1'"),
        ("SPEAKER talk 1 0.5 0 <NA> <NA> ada", "line 2: ada stops at 0.5 s"),
    ],
)
def test_a_wrong_line_of_rttm_is_named(tmp_path, line, message):
    (tmp_path / "talk.rttm").write_text(f"SPEAKER talk 1 0 0.5 <NA> <NA> ada <NA> <NA>\n{line}\n")
    with pytest.raises(ConfigError, match=message):
        read_turns(tmp_path / "talk.rttm")


def test_rttm_and_json_say_the_same(tmp_path):
    (tmp_path / "talk.rttm").write_text("SPEAKER talk 1 0.5 1.0 <NA> <NA> ada <NA> <NA>\n")
    segments = [{"speaker": "ada", "start": 0.5, "end": 1.5, "text": "hello", "words": []}]
    (tmp_path / "talk.json").write_text(json.dumps({"segments": segments}))
    assert read_turns(tmp_path / "talk.rttm") == read_turns(tmp_path / "talk.json")


@pytest.mark.parametrize(
    "text, message",
    [
        ("[", "line 1: this is not JSON"),
        ("{}", "a list"),
        ('[{"who": "ada"}]', "turn 1: start_s and end_s"),
        ("[3]", "turn 1 is 3"),
    ],
)
def test_wrong_json_is_explained(tmp_path, text, message):
    (tmp_path / "talk.json").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_turns(tmp_path / "talk.json")


def test_an_unknown_key_of_a_turn_names_the_nearest():
    with pytest.raises(ConfigError, match="turn 1 has 'star_s'.*'start_s'"):
        turns_from([{"who": "ada", "star_s": 1}], "scene")


def test_the_mouth_rests_but_in_ones_own_turns():
    directed = attentive([], [(1.0, 2.0)], 4.0, seed=0)
    assert directed.hold == ((0.0, 0.8), (2.2, 4.0))


def test_gaze_follows_after_a_moment_and_less_while_speaking():
    times = np.array([0.9, 1.1, 2.9])
    listening = attentive([Attention(1.0, (12.0, 0.0), False)], [], 4.0, seed=0).curve("gaze", times, 0.0)[:, 0]
    assert listening[0] == listening[1] == 0 and listening[2] == pytest.approx(12)
    speaking = attentive([Attention(1.0, (12.0, 0.0), True)], [(1.0, 3.0)], 4.0, seed=0)
    assert speaking.curve("gaze", times, 0.0)[2, 0] == pytest.approx(6)


def test_nods_go_down_at_phrase_ends_and_nowhere_else():
    still = Motion.rest(6.0, 50)
    assert np.array_equal(with_nods(still, [], 0).values, still.values)
    pitch = with_nods(still, [2.0], 1)["headPitch"]
    assert pitch.min() < -2 and pitch.max() <= 0
    assert np.abs(pitch[:100]).max() == 0 and np.abs(pitch[-100:]).max() < 1e-9
