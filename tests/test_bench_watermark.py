"""The attack suite measures what it says, and the unmarked material is unmarked."""

from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut

from animate.bench.attacks import ATTACKS, cropped, first, gif, jpeg, letterboxed, x264
from animate.bench.peers import measure_peer
from animate.bench.unmarked import examine, fit, report
from animate.bench.watermark import Drawn, Quality, Trial, chosen, keep, kept, measure, spread, table
from animate.cli import main
from animate.errors import AnimateError

STILL = astronaut()[:300, 100:400]


def frames(count=6):
    return iter([np.roll(STILL, n, axis=1) for n in range(count)])


def test_attacks_change_frames_and_keep_their_number():
    seen = list(x264(40)(frames()))
    assert len(seen) == 6 and seen[0].shape == STILL.shape
    assert 1 < np.abs(seen[0].astype(int) - STILL).mean() < 20
    assert len(list(gif(0.5)(frames()))) == 3
    assert next(cropped(0.5)(frames())).shape == (150, 150, 3)
    assert letterboxed(STILL).shape == (1280, 720, 3)
    assert len(list(first(2)(frames()))) == 2


def test_every_attack_has_a_name_of_its_own():
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 40


def test_an_unknown_attack_is_refused_with_the_list():
    with pytest.raises(AnimateError, match="mirror"):
        chosen(["miror"])


def test_spread_keeps_frames_of_the_whole_length():
    kept = spread(range(1000), 12)
    assert len(kept) <= 12 and kept[0] == 0 and kept[-1] >= 875


def test_a_clip_yields_its_quality_and_a_trial_for_each_attack():
    still = astronaut()
    attacks = chosen(["none", "mirror"])
    drawn = Drawn("clip", still, lambda: iter([still] * 3))
    results = list(measure(drawn, attacks=attacks))
    quality, *trials = results
    assert isinstance(quality, Quality)
    assert quality.psnr_db > 44 and quality.flat_rms <= 1.0 and quality.ssim > 0.99
    assert [trial.exact for trial in trials] == [True, True]
    wrong = Trial(attacks[1], "other", "0123456789ab", 9.0, 0.1)
    assert "1/2" in table([*results, wrong]) and "MISSED" in table([*results, wrong])
    (again,) = measure(drawn, attacks=attacks, known=[quality, trials[0]])
    assert again.attack == attacks[1]


def test_peers_have_a_table_of_their_own():
    (attack,) = chosen(["mirror"])
    ours, peer = Trial(attack, "a", None, 3.0, 0.1), Trial(attack, "a", None, 0.5, 0.1, "other-mark")
    first, second = table([ours, peer]).split("other-mark")
    assert "0/1" in first and "0/1" in second and "0/2" not in first + second


def test_what_is_known_of_a_peer_is_not_measured_again():
    (attack,) = chosen(["mirror"])
    known = [Quality("a", 44.2, 0.9, 0.99, 0.1), Trial(attack, "a", None, 0.5, 0.1, "other-mark")]
    assert list(measure_peer("other-mark", Drawn("a", STILL, frames), [attack], known)) == []


def test_results_are_kept_and_a_line_that_was_cut_off_is_measured_again(tmp_path):
    file, (attack,) = tmp_path / "results.jsonl", chosen(["mirror"])
    results = [Quality("a", 44.2, 0.9, 0.99, 0.1), Trial(attack, "a", "5a17c0ffee42", 9.0, 0.1)]
    assert kept(file) == []
    for result in results:
        keep(result, file)
    assert kept(file) == results
    file.write_text(file.read_text()[:-5])
    assert kept(file) == results[:1]
    file.write_text("nonsense\n")
    with pytest.raises(AnimateError, match="another file"):
        kept(file)


def test_unmarked_items_are_all_different_unmarked_and_repeatable():
    items = list(examine([], 8, seed=3))
    assert not any(item.marked for item in items)
    assert len({item.score for item in items}) == 8
    assert [item.score for item in examine([], 2, seed=3)] == [item.score for item in items[:2]]
    assert "0 ids read" in report(items)


def test_the_fit_finds_the_law_of_known_scores():
    scores = np.random.default_rng(0).gumbel(5.2, 0.3, 4000)
    law = fit(scores, rounds=10)
    assert abs(law.mode - 5.2) < 4 * law.mode_error and abs(law.scale - 0.3) < 4 * law.scale_error


def test_bench_watermark_prints_the_table_and_takes_up_where_it_stopped(capsys, tmp_path):
    file = str(tmp_path / "results.jsonl")
    command = ["bench", "watermark", "--seconds", "0.3", "--results", file, "--attack", "one frame, JPEG 50"]
    assert main(command) == 0
    assert main([*command, "none"]) == 0
    assert "one frame, JPEG 50" in capsys.readouterr().out
    assert len(kept(Path(file))) == 3


def test_jpeg_loses_more_at_lower_quality():
    loss = [np.abs(next(jpeg(quality)(frames())).astype(int) - STILL).mean() for quality in (90, 30)]
    assert loss[0] < loss[1]
