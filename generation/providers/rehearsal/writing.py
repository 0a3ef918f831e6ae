"""A few plain lines for an order that wants singing but brought no lyrics."""

from __future__ import annotations

import random
import re

from generation.providers.rehearsal.vocabulary import LEXICON, hear

HAN = re.compile(r"[\u4e00-\u9fff]")
# What prompts say about the order rather than about its subject.
_passed_over = """
    about with from that this song music suitable style tempo vocal vocals voice male female lyrics please make create
    write mood feel feeling track beat minute minutes second seconds major minor like some very more into over
"""
PASSED_OVER = frozenset(_passed_over.split())

ENGLISH = {
    "bright": (
        (
            "Morning light is on my window",
            "I can hear the city sing",
            "Every step is getting lighter",
            "Every heart is on the wing",
            "There is {theme} in the open air",
            "And a smile on every face",
        ),
        (
            "Oh we sing it loud and clear",
            "{Theme} is waiting here",
            "Hold my hand and come along",
            "This is our summer song",
        ),
    ),
    "dark": (
        (
            "Rain is falling on the station",
            "And the last train leaves the town",
            "I was dreaming of {theme}",
            "When the evening light went down",
            "All the letters that you wrote me",
            "Lie like leaves upon the ground",
        ),
        (
            "Oh I call you through the night",
            "{Theme} is out of sight",
            "Only shadows answer me",
            "Only shadows by the sea",
        ),
    ),
}
CHINESE = {
    "bright": (
        (
            "清晨的阳光照进窗",
            "我听见城市在歌唱",
            "每一步都变得轻快",
            "心里长出了翅膀",
            "风把故事慢慢讲",
            "笑容写在你脸上",
        ),
        ("来吧一起大声唱", "让快乐飞向远方", "牵着手不要彷徨", "这是我们的时光"),
    ),
    "dark": (
        (
            "雨落在空空的车站",
            "最后的列车已走远",
            "我梦见从前的夏天",
            "灯火在河面上变暗",
            "你写过的每一封信",
            "像落叶铺满了庭院",
        ),
        ("我在黑夜里呼唤", "思念没有彼岸", "只有影子陪着我", "只有海风轻叹"),
    ),
}


def write_lyrics(prompt: str) -> str:
    """Tagged lyrics in the language of the prompt; the same prompt always gives the same lyrics."""
    choose = random.Random(f"lyrics:{prompt}")
    pools = CHINESE if HAN.search(prompt) else ENGLISH
    verse_pool, chorus_pool = pools["dark" if hear(prompt).major_vote < 0 else "bright"]
    theme = _theme(prompt)
    lines = [line.format(theme=theme, Theme=theme.capitalize()) for line in verse_pool]
    chorus = [line.format(theme=theme, Theme=theme.capitalize()) for line in chorus_pool]
    first = choose.randrange(2) * 2
    verse = lines[first : first + 4]
    return "\n".join(["[Intro]", "", "[Verse]", *verse, "", "[Chorus]", *chorus, "", "[Outro]"])


def _theme(prompt: str) -> str:
    """The last word that says something about the subject rather than about the music."""
    spoken = [word.lower() for word in re.findall(r"[A-Za-z]{4,}", prompt)]
    telling = [word for word in spoken if word not in PASSED_OVER and word not in LEXICON]
    return telling[-1] if telling else "summer"
