"""Several people at once: each performs a motion of their own, and the whole is marked once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from animate import media, provenance
from animate.clock import frame_rate, num_frames
from animate.config import RenderConfig, parse_size
from animate.crop import output_size
from animate.errors import ConfigError
from animate.motion.direction import Direction
from animate.people.mixing import lasting, mixed
from animate.people.stage import ScaledStage, Stage, make_stage
from animate.pipeline import content_id, generate_motion
from animate.rights import examine, joint_consent, portrait_sha256, resolve_consent, restored_steps, visible_label
from animate.types import Consent, MarkedFrames, Motion, Portrait, Signer, Speech


@dataclass(frozen=True, eq=False)
class Performer:
    """Somebody in a group: a portrait, what it does, the files of what it says, and by what right."""

    portrait: Portrait
    motion: Motion
    voices: tuple[Speech, ...] = ()
    consent: Consent = field(default_factory=Consent)


@dataclass(frozen=True, eq=False)
class Group:
    """People who perform together, ready to be rendered; what `Clip` is for one.

    Attributes
    ----------
    performers : tuple of Performer
        With motions of the same length.
    stage : Stage
        Where they are seen.
    speech : Speech or None
        What is heard.
    config : RenderConfig
    allow_marked : bool
        Accept portraits that came out of this engine.
    """

    performers: tuple[Performer, ...]
    stage: Stage
    speech: Speech | None
    config: RenderConfig
    allow_marked: bool = False

    def frames(self) -> MarkedFrames:
        """Return the marked frames: a stream that can be iterated again and again.

        Raises
        ------
        RefusalError
            If one of the pictures is explicit, or marked and not allowed.
        ConfigError, ProvenanceError
            If the settings are for one person only, or the label cannot be drawn.
        """
        check_settings(self.config)
        portraits = [performer.portrait for performer in self.performers]
        motions = [performer.motion for performer in self.performers]
        pictures = pictures_of(portraits)
        findings = {sha256: examine(one, self.allow_marked) for sha256, one in pictures.items()}
        consent = joint_consent([performer.consent for performer in self.performers])
        config, rate = self.config, frame_rate(self.config.fps)
        words = visible_label(consent, config.label, config.label_language, config.label_font, config.label_text)
        size = output_size(self.stage.still.shape[1::-1], config.size)
        stage = self.stage if size == self.stage.still.shape[1::-1] else ScaledStage(self.stage, size)

        def frames() -> Iterator[np.ndarray]:
            drawn = stage.frames([motion.resampled(rate) for motion in motions])
            return provenance.labelled(drawn, words, stage.person) if words else drawn

        first, *others = findings
        return provenance.mark(
            frames,
            still=stage.still,
            fps=rate,
            num_frames=num_frames(motions[0].duration_s, rate),
            mark_id=content_id(stage.still, *(motion.values for motion in motions)),
            strength=config.mark_strength,
            origin=provenance.Origin(
                portrait_sha256=first,
                consent=consent,
                source_mark_id=findings[first].source_mark_id,
                restored=restored_steps(pictures[first]),
                guard={"explicit": max(found.explicit for found in findings.values())},
                further=(
                    *(
                        provenance.Ingredient(
                            f"portrait {place}",
                            sha256,
                            findings[sha256].source_mark_id,
                            restored_steps(pictures[sha256]),
                        )
                        for place, sha256 in enumerate(others, start=2)
                    ),
                    *(
                        provenance.Ingredient(f"voice {place}", sha256)
                        for place, sha256 in enumerate(self._unheard_files(), start=1)
                    ),
                ),
            ),
        )

    def _unheard_files(self) -> list[str]:
        """Return the hashes of the voices but for the one that is heard as it is, and noted when the file is sealed."""
        heard = self.speech.sha256 if self.speech else ""
        files = dict.fromkeys(voice.sha256 for performer in self.performers for voice in performer.voices)
        return [sha256 for sha256 in files if sha256 not in ("", heard)]

    def save(self, *paths: str | Path, signer: Signer | None = None, progress: bool = False) -> Path:
        """Write one or more files in one pass, as `Clip.save` does."""
        encoding = media.Encoding.of(self.config)
        media.check_targets(paths, encoding)
        frames = self.frames().signed_by(signer)
        return media.write_videos(paths, frames, self.speech, encoding, progress=progress)[0]


def check_settings(config: RenderConfig) -> None:
    """Raise what a group could not be rendered with.

    Raises
    ------
    ConfigError
        If it is to be cropped, cut out, or of an exact size.
    """
    if config.crop != "full" or config.alpha:
        raise ConfigError("crop and alpha are for one person at a time. Leave them out.")
    if isinstance(side := parse_size(config.size), tuple):
        raise ConfigError(f"Several people keep the proportions of their stage; use one side, such as {max(side)}.")


def perform_together(
    people: Mapping[int, Portrait],
    voices: Speech | Mapping[int, Speech],
    *,
    model=None,
    direction: Direction | None = None,
    consent: str | Consent | None = None,
    allow_marked: bool = False,
    config: RenderConfig | None = None,
    progress: bool = False,
) -> Group:
    """Let several people of one picture speak or sing at once.

    Parameters
    ----------
    people : mapping of int to Portrait
        From `read_people`.
    voices : Speech, or mapping of int to Speech
        One for all, as in a choir, or one for each; who has none stays still.
    model : AudioToMotionPipeline, optional
        The shipped checkpoint by default.
    direction : Direction, optional
        What happens when, for everybody; its camera cannot be followed.
    consent, allow_marked
        As for `Animator`, for everybody in the picture.
    config : RenderConfig, optional
        Everybody has a seed of their own: that of the config, plus their place.
    progress : bool
        Show bars on stderr.

    Raises
    ------
    ConfigError
        If a voice is for somebody who is not there, or the direction moves the camera.
    ProvenanceError, RefusalError, VoiceError
        As for `Animator`.

    Examples
    --------
    >>> people = animate.read_people("choir.jpg")                                        # doctest: +SKIP
    >>> perform_together(people, animate.read_voice("song.wav")).save("choir.mp4")       # doctest: +SKIP
    """
    from animate.pipeline import Animator

    config = config or RenderConfig()
    voices = dict.fromkeys(people, voices) if isinstance(voices, Speech) else dict(voices)
    if strangers := [str(number) for number in voices if number not in people]:
        raise ConfigError(f"There is no face {', '.join(strangers)} to give a voice to. Use {_listed(people)}.")
    if not voices:
        raise ConfigError(f"Nobody has a voice. Give one to {_listed(people)}.")
    if direction is not None and direction.moves_camera:
        raise ConfigError(
            "The camera cannot follow one of several people. Leave out camera_zoom, camera_x and camera_y."
        )
    rights = resolve_consent(next(iter(people.values())), consent)  # of the picture they share
    for portrait in pictures_of([people[number] for number in voices]).values():
        examine(portrait, allow_marked)
    model = model or Animator.from_pretrained().model
    duration_s = max(voice.duration_s for voice in voices.values())
    performers = []
    for place, number in enumerate(sorted(voices)):
        motion = generate_motion(
            lasting(voices[number], duration_s),
            model=model,
            direction=direction,
            config=replace(config, seed=config.seed + place),
            progress=progress,
        )
        performers.append(Performer(people[number], motion, (voices[number],), rights))
    heard = mixed(list({id(voice): voice for voice in voices.values()}.values()))
    stage = make_stage([performer.portrait for performer in performers], "picture")
    return Group(tuple(performers), stage, heard, config, allow_marked)


def pictures_of(portraits: Sequence[Portrait]) -> dict[str, Portrait]:
    """Return one portrait of each picture, by the picture's hash: what has to be examined."""
    return {portrait_sha256(portrait): portrait for portrait in portraits}


def _listed(people: Mapping[int, Portrait]) -> str:
    return ", ".join(str(number) for number in sorted(people))
