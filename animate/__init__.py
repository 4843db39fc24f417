"""A talking-portrait engine: one still picture and a voice become lip-synced, watermarked video.

Examples
--------
>>> import animate
>>> animator = animate.Animator.from_pretrained()                   # doctest: +SKIP
>>> animator("ada.jpg", "line.wav", seed=7).save("ada.mp4")         # doctest: +SKIP
"""

from importlib import import_module

__version__ = "0.1.0"

# Names resolve on first use, so that `import animate` and `animate-portrait --help` do not load torch.
_HOMES = {
    "Animator": "animate.pipeline",
    "Clip": "animate.pipeline",
    "RenderConfig": "animate.config",
    "Direction": "animate.motion.direction",
    "read_portrait": "animate.pipeline",
    "find_faces": "animate.portrait",
    "read_people": "animate.portrait",
    "Face": "animate.portrait",
    "Group": "animate.people",
    "Performer": "animate.people",
    "perform_together": "animate.people",
    "Conversation": "animate.people",
    "read_conversation": "animate.people",
    "converse": "animate.people",
    "read_voice": "animate.pipeline",
    "generate_motion": "animate.pipeline",
    "revive": "animate.reviving",
    "with_performances": "animate.reviving",
    "render": "animate.pipeline",
    "save_motion": "animate.interchange",
    "load_motion": "animate.interchange",
    "restore": "animate.restoration",
    "Restored": "animate.restoration",
    "verify": "animate.pipeline",
    "track": "animate.tracking",
    "drive": "animate.driving",
    "AnimateError": "animate.errors",
    "Consent": "animate.types",
    "Credentials": "animate.types",
    "Portrait": "animate.types",
    "FaceMesh": "animate.types",
    "HeadPose": "animate.types",
    "Speech": "animate.types",
    "SpeechFeatures": "animate.types",
    "Word": "animate.types",
    "Motion": "animate.types",
    "MarkedFrames": "animate.types",
    "Signer": "animate.types",
    "Treatment": "animate.types",
    "Verdict": "animate.types",
}
__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'animate' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__():
    return sorted(__all__)
