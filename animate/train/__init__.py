"""Training: the corpus, the teacher that knows its phones, the loop and the scores.

python -m animate.train.corpus     synthesise speech with known phone times
python -m animate.train            train the motion model on it
python -m animate.train.score      measure a checkpoint
"""
