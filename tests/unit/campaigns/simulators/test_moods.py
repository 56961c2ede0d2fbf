from collections import Counter

import msgspec
import pytest

from campaigns.simulators import moods
from campaigns.simulators.moods import Mood, MoodBox, Pieces, Turn


@pytest.mark.parametrize("name", moods.PRESETS)
def test_every_preset_survives_the_way_through_json(name):
    assert moods.parse(msgspec.json.encode(moods.PRESETS[name]).decode()) == moods.parse(name)


@pytest.mark.parametrize(
    "source",
    [
        "nosuch",
        "[]",
        '{"shares": {"nosuch": 1}}',
        '{"nosuch": 1}',
        '{"shares": {"cut": 1.5}}',
        '{"shares": {"cut": 0.6, "part": 0.6}}',
        '{"dawdle_seconds": -1}',
        '{"pieces": "crumbs"}',
    ],
)
def test_a_mood_that_cannot_be_is_refused(source):
    with pytest.raises(ValueError, match=r"."):
        moods.parse(source)


def test_turns_come_as_often_as_their_shares_say_and_repeat_with_the_seed():
    mood = Mood(shares={Turn.CUT: 0.2, Turn.PART: 0.3})
    box, again = MoodBox(mood, seed=7), MoodBox(mood, seed=7)
    turns = [box.turn() for _number in range(2000)]
    assert turns == [again.turn() for _number in range(2000)]
    counts = Counter(turns)
    assert set(counts) == {Turn.CUT, Turn.PART, Turn.ANSWER}
    assert 330 < counts[Turn.CUT] < 470
    assert 510 < counts[Turn.PART] < 690


@pytest.mark.parametrize("pieces", Pieces)
def test_pieces_add_up_to_the_answer(pieces):
    box = MoodBox(Mood(pieces=pieces), seed=3)
    data = bytes(range(100))
    split = list(box.split(data))
    assert b"".join(split) == data
    assert all(split)
    assert (len(split) == 1) is (pieces is Pieces.WHOLE)
    assert (len(split) == 100) is (pieces is Pieces.BYTES)


def test_answers_queue_for_their_slots():
    box = MoodBox(Mood(messages_per_second=10))
    first, second, third = box.wait_seconds(), box.wait_seconds(5), box.wait_seconds()
    assert 0.05 < first <= 0.1 + 1e-6
    assert second > first + 0.4
    assert third > second
