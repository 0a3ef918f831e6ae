from __future__ import annotations

import itertools

import pytest

from generation.contract import LyricsRequest, WrittenLyrics
from generation.lyrics.cues import stanzas_of
from generation.providers.rehearsal.subjects import names_han, subjects_of
from generation.providers.rehearsal.verses import CHINESE, ENGLISH, Words
from generation.providers.rehearsal.writing import write, write_lyrics
from tests.generation.lyrics.sections import section_types

PROMPTS = (
    "Pop music, happy, suitable for a sunny day",
    "indie folk, melancholic, introspective, longing, walking alone, coffee shop",
    "A song about a lighthouse and an old sailor who waits for his daughter",
    "Birthday party for my grandmother, cake, candles and balloons in Paris",
    "独立民谣,忧郁,内省,渴望,独自漫步,咖啡馆",
    "写一首关于海边灯塔和老船长的歌",
    "一首关于北京冬天、雪花和故乡的民谣",
)


def written(prompt: str, **more: object) -> WrittenLyrics:
    return write(LyricsRequest(prompt=prompt, **more))  # type: ignore[arg-type]


def sung(text: str) -> list[str]:
    return [line for stanza in stanzas_of(text) for line in stanza.lines]


def test_two_prompts_give_two_texts() -> None:
    texts = {written(prompt).lyrics for prompt in (*PROMPTS, "", "x", "!!!")}

    assert len(texts) == len(PROMPTS) + 3


@pytest.mark.parametrize("prompt", PROMPTS)
def test_same_prompt_and_seed_is_the_same_text_and_another_seed_another(prompt: str) -> None:
    assert written(prompt, seed=7) == written(prompt, seed=7)
    assert written(prompt, seed=7).lyrics != written(prompt, seed=8).lyrics


@pytest.mark.parametrize(
    ("prompt", "nouns"),
    [
        ("A song about a lighthouse and an old sailor who waits for his daughter", "lighthouse sailor daughter"),
        ("Birthday party for my grandmother, cake, candles and balloons in Paris", "Birthday party grandmother Paris"),
        ("Write a love song about the city lights of Berlin and a broken guitar", "love city lights Berlin guitar"),
        ("Pop music, happy, suitable for a sunny day", "day music"),
        ("写一首关于海边灯塔和老船长的歌", "海边 灯塔 老船长"),
        ("一首关于北京冬天、雪花和故乡的民谣", "北京 冬天 雪花 故乡"),
        ("R&B 关于 Tokyo 的夜晚", "Tokyo 夜晚"),
    ],
)
def test_nouns_of_the_prompt_occur(prompt: str, nouns: str) -> None:
    text = written(prompt).lyrics.lower()

    assert [noun for noun in nouns.lower().split() if noun not in text] == []


def test_everything_of_a_long_list_occurs() -> None:
    listed = "harbour, anchor, compass, lantern, seagull, rope, sailcloth, barrel, captain, island, treasure, storm"

    text = written(f"a shanty of {listed}").lyrics

    assert [thing for thing in listed.split(", ") if thing not in text] == []


@pytest.mark.parametrize("prompt", PROMPTS)
def test_text_is_in_the_language_of_its_prompt_and_of_a_songs_length(prompt: str) -> None:
    lines = sung(written(prompt).lyrics)

    assert len(lines) >= 8
    assert [line for line in lines if names_han(line) != names_han(prompt)] == []


@pytest.mark.parametrize("prompt", PROMPTS)
def test_sections_are_tagged_and_only_the_chorus_comes_again(prompt: str) -> None:
    text = written(prompt).lyrics
    stanzas = stanzas_of(text)

    assert section_types(text)[:3] == ["verse", "pre-chorus", "chorus"]
    assert section_types(text)[-3:] == ["bridge", "chorus", "outro"]
    others = [line for stanza in stanzas if stanza.section_type != "chorus" for line in stanza.lines]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_no_couplet_rhymes_a_word_with_itself(words: Words) -> None:
    for rhyme in words.rhymes:
        for turn, opening in enumerate(rhyme.openings):
            for answer in (rhyme.bright[turn], rhyme.dark[turn]):
                last = (opening[-1], answer[-1]) if words is CHINESE else (opening.split()[-1], answer.split()[-1])
                assert last[0] != last[1], (opening, answer)


def test_lines_of_a_couplet_are_of_a_like_length() -> None:
    for rhyme in ENGLISH.rhymes:
        for opening, answer in itertools.product(rhyme.openings, (*rhyme.bright, *rhyme.dark)):
            assert 4 <= len(opening.format(n="the moon").split()) <= 9
            assert 5 <= len(answer.split()) <= 9


@pytest.mark.parametrize(
    ("prompt", "mood"), [("a sad and lonely lighthouse", "dark"), ("a happy and sunny lighthouse", "bright")]
)
def test_mood_of_the_prompt_decides_the_answers(prompt: str, mood: str) -> None:
    lines = set(sung(written(prompt).lyrics))

    pools = {name: {line for rhyme in ENGLISH.rhymes for line in rhyme.answers(name)} for name in ("bright", "dark")}
    assert {name for name, pool in pools.items() if lines & pool} == {mood}


def test_title_is_kept_or_found() -> None:
    assert written("an old lighthouse", title="My Own").title == "My Own"
    assert "lighthouse" in written("an old lighthouse").title.lower()
    assert written("").title != ""


def test_style_is_said_in_the_words_of_the_prompt() -> None:
    assert written("Indie folk, melancholic, acoustic, a piano by the sea").style_tags == (
        "indie, folk, melancholic, acoustic, piano"
    )
    assert written("独立民谣,忧郁,咖啡馆").style_tags == "民谣, 忧郁"
    assert written("an old lighthouse").style_tags == "pop, bright"


def test_short_text_is_for_songs_that_brought_none() -> None:
    text = write_lyrics("calm piano at dusk")

    assert section_types(text) == ["intro", "verse", "chorus", "outro"]
    assert len(sung(text)) == 8
    assert text == write_lyrics("calm piano at dusk") != write_lyrics("calm piano at dawn")


@pytest.mark.parametrize(
    ("prompt", "subjects"),
    [
        ("two old men walking slowly to the harbour", ["old men", "harbour"]),
        ("It was beautiful. Paris in the rain", ["paris", "rain"]),
        ("the NASA rocket", ["NASA rocket"]),
        ("a song, a melody and the moon", ["moon", "song", "melody"]),
        ("夏天的海边,青春与梦想", ["夏天", "海边", "青春", "梦想"]),
        ("世界和平", ["世界和平"]),
        ("", []),
        ("!!! 123", []),
    ],
)
def test_subjects_are_the_things_that_are_named(prompt: str, subjects: list[str]) -> None:
    assert subjects_of(prompt) == subjects
