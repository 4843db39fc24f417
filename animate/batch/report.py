"""How a batch went: a table for the terminal and a page for the morning review."""

from __future__ import annotations

import html
import os
from pathlib import Path

from animate.batch.ledger import HOME
from animate.batch.run import FAILED, Outcome
from animate.errors import BatchError

_BAD = ' class="bad"'
_PLAYED = ("mp4", "webm", "mov")  # by a video element; the others are pictures to a browser
_PAGE = """<!doctype html>
<meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 14px sans-serif; margin: 2em; }} main {{ display: flex; flex-wrap: wrap; gap: 1em; }}
figure {{ margin: 0; width: 260px; }} video, img {{ width: 100%; background: #ddd; }} .bad {{ color: #b00; }}
</style>
<h1>{title}</h1><p>{summary}</p>
<main>
{figures}
</main>
"""


def table(outcomes: list[Outcome]) -> str:
    """Return one line a shot and a line of totals; figures that miss their bars are named."""
    width = max(len(outcome.shot.id) for outcome in outcomes)
    lines = [f"{outcome.shot.id:{width}}  {outcome.state:8}  {_words(outcome)}".rstrip() for outcome in outcomes]
    return "\n".join([*lines, summary(outcomes)])


def summary(outcomes: list[Outcome]) -> str:
    """Return the totals in a sentence."""
    states = [outcome.state for outcome in outcomes]
    counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(["rendered", "kept", FAILED, *states])]
    seconds = sum(outcome.facts.get("duration_s", 0) for outcome in outcomes)
    return f"{len(outcomes)} shots: {', '.join(counts)}; {seconds:.1f} s of video"


def write_page(outcomes: list[Outcome], out: Path) -> Path:
    """Write ``index.html``, which shows every shot with its figures and warnings, beside the outputs.

    Raises
    ------
    BatchError
        If it cannot be written.
    """
    figures = "\n".join(_figure(outcome) for outcome in outcomes)
    page = _PAGE.format(title=html.escape(out.absolute().name), summary=summary(outcomes), figures=figures)
    draft = out / HOME / "index.html"
    try:
        draft.write_text(page, encoding="utf-8")
        os.replace(draft, out / "index.html")
    except OSError as error:
        raise BatchError(f"The page {out / 'index.html'} could not be written: {error.strerror or error}.") from None
    return out / "index.html"


def _figure(outcome: Outcome) -> str:
    shot, name = outcome.shot, html.escape(outcome.shot.id)
    good = outcome.facts.get("marked") and all(good for _, good in outcome.facts.get("figures", []))
    words = f"<span{_BAD if not good else ''}>{html.escape(_words(outcome))}</span>"
    file = f"{name}.{shot.outputs[0]}"
    played = f'<video src="{file}" controls preload="metadata"></video>'
    video = "" if outcome.state == FAILED else played if shot.outputs[0] in _PLAYED else f'<img src="{file}">'
    act = shot.performance or shot.voice.name
    source = html.escape(f"{shot.portrait.name}, {act}, seed {shot.config.seed}")
    figures = [f"<small>{html.escape(figure)}</small>" for figure, _ in outcome.facts.get("figures", [])]
    caption = "<br>".join([f"<b>{name}</b> {outcome.state}", source, words, *figures])
    return f"<figure>{video}<figcaption>{caption}</figcaption></figure>"


def _words(outcome: Outcome) -> str:
    if outcome.state == FAILED:
        return outcome.reason
    facts = outcome.facts
    words = [f"{facts['duration_s']:.1f} s, rendered in {facts['render_s']:.1f} s"]
    if not facts["marked"]:
        words.append("its mark cannot be found again (picture too small or too compressed)")
    return "; ".join(words + [f"look at {figure}" for figure, good in facts.get("figures", []) if not good])
