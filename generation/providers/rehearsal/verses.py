"""The lines a text is put together from: couplets that rhyme, in two languages and two moods.

In every line `{n}` is a thing with its article, `{v}` the same thing as one calls to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Mood = Literal["bright", "dark"]


@dataclass(frozen=True, slots=True)
class Rhyme:
    """Lines that end alike: any opening goes with any answer of the mood."""

    openings: tuple[str, ...]
    bright: tuple[str, ...]
    dark: tuple[str, ...]

    def answers(self, mood: Mood) -> tuple[str, ...]:
        return self.bright if mood == "bright" else self.dark


@dataclass(frozen=True, slots=True)
class Words:
    """All that one language has to sing with. `images` are sung of where the prompt names nothing more."""

    rhymes: tuple[Rhyme, ...]
    choruses: dict[Mood, tuple[tuple[str, ...], ...]]
    endings: dict[Mood, tuple[str, ...]]
    images: dict[Mood, tuple[str, ...]]
    titles: tuple[str, ...]
    styles: dict[Mood, str]


ENGLISH: Final = Words(
    rhymes=(
        Rhyme(
            ("I saw {n} in the fading light", "We followed {n} into the night"),
            ("And all at once the world felt right", "My heart was ready to take flight"),
            ("And slowly lost it out of sight", "And no one came to hold me tight"),
        ),
        Rhyme(
            ("I met {n} at the break of day", "I think of {n} along the way"),
            ("And knew that I was here to stay", "And all my worries start to sway"),
            ("And all the colours turned to grey", "With nothing left for me to say"),
        ),
        Rhyme(
            ("I turned to {n} without a sound", "The road to {n} goes round and round"),
            ("And there was all the joy I found", "And lifts us gently off the ground"),
            ("And leaves were falling to the ground", "And what I lost cannot be found"),
        ),
        Rhyme(
            ("You brought {n} back home to me", "I carry {n} across the sea"),
            ("And nobody could feel more free", "As happy as a heart can be"),
            ("A ghost of how it used to be", "And that is all I ever see"),
        ),
        Rhyme(
            ("I keep {n} very near my heart", "With {n} is where the stories start"),
            ("A simple line, a work of art", "And nothing pulls the two apart"),
            ("A ship without a single chart", "The years have pulled us far apart"),
        ),
        Rhyme(
            ("I look for {n} where I go", "Just give me {n} and let me go"),
            ("And in the dark it starts to glow", "We let the easy river flow"),
            ("Beneath the softly falling snow", "The evening wind begins to blow"),
        ),
        Rhyme(
            ("I hear {n} calling through the rain", "I dream of {n} and wake again"),
            ("We laugh and run along the lane", "And leave behind the hurt and pain"),
            ("Like someone waiting for a train", "And every hour repeats the pain"),
        ),
        Rhyme(
            ("I wrote of {n} in every line", "One look at {n} and I was fine"),
            ("As sweet as any summer wine", "I watched the whole wide city shine"),
            ("But none of it was ever mine", "And frost was creeping up the vine"),
        ),
        Rhyme(
            ("Remember {n} when we were young", "The bells of {n} were slowly rung"),
            ("And what a melody was sung", "And paper lanterns had been hung"),
            ("And bitter words lay on the tongue", "And all our songs were left unsung"),
        ),
        Rhyme(
            ("So take {n} slowly by the hand", "The tale of {n} runs through the land"),
            ("And write our names into the sand", "As golden as a wedding band"),
            ("A castle made of drifting sand", "And more than I could understand"),
        ),
    ),
    choruses={
        "bright": (
            (
                "Oh, {v}, carry me on",
                "We will be singing until the dawn",
                "Oh, {v}, don't let me go",
                "You are the best of all that I know",
            ),
            (
                "This one is for {n} and you",
                "Every single word is true",
                "Raise your hands and hearts on fire",
                "With {n} lifting us higher and higher",
            ),
        ),
        "dark": (
            (
                "Oh, {v}, where did you go",
                "The streets are empty, the lamps are low",
                "Oh, {v}, I call your name",
                "And nothing after is ever the same",
            ),
            (
                "All that is left is {n} and me",
                "A candle, a window, a wide black sea",
                "All that I ask is one more day",
                "Before even {n} must drift away",
            ),
        ),
    },
    endings={
        "bright": ("And softly {n} will sing us home", "Wherever we are, wherever we roam"),
        "dark": ("And softly {n} will fade to blue", "The way that lonely evenings do"),
    },
    images={
        "bright": ("the morning sun", "the open road", "the summer air", "the harbour lights", "the garden gate"),
        "dark": ("the empty station", "the winter sky", "the silent hall", "the broken clock", "the letter you wrote"),
    },
    titles=("{V}", "Song of {N}", "Until {N}", "Back to {N}"),
    styles={"bright": "pop, bright", "dark": "pop, dark"},
)

CHINESE: Final = Words(
    rhymes=(
        Rhyme(
            ("我把{n}写进了月光", "{n}陪我走向远方"),
            ("心里长出了翅膀", "我们一起放声唱"),
            ("夜色慢慢变得凉", "泪水打湿了行囊"),
        ),
        Rhyme(
            ("我想起{n}的那一天", "{n}又在眼前浮现"),
            ("笑容挂在你的脸", "阳光洒在窗台边"),
            ("只剩发黄的照片", "回忆一点点走远"),
        ),
        Rhyme(
            ("带着{n}一路往前走", "{n}轻轻敲我的心头"),
            ("牵紧彼此的双手", "快乐不需要理由"),
            ("风吹散所有温柔", "冷雨敲打着小楼"),
        ),
        Rhyme(
            ("{n}常常来到我梦中", "因为{n}我爱上了风"),
            ("天边挂起了彩虹", "花开得又白又红"),
            ("雨落在灰色天空", "心事是那么沉重"),
        ),
        Rhyme(
            ("{n}是我们的秘密", "我把{n}藏在心底"),
            ("原来幸福很容易", "晴天落在我手里"),
            ("再没有你的消息", "独自听夜的呼吸"),
        ),
        Rhyme(
            ("{n}在风里轻轻摇", "为了{n}我睡不着"),
            ("全世界都在微笑", "日子变得那么好"),
            ("往事再也找不到", "心事没有人知道"),
        ),
        Rhyme(
            ("我愿为{n}再等待", "{n}穿过人山人海"),
            ("春天的花正盛开", "把明天的门打开"),
            ("说好的人没有来", "时间把一切掩埋"),
        ),
        Rhyme(
            ("{n}点亮了整条街灯", "我和{n}一起翻过山城"),
            ("远处传来了歌声", "一步一步向前奔"),
            ("冷风吹过一阵阵", "只有影子像故人"),
        ),
    ),
    choruses={
        "bright": (
            ("{v}啊,请带我飞翔", "穿过人海和时光", "{v}啊,在我身旁", "这是我们的方向"),
            ("为了{n}大声歌唱", "把快乐送到远方", "有了{n}不再迷惘", "每颗心都会发亮"),
        ),
        "dark": (
            ("{v}啊,你在何方", "长夜没有了灯光", "{v}啊,让我回望", "只剩一地的忧伤"),
            ("是{n}让我沉默", "把眼泪留给星河", "是{n}陪我漂泊", "走过漫长的寂寞"),
        ),
    },
    endings={"bright": ("{n}陪我们回家", "路上开满了花"), "dark": ("{n}慢慢沉睡", "只留下一杯苦水")},
    images={
        "bright": ("清晨的阳光", "海边的风", "街角的书店", "夏天的傍晚", "院子里的花"),
        "dark": ("空空的车站", "深秋的落叶", "旧旧的信纸", "冬夜的灯火", "无人的长街"),
    },
    titles=("{V}", "{V}的歌", "写给{V}", "{V}与我"),
    styles={"bright": "流行, 明亮", "dark": "流行, 忧伤"},
)
