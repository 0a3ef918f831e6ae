"""The words a prompt may use, in English and Chinese, and what each does to the music."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

FLOOR_BPM, CEILING_BPM = 62.0, 150.0
NOTE_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True, slots=True)
class Band:
    """Who plays a genre: instruments by name, a drum kit pattern, the tempo it likes in beats per minute."""

    bpm: float
    drums: str
    bass: str
    chords: str
    pad: str
    arp: str
    lead: str
    sevenths: bool = False
    pentatonic: bool = False
    pumping: bool = False


BANDS = {
    "pop": Band(114, "pop", "fingered", "piano", "strings", "pluck", "sawlead"),
    "rock": Band(124, "rock", "fingered", "crunch", "warm", "guitar", "guitarlead"),
    "folk": Band(104, "folk", "upright", "guitar", "strings", "guitar", "flute"),
    "jazz": Band(112, "jazz", "upright", "epiano", "warm", "piano", "reed", sevenths=True),
    "lofi": Band(92, "lofi", "synthbass", "epiano", "warm", "musicbox", "flute", sevenths=True),
    "electronic": Band(124, "club", "synthbass", "pluck", "glass", "pluck", "sawlead", pumping=True),
    "hiphop": Band(94, "lofi", "synthbass", "epiano", "warm", "pluck", "sawlead", sevenths=True),
    "soul": Band(96, "pop", "fingered", "epiano", "choir", "organ", "reed", sevenths=True),
    "classical": Band(100, "none", "upright", "piano", "strings", "piano", "bow"),
    "ambient": Band(84, "none", "synthbass", "epiano", "glass", "musicbox", "flute"),
    "chinese": Band(96, "folk", "upright", "zither", "strings", "zither", "flute", pentatonic=True),
    "latin": Band(116, "latin", "upright", "guitar", "strings", "guitar", "reed", sevenths=True),
}

GENRE_WORDS = {
    "pop": "pop popular kpop k-pop jpop j-pop mandopop ballad 流行 抒情",
    "rock": "rock metal punk grunge hard-rock indie 摇滚 金属 朋克",
    "folk": "folk acoustic country campfire bluegrass 民谣 乡村 不插电",
    "jazz": "jazz jazzy swing bebop blues bluesy 爵士 蓝调",
    "lofi": "lofi lo-fi chillhop study 低保真",
    "electronic": "electronic edm techno house trance dance synth synthwave disco dubstep 电子 电音 舞曲 迪斯科",
    "hiphop": "hiphop hip-hop rap trap 嘻哈 说唱",
    "soul": "soul r&b rnb funk funky gospel 灵魂 放克",
    "classical": "classical orchestral orchestra symphony symphonic cinematic film soundtrack epic 古典 交响 管弦 史诗",
    "ambient": "ambient meditation drone spa sleep lullaby 氛围 冥想 助眠 摇篮曲",
    "chinese": "chinese guzheng guofeng 古风 中国风 国风 古筝",
    "latin": "latin bossa bossa-nova samba reggae salsa tango 拉丁 桑巴 雷鬼 探戈",
}


@dataclass(frozen=True, slots=True)
class Feeling:
    """What a feeling does: tempo times `tempo_factor`, `major_vote` above 0 for major and below for minor."""

    tempo_factor: float
    major_vote: float
    english: str
    chinese: str


FEELINGS = {
    "slow": Feeling(0.70, -0.4, "slow slowly slower downtempo adagio largo lento unhurried", "慢 缓慢 舒缓"),
    "fast": Feeling(
        1.24, 0.4, "fast faster quick uptempo up-tempo allegro presto rapid driving", "快 快速 快节奏 急速"
    ),
    "sad": Feeling(
        0.76,
        -1.0,
        "sad sadly sorrow sorrowful melancholy melancholic heartbreak heartbroken lonely tears crying grief mournful "
        "gloomy tragic blue",
        "悲伤 伤感 忧伤 悲 难过 忧郁 孤独 哀伤 心碎 眼泪 凄凉",
    ),
    "happy": Feeling(
        1.06,
        1.0,
        "happy happily joy joyful cheerful sunny bright fun merry playful upbeat optimistic celebration",
        "欢快 快乐 开心 愉快 欢乐 高兴 阳光 喜悦 明亮 轻快 幸福 喜庆",
    ),
    "dark": Feeling(
        0.94, -0.8, "dark minor ominous scary spooky mysterious haunting tense", "黑暗 神秘 恐怖 紧张 阴暗"
    ),
    "calm": Feeling(
        0.84,
        0.2,
        "calm gentle relaxing relaxed peaceful soft tender dreamy chill quiet soothing",
        "平静 温柔 放松 安静 宁静 轻柔 梦幻 治愈",
    ),
    "energetic": Feeling(
        1.10, 0.2, "energetic energy powerful exciting intense party wild aggressive", "激情 有力 动感 热烈 派对 激烈"
    ),
    "romantic": Feeling(0.92, 0.3, "romantic love loving sweet warm", "浪漫 爱情 甜蜜 温暖"),
    "nostalgic": Feeling(0.92, -0.3, "nostalgic longing wistful memory memories", "怀旧 思念 回忆 乡愁"),
}

# Which chair of the band an instrument word takes, who sits there then, and the words.
PLAYERS = {
    "piano": ("chords", "piano", "piano pianos keys 钢琴"),
    "epiano": ("chords", "epiano", "rhodes epiano electric-piano 电钢琴"),
    "guitar": ("chords", "guitar", "guitar guitars ukulele banjo 吉他 尤克里里"),
    "crunch": ("chords", "crunch", "distorted distortion electric-guitar overdriven 电吉他 失真"),
    "organ": ("chords", "organ", "organ accordion 风琴 手风琴"),
    "zither": ("chords", "zither", "harp zither koto 竖琴 琵琶"),
    "strings": ("pad", "strings", "strings violins cello cellos 弦乐 大提琴"),
    "choir": ("pad", "choir", "choir choral voices 合唱"),
    "synths": ("pad", "glass", "synths pads synthesizer 合成器"),
    "violin": ("lead", "bow", "violin fiddle erhu viola 小提琴 二胡"),
    "flute": ("lead", "flute", "flute whistle recorder 长笛 笛子 笛 箫"),
    "sax": ("lead", "reed", "sax saxophone clarinet oboe trumpet harmonica 萨克斯 唢呐 小号 口琴"),
    "bells": ("arp", "musicbox", "bells bell glockenspiel celesta musicbox music-box 铃 八音盒"),
    "beat": ("drums", "club", "four-on-the-floor"),
}
LOW_VOICE = "male baritone tenor 男声"
DRUMLESS = r"\b(?:no|without)\s+(?:drums?|percussion)\b|(?:无|没有|不要)(?:鼓|打击乐)"
BPM_FIGURE = r"(?<![\d.])(\d{2,3})\s*bpm\b|\bbpm\s*[:=]?\s*(\d{2,3})(?!\d)"
KEY_PHRASE = r"(?<![A-Za-z])([A-Ga-g])\s?([#♯b♭]|-?sharp|-?flat)?\s*(major|minor|大调|小调)"


@dataclass(frozen=True, slots=True)
class Brief:
    """What was understood of a prompt. None leaves the choice to the seed.

    `tempo_factor` multiplies the genre's tempo unless `tempo_bpm` was named; `major_vote` is above 0 for bright,
    below for dark; `tonic` is a pitch class 0-11.
    """

    genre: str | None
    band: Band
    tempo_factor: float
    major_vote: float
    calm: bool
    low_voice: bool
    tempo_bpm: float | None = None
    tonic: int | None = None


def _lexicon() -> dict[str, tuple[str, str]]:
    groups = [("genre", name, words) for name, words in GENRE_WORDS.items()]
    groups += [("feeling", name, f"{told.english} {told.chinese}") for name, told in FEELINGS.items()]
    groups += [("player", name, words) for name, (_, _, words) in PLAYERS.items()]
    groups += [("voice", "low", LOW_VOICE)]
    return {word: (kind, name) for kind, name, words in groups for word in words.split()}


LEXICON = _lexicon()
# The longest word wins, so that 欢快 (happy) is not heard as 快 (fast).
_longest_first = sorted(LEXICON, key=len, reverse=True)
_latin = "|".join(re.escape(word).replace(r"\-", "[- ]") for word in _longest_first if word.isascii())
_han = "|".join(word for word in _longest_first if not word.isascii())
HEARD = re.compile(f"(?<![a-z])(?:{_latin})(?![a-z])|{_han}")


def hear(prompt: str) -> Brief:
    """Read a prompt. Unknown words are passed over; nothing is an error."""
    text = prompt.lower()
    said = [LEXICON[word.replace(" ", "-")] for word in HEARD.findall(text)]
    feelings = list(dict.fromkeys(name for kind, name in said if kind == "feeling"))
    genre = next((name for kind, name in said if kind == "genre"), None)
    tonic, key_vote = _named_key(prompt)
    return Brief(
        genre=genre,
        band=_seat_players(BANDS[genre or "pop"], [name for kind, name in said if kind == "player"], text),
        tempo_factor=_tempo_factor(feelings),
        major_vote=key_vote or sum(FEELINGS[name].major_vote for name in feelings),
        calm="calm" in feelings or ("slow" in feelings and "sad" in feelings),
        low_voice=("voice", "low") in said,
        tempo_bpm=_named_tempo(text),
        tonic=tonic,
    )


def _seat_players(band: Band, players: list[str], text: str) -> Band:
    chairs: dict[str, Any] = {PLAYERS[name][0]: PLAYERS[name][1] for name in reversed(players)}
    if re.search(DRUMLESS, text):
        chairs["drums"] = "none"
    return replace(band, **chairs)


def _tempo_factor(feelings: list[str]) -> float:
    """Words that agree do not add up without end: the strongest counts whole, the rest a third."""
    factors = sorted(
        (FEELINGS[name].tempo_factor for name in feelings), key=lambda factor: abs(factor - 1), reverse=True
    )
    product = 1.0
    for place, factor in enumerate(factors):
        product *= factor if place == 0 else factor ** (1 / 3)
    return product


def _named_tempo(text: str) -> float | None:
    figure = re.search(BPM_FIGURE, text)
    if figure is None:
        return None
    return min(200.0, max(50.0, float(figure[1] or figure[2])))


def _named_key(prompt: str) -> tuple[int | None, float]:
    phrase = re.search(KEY_PHRASE, prompt, re.IGNORECASE)
    if phrase is None:
        return None, 0.0
    sign = (phrase[2] or "").lower().lstrip("-")
    shift = 1 if sign in ("#", "♯", "sharp") else -1 if sign else 0
    return (NOTE_LETTERS[phrase[1].upper()] + shift) % 12, 9.0 if phrase[3].lower() in ("major", "大调") else -9.0
