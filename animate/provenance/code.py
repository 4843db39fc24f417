"""From a mark's id to coded bits and back: a check, then a convolutional code with a soft decoder.

The message is 80 bits: the id (48), a version (8) and a CRC (24). A convolutional code of rate 1/3 and constraint
length 9 with generators 557, 663, 711 (octal; 3GPP TS 25.212, 4.2.3.1) turns it, and 8 zero bits that end the
trellis, into 264 coded bits. The decoder is Viterbi's on soft values (Viterbi 1967).
"""

from __future__ import annotations

import hashlib

import numpy as np

VERSION = 1
_ID_BITS, _VERSION_BITS, _CRC_BITS = 48, 8, 24
_MESSAGE_BITS = _ID_BITS + _VERSION_BITS + _CRC_BITS
_MEMORY = 8  # bits of state; the constraint length is one more
NUM_CODED = 3 * (_MESSAGE_BITS + _MEMORY)
_LIST = 32  # messages that are tried against the check
_CRC_POLYNOMIAL = 0x864CFB  # CRC-24 of OpenPGP (RFC 4880, 6.1)


def _outputs() -> np.ndarray:
    """Return what the coder sends, as int8 [512, 3] of +1 (bit 0) and -1, for each content of its register."""
    register = np.arange(1 << (_MEMORY + 1))
    taps = register[:, None] & np.array([0o557, 0o663, 0o711])  # [512, 3]
    parity = np.array([[int(value).bit_count() & 1 for value in row] for row in taps])
    return (1 - 2 * parity).astype(np.int8)


_OUTPUTS = _outputs()
_STATES = np.arange(1 << _MEMORY)  # state: the last 8 bits, the newest in the lowest place


def encode(mark_id: int, key: bytes) -> np.ndarray:
    """Return the coded bits of an id, int8 [264] of +1 (bit 0) and -1 (bit 1).

    Examples
    --------
    >>> encode(0xC0FFEE, b"key").shape
    (264,)
    """
    body = (mark_id << _VERSION_BITS) | VERSION
    message = (body << _CRC_BITS) | _crc(body, key)
    register, coded = 0, []
    for place in reversed(range(-_MEMORY, _MESSAGE_BITS)):  # negative places: the zeros that end the trellis
        bit = (message >> place) & 1 if place >= 0 else 0
        register = ((register << 1) | bit) & ((2 << _MEMORY) - 1)
        coded.append(_OUTPUTS[register])
    return np.concatenate(coded)


def decode(soft: np.ndarray, key: bytes) -> int | None:
    """Return the id in a received message, or None if the check or the version does not fit.

    Parameters
    ----------
    soft : float [264]
        Evidence for each coded bit: positive for bit 0, its size in proportion to its certainty.
    key : bytes
        The key the message was encoded with.

    Examples
    --------
    >>> hex(decode(encode(0xC0FFEE, b"key").astype(float), b"key"))
    '0xc0ffee'
    """
    for message in _likely_messages(np.asarray(soft, np.float64)):
        body, check = message >> _CRC_BITS, message & ((1 << _CRC_BITS) - 1)
        if check == _crc(body, key) and body & ((1 << _VERSION_BITS) - 1) == VERSION:
            return body >> _VERSION_BITS
    return None


def _likely_messages(soft: np.ndarray) -> list[int]:
    """Return the most likely message, then those that part from its path once where that costs least.

    The check then picks the right one (list decoding: Seshadri and Sundberg 1994). Each of them is a chance of one in
    2 ** 32 for noise to check.
    """
    # Two states lead to each: the older bit that falls out of the register was 0 or 1.
    before = np.stack([_STATES >> 1, (_STATES >> 1) | (1 << (_MEMORY - 1))])  # [2, S]
    registers = np.stack([_STATES, _STATES | (1 << _MEMORY)])  # [2, S]
    metric = np.full(len(_STATES), -np.inf)
    metric[0] = 0.0
    leads = []  # by how much the older bit 1 is likelier than 0, for each state after each step
    for received in soft.reshape(-1, 3):
        first, second = metric[before] + (_OUTPUTS @ received)[registers]  # [S] each
        with np.errstate(invalid="ignore"):  # inf - inf: states that cannot be reached yet
            leads.append(second - first)
        metric = np.maximum(first, second)
    best, cost = _path(leads, detour=None)
    detours = sorted(range(len(cost)), key=cost.__getitem__)[: _LIST - 1]
    return [best, *(_path(leads, detour)[0] for detour in detours)]


def _path(leads: list[np.ndarray], detour: int | None) -> tuple[int, list[float]]:
    """Walk back from the end; return the message and what the other choice would have cost at each step."""
    state, message, cost = 0, 0, []
    for place, lead in enumerate(reversed(leads)):
        message |= (state & 1) << place
        dropped = bool(lead[state] > 0) != (place == detour)
        cost.append(abs(lead[state]) if np.isfinite(lead[state]) else np.inf)
        state = (state >> 1) | (int(dropped) << (_MEMORY - 1))
    return message >> _MEMORY, cost


def _crc(body: int, key: bytes) -> int:
    """Return the CRC-24 of id and version; it starts from the key, so that a mark of another key does not check."""
    register = int.from_bytes(hashlib.shake_128(b"crc" + key).digest(3), "big")
    for place in reversed(range(_ID_BITS + _VERSION_BITS)):
        feedback = (register >> (_CRC_BITS - 1)) ^ ((body >> place) & 1)
        register = (register << 1) & ((1 << _CRC_BITS) - 1)
        if feedback:
            register ^= _CRC_POLYNOMIAL
    return register
