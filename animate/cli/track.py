"""The part of the command line that is about performances out of videos: `track`, and how `render` follows one."""

from __future__ import annotations

import argparse
import sys

from animate.cli.portrait import face_number


def add_track(commands: argparse._SubParsersAction) -> None:
    """Add `track`."""
    track = commands.add_parser("track", help="follow the face in a video; its motion drives any portrait")
    track.add_argument("video", help="any video of a face")
    track.add_argument("-o", "--output", required=True, help="the motion to write: .npz, .json, .csv, .glb or .gltf")
    track.add_argument(
        "--face", type=face_number, metavar="N", help="which face, from the left from 1 (default: the largest)"
    )
    track.set_defaults(run=_track)


def add_driving(render: argparse.ArgumentParser) -> None:
    """Add the flags that say how `render` follows a motion that is given."""
    render.add_argument(
        "--motion-mode",
        metavar="MODE",
        help="absolute (default): the motion as it stands; relative: head, gaze and brows around the middle of the "
        "motion, so that the portrait keeps its attitude",
    )
    render.add_argument(
        "--motion-parts",
        metavar="LIST",
        help="what follows the motion, of pose,eyes,brows,lips (default all); the rest is generated from the voice, or "
        "rests if there is none",
    )


def _track(options) -> int:
    from animate.interchange import check_motion_target, save_motion
    from animate.tracking import track_video

    check_motion_target(options.output)
    tracking = track_video(options.video, face=options.face, progress=sys.stderr.isatty())
    print(tracking.summary(), file=sys.stderr)
    print(save_motion(tracking.motion, options.output))
    return 0
