"""The part of the command line about several people: `faces`, `converse`, and `render --face all`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from animate.cli.output import add_output_options, config_of, write
from animate.cli.portrait import ALL, add_detector, add_restore_option, say_restored
from animate.errors import ConfigError, PortraitError

SOME_CAN, NONE_CAN = 0, 1


def add_people(commands: argparse._SubParsersAction) -> None:
    """Add `faces` and `converse`."""
    faces = commands.add_parser("faces", help="list the faces of a picture; exit status 1 if none can be animated")
    faces.add_argument("picture")
    faces.add_argument("-o", "--output", metavar="PNG", help="also write a copy with the numbers drawn in")
    add_detector(faces)
    faces.add_argument("--json", action="store_true")
    faces.set_defaults(run=_faces)

    talk = commands.add_parser("converse", help="several portraits speak in turn and listen to each other")
    talk.add_argument("scene", metavar="SCENE", help=".yaml: people, turns, recording, layout (see the README)")
    add_detector(talk)
    add_restore_option(talk, "off")
    talk.add_argument("--allow-marked", action="store_true", help="accept portraits that came out of this engine")
    add_output_options(talk)
    talk.set_defaults(run=_converse)


def add_voices(render: argparse.ArgumentParser) -> None:
    """Add the flag that gives several people of a picture their own voices."""
    render.add_argument(
        "--voice",
        dest="voices",
        metavar="N=FILE",
        type=_voice,
        action="append",
        help="voice of face N, in place of one voice for all; may be given again; who has none stays still",
    )


def _voice(value: str) -> tuple[int, str]:
    number, _, file = value.partition("=")
    if not (number.isdigit() and file):
        raise argparse.ArgumentTypeError(f"{value!r} is no voice of a face; write it as 2=line.wav")
    return int(number), file


def is_together(options) -> bool:
    """Tell whether several people are to perform at once."""
    return options.face == ALL or bool(options.voices)


def render_together(options, config) -> int:
    """Render several people of one picture."""
    from animate.media import Encoding, check_targets
    from animate.people.group import check_settings, perform_together
    from animate.pipeline import Animator, read_scene, read_voice
    from animate.portrait import read_people
    from animate.speech import read_transcript

    if options.voices and (options.voice or options.face):
        raise ConfigError("--voice gives faces their own voices. Leave out --face and the one voice for all.")
    if options.voices and len(dict(options.voices)) < len(options.voices):
        raise ConfigError("--voice gives one face two voices. Leave one of them.")
    if options.motion or options.save_motion or options.report or options.captions:
        raise ConfigError("--motion, --save-motion, --captions and --report are for one face. Choose it with --face N.")
    check_settings(config)
    check_targets(options.output, Encoding.of(config))
    speech = None if options.voices else read_voice(options.voice)
    direction = read_scene(options.direction, speech, options.transcript and read_transcript(options.transcript))
    voices = speech or {number: read_voice(file) for number, file in options.voices}
    numbers = None if options.voices is None else sorted(voices)
    people = read_people(options.portrait, faces=numbers, detector=options.detector, restore=options.restore)
    say_restored(next(iter(people.values())), options)
    group = perform_together(
        people,
        voices,
        model=Animator.from_pretrained(options.checkpoint, device=options.device).model,
        direction=direction,
        consent=options.consent,
        allow_marked=options.allow_marked,
        config=config,
        progress=sys.stderr.isatty(),
    )
    write(group, options)
    return 0


def _converse(options) -> int:
    if options.report:
        raise ConfigError("--report is for one face: render it alone.")
    config = config_of(options)
    from animate.media import Encoding, check_targets
    from animate.people.conversation import converse
    from animate.people.group import check_settings, pictures_of
    from animate.people.scene import read_conversation
    from animate.pipeline import Animator

    check_settings(config)
    check_targets(options.output, Encoding.of(config))
    conversation = read_conversation(options.scene, detector=options.detector, restore=options.restore)
    for portrait in pictures_of([*conversation.people.values()]).values():
        say_restored(portrait, options)
    group = converse(
        conversation,
        model=Animator.from_pretrained(options.checkpoint, device=options.device).model,
        config=config,
        allow_marked=options.allow_marked,
        progress=sys.stderr.isatty(),
    )
    write(group, options)
    return 0


def _faces(options) -> int:
    from animate.media import check_png
    from animate.portrait import find_faces
    from animate.portrait.image import read_image
    from animate.portrait.turning import turn_in_words

    if options.output:
        check_png(options.output)
    image, sha256 = read_image(options.picture)
    faces = find_faces(image, detector=options.detector)
    if not faces:
        raise PortraitError(
            f"No face found in {options.picture}. Use a picture of people, with faces at least 96 px wide."
        )
    if options.output:
        _write_numbered(Path(options.output), image, faces, sha256)
    if options.json:
        print(json.dumps([_as_json(face) for face in faces], indent=2))
    else:
        for face in faces:
            left, top, right, bottom = face.box
            where = f"{face.number}: {right - left:.0f}x{bottom - top:.0f} px at {left:.0f}, {top:.0f}; "
            print(where + (face.reason or turn_in_words(face.pose.yaw_deg, face.turn_left_deg, face.turn_right_deg)))
    return SOME_CAN if any(face.can_be_animated for face in faces) else NONE_CAN


def _as_json(face) -> dict:
    pose = face.pose
    return {
        "number": face.number,
        "box": [round(side, 1) for side in face.box],
        "pitch_deg": round(pose.pitch_deg, 1),
        "yaw_deg": round(pose.yaw_deg, 1),
        "roll_deg": round(pose.roll_deg, 1),
        "turn_left_deg": face.turn_left_deg,
        "turn_right_deg": face.turn_right_deg,
        "can_be_animated": face.can_be_animated,
        "reason": face.reason,
    }


def _write_numbered(target: Path, image, faces, sha256: str) -> None:
    """Write the copy with the numbers, marked and signed like everything that leaves the engine."""
    from animate import provenance
    from animate.media import write_video
    from animate.portrait import draw_numbers

    drawn = draw_numbers(image, faces)
    origin = provenance.Origin(portrait_sha256=sha256)
    write_video(target, provenance.mark(lambda: iter([drawn]), still=drawn, fps=1, num_frames=1, origin=origin))
