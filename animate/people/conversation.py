"""Conversation: several portraits speak in turn; who does not speak listens.

>>> import animate
>>> animate.converse(animate.read_conversation("talk.yaml")).save("talk.mp4")           # doctest: +SKIP
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from animate.config import RenderConfig
from animate.errors import ConfigError
from animate.motion.listening import Attention, attentive, with_nods
from animate.people.group import Group, Performer, pictures_of
from animate.people.stage import make_stage, places
from animate.people.turns import Turn
from animate.pipeline import Animator, generate_motion
from animate.rights import examine, resolve_consent
from animate.types import Motion, Portrait, Speech

_GAZE_DEG, _GAZE_FAR = np.array([15.0, 9.0]), 5.0  # to the side and up, towards somebody many eye distances away
_CAMERA_EARLY_S, _SHORTEST_SHOT_S = 0.12, 1.0
_BLOCK_S, _QUIET_DB, _PHRASE_PAUSE_S = 0.02, -30.0, 0.22  # by which the ends of phrases are heard


@dataclass(frozen=True, eq=False)
class Conversation:
    """What is needed to render a conversation; `animate.people.scene` reads and checks it.

    Attributes
    ----------
    people : dict of str to Portrait
    consents : dict of str to str or None
        As for `Animator`.
    turns : tuple of Turn
        With times, in the order of their beginnings.
    tracks : dict of str to Speech
        What each one says, on the time of the whole; people who never speak have none.
    sources : dict of str to tuple of Speech
        The files it is from.
    speech : Speech
        What is heard.
    layout : str or None
        As for `make_stage`.
    """

    people: dict[str, Portrait]
    consents: dict[str, str | None]
    turns: tuple[Turn, ...]
    tracks: dict[str, Speech]
    sources: dict[str, tuple[Speech, ...]]
    speech: Speech
    layout: str | None = None


def converse(
    conversation: Conversation,
    *,
    model=None,
    config: RenderConfig | None = None,
    allow_marked: bool = False,
    progress: bool = False,
) -> Group:
    """Let people speak in turn, and listen to each other.

    Parameters
    ----------
    conversation : Conversation
    model : AudioToMotionPipeline, optional
        The shipped checkpoint by default.
    config : RenderConfig, optional
        Everybody has a seed of their own: that of the config, plus their place.
    allow_marked : bool
        Accept portraits that came out of this engine.
    progress : bool
        Show bars on stderr.

    Returns
    -------
    Group
        Nothing is rendered until its frames are asked for.

    Raises
    ------
    ConfigError
        If the layout does not fit the pictures, or a gaze is set.
    ProvenanceError, RefusalError, VoiceError
        As for `Animator`, for any of the people.
    """
    config = config or RenderConfig()
    if config.gaze_x_deg or config.gaze_y_deg:
        raise ConfigError("In a conversation people look at who speaks, so a gaze has no effect. Leave it out.")
    names, portraits = list(conversation.people), list(conversation.people.values())
    declared_first = sorted(names, key=lambda name: conversation.consents[name] is None)  # it counts for the picture
    rights = {name: resolve_consent(conversation.people[name], conversation.consents[name]) for name in declared_first}
    for portrait in pictures_of(portraits).values():
        examine(portrait, allow_marked)
    stage = make_stage(portraits, conversation.layout, _camera(conversation.turns, names))
    model = model or Animator.from_pretrained().model
    performers = []
    for place, name in enumerate(names):
        motion = _motion(conversation, name, model, replace(config, seed=config.seed + place), progress)
        performers.append(
            Performer(conversation.people[name], motion, conversation.sources.get(name, ()), rights[name])
        )
    return Group(tuple(performers), stage, conversation.speech, config, allow_marked)


def _motion(conversation: Conversation, name: str, model, config: RenderConfig, progress: bool) -> Motion:
    """Return what one of the people does: speaks in the own turns and listens in those of the others."""
    speaks = name in conversation.tracks
    own = [(turn.start_s, turn.end_s) for turn in conversation.turns if turn.who == name]
    duration_s = conversation.speech.duration_s
    motion = generate_motion(
        # Who never speaks moves with what is heard, half as much, the mouth at rest.
        conversation.tracks[name] if speaks else conversation.speech,
        model=model,
        direction=attentive(_attention(conversation, name), own, duration_s, config.seed),
        config=config if speaks else replace(config, head_motion=0.5 * config.head_motion),
        progress=progress,
    )
    return with_nods(motion, _nods_at(conversation, name), config.seed)


def _attention(conversation: Conversation, name: str) -> list[Attention]:
    """Return whom one looks at: the one who speaks, and while speaking the one who spoke before, or will."""
    names, turns = list(conversation.people), conversation.turns
    where = places(list(conversation.people.values()))
    attention = []
    for number, turn in enumerate(turns):
        speaking = turn.who == name
        near = [*reversed(turns[:number]), *turns[number + 1 :]] if speaking else [turn]
        other = next((one.who for one in near if one.who != name), None)
        if other is None:
            continue
        aside, below = where[names.index(other)] - where[names.index(name)]
        gaze = _GAZE_DEG * np.tanh(np.array([aside, -below]) / _GAZE_FAR)
        attention.append(Attention(turn.start_s, (float(gaze[0]), float(gaze[1])), speaking))
    return attention


def _nods_at(conversation: Conversation, name: str) -> list[float]:
    """Return the ends of phrases of others, in seconds, at which one is silent."""
    own = [turn for turn in conversation.turns if turn.who == name]
    ends = [end for other, track in conversation.tracks.items() if other != name for end in phrase_ends(track)]
    return sorted(end for end in ends if not any(turn.start_s - 0.5 < end < turn.end_s for turn in own))


def phrase_ends(voice: Speech) -> list[float]:
    """Return when a voice pauses, in seconds.

    Examples
    --------
    >>> tone = np.sin(np.arange(16000) * 0.1).astype(np.float32)
    >>> [round(end, 1) for end in phrase_ends(Speech(np.concatenate([tone, 0 * tone]), 16000))]
    [1.0]
    """
    block = max(1, round(_BLOCK_S * voice.sample_rate))
    blocks = voice.samples[: len(voice.samples) // block * block].reshape(-1, block)
    level_db = 10 * np.log10((blocks**2).mean(axis=1) + 1e-12)
    sounding = np.flatnonzero(level_db > np.percentile(level_db[level_db > -100], 95) + _QUIET_DB)
    gaps = np.diff(sounding, append=len(blocks) + sounding[-1])
    return [float((place + 1) * _BLOCK_S) for place in sounding[gaps * _BLOCK_S > _PHRASE_PAUSE_S]]


def _camera(turns: tuple[Turn, ...], names: list[str]) -> Callable[[float], int]:
    """Return whom the camera sees at a time: who speaks; it passes over words thrown in while another goes on."""
    shots, seen = [], None
    for turn, following in zip(turns, [*turns[1:], None]):
        is_thrown_in = seen and (turn.start_s < seen.end_s or (following and following.who == seen.who))
        if not is_thrown_in or turn.end_s - turn.start_s > _SHORTEST_SHOT_S:
            shots.append((turn.start_s - _CAMERA_EARLY_S, names.index(turn.who)))
            seen = turn
    starts = [start_s for start_s, _ in shots]
    return lambda time_s: shots[max(0, bisect_right(starts, time_s) - 1)][1]
