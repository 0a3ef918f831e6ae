from __future__ import annotations

import pytest

from generation.providers.rehearsal.vocabulary import hear


@pytest.mark.parametrize(
    ("prompt", "genre"),
    [
        ("an ELECTRONIC dance track", "electronic"),
        ("hip hop beat", "hiphop"),
        ("lo-fi to study", "lofi"),
        ("民谣", "folk"),
        ("一首摇滚歌曲", "rock"),
        ("popcorn and rocket science", None),
    ],
)
def test_genre_words_are_heard_whole(prompt: str, genre: str | None) -> None:
    assert hear(prompt).genre == genre


@pytest.mark.parametrize("prompt", ["sad", "悲伤的歌", "in A minor", "小调 e小调", "dark and slow"])
def test_dark_words_vote_for_minor(prompt: str) -> None:
    assert hear(prompt).major_vote < 0


@pytest.mark.parametrize("prompt", ["happy", "欢快", "C大调", "cheerful, fast", "F# major, sad"])
def test_bright_words_vote_for_major(prompt: str) -> None:
    assert hear(prompt).major_vote > 0


def test_the_longest_word_is_heard() -> None:
    assert hear("欢快").tempo_factor == hear("happy").tempo_factor
    assert hear("快").tempo_factor == hear("fast").tempo_factor


@pytest.mark.parametrize(("slow", "fast"), [("slow", "fast"), ("sad", "happy"), ("慢", "快"), ("悲伤", "欢快")])
def test_tempo_words_lie_at_least_30_percent_apart(slow: str, fast: str) -> None:
    assert hear(fast).tempo_factor / hear(slow).tempo_factor >= 1.3


@pytest.mark.parametrize(
    ("prompt", "bpm"), [("at 128 BPM", 128.0), ("bpm: 90", 90.0), ("999 bpm", 200.0), ("pop", None)]
)
def test_a_named_tempo_is_taken(prompt: str, bpm: float | None) -> None:
    assert hear(prompt).tempo_bpm == bpm


@pytest.mark.parametrize(
    ("prompt", "tonic"), [("in C# minor", 1), ("Bb major", 10), ("G大调", 7), ("E-flat minor", 3), ("major", None)]
)
def test_a_named_key_is_taken(prompt: str, tonic: int | None) -> None:
    assert hear(prompt).tonic == tonic


def test_instrument_words_seat_the_players() -> None:
    band = hear("钢琴, violin and choir").band

    assert (band.chords, band.lead, band.pad) == ("piano", "bow", "choir")


@pytest.mark.parametrize("prompt", ["rock without drums", "folk, no percussion", "摇滚, 无鼓"])
def test_drums_can_be_sent_away(prompt: str) -> None:
    assert hear(prompt).band.drums == "none"


def test_a_female_voice_is_not_a_low_one() -> None:
    assert not hear("female vocal").low_voice
    assert hear("male vocal").low_voice
