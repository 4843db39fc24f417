"""Portraits that come alive without a voice: a performance becomes a clip, and all of them a contact sheet."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from animate import provenance
from animate.channels import CHANNELS, INDEX, LIPS
from animate.config import VOICE_SETTINGS, RenderConfig, load_config
from animate.errors import ConfigError
from animate.motion.edits import crossfade, mask
from animate.motion.performances import play
from animate.motion.scripts import PERFORMANCES
from animate.pipeline import Clip, perform, read_portrait
from animate.rights import examine, portrait_sha256, resolve_consent, visible_label
from animate.types import Consent, MarkedFrames, Motion, Portrait

_PURSED = 0.5  # of mouthPucker; lips that purse so far meet
_SMILE_ROOM = 0.6  # of a smile that is not added to lips which are fully apart: they smile already, or cannot

_HAND_OVER_S = 0.4  # in which a performance passes into speech, before the first word, or speech into it

_COLUMNS, _TILE, _TITLE = 8, 160, 20  # frames of a performance on the sheet, and pixels
_HEAD_ROOM = 0.85  # of the face, from its middle to each side


def revive(
    portrait: str | Path | Portrait,
    performance: str = "gentle",
    *,
    duration_s: float = 8.0,
    loop: bool = False,
    consent: str | Consent | None = None,
    allow_marked: bool = False,
    config: RenderConfig | None = None,
    **overrides,
) -> Clip:
    """Make a portrait come alive without a voice.

    Parameters
    ----------
    portrait : path or Portrait
    performance : str
        One of `animate.motion.PERFORMANCES`.
    duration_s : float
        2 to 600 seconds, to the nearest frame.
    loop : bool
        The last frame passes into the first. Otherwise the clip begins and ends with the picture as it is.
    consent, allow_marked
        As for `animate.Animator`.
    config : RenderConfig, optional
    **overrides
        Fields of `RenderConfig`, such as ``seed=7`` or ``head_motion=0.5``.

    Returns
    -------
    Clip
        Nothing is rendered until its frames are asked for.

    Raises
    ------
    ConfigError
        If there is no such performance, a number is out of range, or an override has a meaning only with a voice.
    PortraitError, ProvenanceError, RefusalError
        As for `animate.Animator`.

    Examples
    --------
    >>> import animate
    >>> animate.revive("ada.jpg", "shy-smile", seed=7, loop=True).save("ada.mp4")     # doctest: +SKIP
    """
    if idle := [name for name in VOICE_SETTINGS if overrides.get(name) is not None]:
        raise ConfigError(f"{idle[0]} is for the generated motion of a voice; a performance has none. Leave it out.")
    config = load_config(RenderConfig, overrides={**vars(config or RenderConfig()), **overrides})
    motion = _played(performance, duration_s, config, loop)
    portrait = portrait if isinstance(portrait, Portrait) else read_portrait(portrait)
    clip = perform(portrait, motion, consent=consent, allow_marked=allow_marked, config=config)
    return clip.with_motion(_with_own_lips(motion, _rest_row(portrait)))


def with_performances(
    clip: Clip, *, before: str | None = None, after: str | None = None, duration_s: float = 4.0
) -> Clip:
    """Return a clip that speaks with a performance before it, after it, or both; the voice begins later.

    The camera of a direction follows the time of the whole.

    Parameters
    ----------
    clip : Clip
    before, after : str, optional
        Names of performances.
    duration_s : float
        Of each performance.

    Raises
    ------
    ConfigError
        If there is no such performance, or the duration is out of range.

    Examples
    --------
    >>> clip = animate.with_performances(clip, before="greeting", after="gentle")     # doctest: +SKIP
    """
    config, motion, speech, rest_row = clip.config, clip.motion, clip.speech, _rest_row(clip.portrait)
    if before is not None:
        first = _with_own_lips(_played(before, duration_s, config), rest_row)
        motion = crossfade(first, _held(motion, before_s=_HAND_OVER_S), _HAND_OVER_S)
        if speech is not None:
            silence = np.zeros(round(first.duration_s * speech.sample_rate), np.float32)
            speech = replace(speech, samples=np.concatenate([silence, speech.samples]))
    if after is not None:
        last = _with_own_lips(_played(after, duration_s, config), rest_row)
        motion = crossfade(_held(motion, after_s=_HAND_OVER_S), last, _HAND_OVER_S)
    return replace(clip, motion=motion, speech=speech)


def contact_sheet(
    portrait: str | Path | Portrait,
    *,
    consent: str | Consent | None = None,
    allow_marked: bool = False,
    config: RenderConfig | None = None,
) -> MarkedFrames:
    """Show a portrait in all performances.

    Parameters
    ----------
    portrait : path or Portrait
    consent, allow_marked
        As for `animate.Animator`.
    config : RenderConfig, optional
        Seed, mark and label.

    Returns
    -------
    MarkedFrames
        One picture: a strip of the head for each performance, under its name.

    Raises
    ------
    PortraitError, ProvenanceError, RefusalError
        As for `animate.Animator`.
    """
    portrait, config = portrait if isinstance(portrait, Portrait) else read_portrait(portrait), config or RenderConfig()
    consent = resolve_consent(portrait, consent)
    findings = examine(portrait, allow_marked)
    from animate.renderer import MeshRenderer

    renderer = MeshRenderer(portrait)
    sheet = np.vstack([_strip(name, renderer, _head_window(portrait), config.seed) for name in PERFORMANCES])
    words = visible_label(consent, config.label, config.label_language, config.label_font, config.label_text)
    nobody = np.zeros(sheet.shape[:2], np.float32)  # any corner will do
    return provenance.mark(
        lambda: provenance.labelled([sheet], words, nobody) if words else iter([sheet]),
        still=sheet,
        fps=1,
        num_frames=1,
        mark_id=hashlib.blake2b(sheet.data, digest_size=6).hexdigest(),
        strength=config.mark_strength,
        origin=provenance.Origin(
            portrait_sha256=portrait_sha256(portrait),
            consent=consent,
            source_mark_id=findings.source_mark_id,
            guard={"explicit": findings.explicit},
        ),
    )


def _played(performance: str, duration_s: float, config: RenderConfig, loop: bool = False) -> Motion:
    settings = {name: getattr(config, name) for name in ("seed", "fps", "expressiveness", "head_motion", "blink_rate")}
    return play(performance, duration_s, loop=loop, **settings)


def _held(motion: Motion, before_s: float = 0.0, after_s: float = 0.0) -> Motion:
    """Return a motion that waits in its first row before it begins, or in its last after it ended."""
    rows = [round(seconds * motion.fps) for seconds in (before_s, after_s)]
    values = np.pad(motion.values, (rows, (0, 0)), mode="edge")
    return Motion(values, motion.fps, motion.duration_s + sum(rows) / motion.fps)


def _strip(name: str, renderer, window: tuple[slice, slice], seed: int) -> np.ndarray:
    """Return frames of one performance side by side, uint8 [h, w, 3], under its name."""
    performance = PERFORMANCES[name]
    motion = _with_own_lips(play(name, performance.phrase_s, seed=seed), renderer.rest_row)
    spans = np.array_split(np.arange(len(motion)), _COLUMNS)
    chosen = [rows[np.argmax(_telling(motion)[rows])] for rows in spans]
    tiles = [_tile(renderer.draw(motion.values[row])[window]) for row in chosen]
    title = np.full((_TITLE, _TILE * _COLUMNS, 3), 24, np.uint8)
    words = f"{name}: {performance.what} ({performance.phrase_s:g} s)"
    cv2.putText(title, words, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA)
    return np.vstack([title, np.hstack(tiles)])


def _telling(motion: Motion) -> np.ndarray:
    """Return how much each row shows of what the face does, float [T]: not a blink, but a wink."""
    lids = np.stack([motion["eyeBlinkLeft"], motion["eyeBlinkRight"]])
    face, turned = mask(motion, ("lips", "brows", "cheeks", "gaze")).values, mask(motion, "head").values
    return face.sum(axis=1) + np.abs(turned).max(axis=1) / 10 + np.ptp(lids, axis=0) - 3 * lids.min(axis=0)


def _tile(head: np.ndarray) -> np.ndarray:
    height, width = head.shape[:2]
    interpolation = cv2.INTER_AREA if width > _TILE else cv2.INTER_CUBIC
    return cv2.resize(head, (_TILE, round(_TILE * height / width)), interpolation=interpolation)


def _head_window(portrait: Portrait) -> tuple[slice, slice]:
    """Return the rows and columns of the picture around the head, with room to move."""
    face = portrait.face.vertices[:, :2]
    centre, reach = (face.min(axis=0) + face.max(axis=0)) / 2, _HEAD_ROOM * np.ptp(face, axis=0).max()
    (left, top), (right, bottom) = (np.clip(centre + side * reach, 0, portrait.size).astype(int) for side in (-1, 1))
    return slice(top, bottom), slice(left, right)


def _rest_row(portrait: Portrait) -> np.ndarray:
    """Return the row that gives the picture back, float32 [58]; zero if its lips are together."""
    if np.array_equal(portrait.face.vertices, portrait.face.neutral):
        return np.zeros(len(CHANNELS), np.float32)
    from animate.renderer import MeshRenderer

    return MeshRenderer(portrait).rest_row


def _with_own_lips(motion: Motion, rest_row: np.ndarray) -> Motion:
    """Return a performance in which lips that are apart in the picture stay so.

    Speech has to close them; a performance has not, and skin that is drawn over the teeth of a smile never looks right.
    """
    values = motion.values.copy()
    apart = 1 - np.clip(motion["mouthPucker"] / _PURSED, 0, 1)
    for name in LIPS:
        values[:, INDEX[name]] = np.maximum(values[:, INDEX[name]], rest_row[INDEX[name]] * apart)
    widening = [INDEX[name + side] for name in ("mouthSmile", "mouthDimple") for side in ("Left", "Right")]
    values[:, widening] *= 1 - _SMILE_ROOM * rest_row.max()
    return replace(motion, values=values)
