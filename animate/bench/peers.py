"""Other watermarks through the same attacks: `invisible-watermark` (dwtDctSvd) and `blind-watermark`, if installed.

They mark every frame alone and carry 48 bits without a check; the bits are averaged over the frames that are looked
at, which is more help than their own tools give.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from animate.bench.attacks import Attack, x264
from animate.bench.watermark import Drawn, Quality, Trial, spread
from animate.errors import DependencyError

_LOOKED_AT = 4  # frames; blind-watermark takes seconds for each
_ID = 0x5A17C0FFEE42
_BITS = np.array([(_ID >> place) & 1 for place in reversed(range(48))])


def peers() -> dict[str, tuple[Callable, Callable]]:
    """Return name to embed (frame to marked frame) and read (frame to float [48]) of each peer.

    Raises
    ------
    DependencyError
        If one of them is not installed.
    """
    try:
        import blind_watermark
        import imwatermark
    except ImportError as error:
        raise DependencyError(
            f"{error.name} is not installed. Run: pip install invisible-watermark blind-watermark"
        ) from error
    blind_watermark.bw_notes.close()

    def embed_invisible(frame: np.ndarray) -> np.ndarray:
        encoder = imwatermark.WatermarkEncoder()
        encoder.set_watermark("bits", _BITS.tolist())
        return encoder.encode(np.ascontiguousarray(frame[..., ::-1]), "dwtDctSvd")[..., ::-1]

    def read_invisible(frame: np.ndarray) -> np.ndarray:
        decoder = imwatermark.WatermarkDecoder("bits", 48)
        return np.asarray(decoder.decode(np.ascontiguousarray(frame[..., ::-1]), "dwtDctSvd"), float)

    def embed_blind(frame: np.ndarray) -> np.ndarray:
        marker = blind_watermark.WaterMark(password_img=1, password_wm=1)
        marker.read_img(img=np.ascontiguousarray(frame[..., ::-1]))
        marker.read_wm(_BITS.astype(bool), mode="bit")
        return np.clip(marker.embed(), 0, 255).astype(np.uint8)[..., ::-1]

    def read_blind(frame: np.ndarray) -> np.ndarray:
        marker = blind_watermark.WaterMark(password_img=1, password_wm=1)
        return marker.extract(embed_img=np.ascontiguousarray(frame[..., ::-1]), wm_shape=48, mode="bit")

    return {
        "invisible-watermark": (embed_invisible, read_invisible),
        "blind-watermark": (embed_blind, read_blind),
    }


def measure_peer(
    peer: str, drawn: Drawn, attacks: Iterable[Attack], known: Iterable[Quality | Trial] = ()
) -> Iterator[Trial]:
    """Yield the trials of one peer on one clip but those known; those for portraits of another size are left out."""
    trials = [result for result in known if isinstance(result, Trial)]
    tried = {trial.attack for trial in trials if (trial.peer, trial.clip) == (peer, drawn.name)}
    attacks = [attack for attack in attacks if not attack.portrait_px and attack not in tried]
    if not attacks:
        return
    embed, read = peers()[peer]
    marked = [np.ascontiguousarray(embed(frame)) for frame in drawn.draw()]
    file = list(x264(18)(iter(marked)))  # as our own clips are written
    for attack in attacks:
        seen = spread(attack(iter(file)), _LOOKED_AT)
        start = time.perf_counter()
        try:
            bits = np.mean([read(frame) for frame in seen], axis=0) > 0.5
        except (ValueError, IndexError, AssertionError, RuntimeError):  # pictures too small for them
            bits = np.zeros(48, bool)
        found = f"{int(''.join('01'[bit] for bit in bits.astype(int)), 2):012x}"
        agreement = float(np.mean(bits == _BITS))
        yield Trial(attack, drawn.name, found, agreement, time.perf_counter() - start, peer)
