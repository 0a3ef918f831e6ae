"""What a prompt is about: the things it names, in its own words and its own language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generation.providers.rehearsal.vocabulary import LEXICON

HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
LONGEST_PHRASE: Final = 2
"""Words of a thing's name: an old sailor, the harbour lights."""
LONGEST_HAN: Final = 10
SHORTEST: Final = 3

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[^\w\s]")
# Words that name nothing: what joins others, what is said of the order rather than of its subject, what somebody does.
_joining = """
    a an the this that these those some any every each all both no not and or but nor so yet as at by for from in into
    of off on onto out over per than then there here to up upon with without within under until through during before
    after about above across against along among around behind below beneath beside between beyond down except inside
    like near outside past since toward towards via while when where why how who whom whose which what if because
    though although once again also just only too very much many more most less few lot lots really quite almost
    i you he she it we they me him her us them my your his its our their mine yours hers ours theirs myself yourself
    himself herself itself someone everyone anyone nobody somebody one two three four five six seven eight nine ten
    is am are was were be been being do does did done have has had having will would can could shall should may might
    must let lets let's don't isn't it's i'm we're you're they're
"""
_of_the_order = """
    song songs lyric lyrics track tune music musical style styles genre vocal vocals vocalist sung singing melody bpm
    tempo beat beats mood vibe vibes feel feeling feels sound sounds sounding suitable inspired based themed theme verse
    verses chorus bridge intro outro hook minute minutes second seconds major minor key english chinese male female
    please write make create compose generate give want need add change rewrite replace continue extend improve keep
    sadder happier slower faster louder softer better brighter darker shorter longer warmer colder version
    turn edit instead new another section line lines part end version upbeat catchy simple short long full whole
"""
_doing = """
    go goes going gone went come comes coming came get gets got take takes taking took make makes making made say says
    said tell tells told know knows knew think thinks thought see sees seen saw look looks looking find finds finding
    found leave leaving left lose loses losing lost wait waits waiting waited walk walks walking walked run runs running
    ran stand stands standing stood sit sits sitting sat live lives living lived love loves loving loved miss misses
    missing missed sing sings sang play plays playing played dance dances dancing danced fall falls falling fell fly
    flies flying flew grow grows growing grew hold holds holding held feel felt hear hears hearing heard keep keeps
    keeping kept remember remembers remembering forget forgets forgetting forgotten return returns returning returned
    dream dreams dreaming become becomes becoming bring brings begin begins meet meets meeting met try trying call
    calls calling called stay stays staying talk talks talking follow follows following set sets setting watch watches
    watching share shares sharing shine shines shining wander wanders wandering sleep sleeps sleeping slept rise rises
    rising search searches searching hope hopes hoping believe cry cries crying smile smiles smiling
    alone together forever always never sometimes often away back home today tonight tomorrow yesterday now soon still
    ever slowly softly quietly gently finally suddenly
"""
_describing = """
    old young big small little great good bad nice beautiful pretty cold hot cool bright deep high low dear own first
    last next same other different empty broken silent golden silver red green white black grey gray pink lost far
    distant early late rainy snowy windy stormy starry summery wild free strong weak hopeful tired brave lovely
    melancholic indie acoustic modern classic vintage traditional emotional soulful smooth heavy light fresh epic
    suitable introspective hopeful cozy cosy
"""
NAMELESS: Final = frozenset(f"{_joining} {_of_the_order} {_doing}".split())
DESCRIBING: Final = frozenset(_describing.split()) | {
    word for word, (kind, _) in LEXICON.items() if word.isascii() and kind == "feeling"
}
# A word may be both what somebody does and a thing: these are things as well, and good to sing of.
_things = """
    love dream dreams dance home hope smile walk tonight tomorrow yesterday light tears memory memories sorrow joy fun
    sea party heartbreak celebration grief energy night music song melody
"""
THINGS: Final = frozenset(_things.split())
OF_EVERY_SONG: Final = frozenset(("music", "song", "melody", "音乐"))
_DESCRIBES: Final = re.compile(r".{3,}(?:ous|ful|less|ive|able|ible|ish)$")
_DOES: Final = re.compile(r".{3,}(?:ly|ing|ed)$")
_as_if_doing = """
    morning evening spring king ring wing string wedding ceiling building nothing something everything anything
    lightning painting clothing warning beginning ending crossing family lily july italy butterfly seed weed bed reed
    speed feed shed sled bread
"""
_NAMES_ALL_THE_SAME: Final = frozenset(_as_if_doing.split())
_han_order = (
    "流行音乐|民谣|摇滚|音乐|关于|有关|以及|并且|适合|一首|首歌|歌曲|歌词|这首|那首|请|帮我|给我|写一段|写一个|写|创作|生成|制作|改写|续写|添加|增加|加上|加一段|修改|改一下|改成"
    "|风格的|风格|曲风|节奏|旋律|女声|男声|演唱|配乐|背景音乐|主题是|主题为|主题|以|为主题|充满|带有|的|了|着|与|及|跟|或"
    "|把|和(?!平|谐|解|声|弦|睦)|副歌|主歌|桥段|前奏|尾奏|间奏|歌"
)
_HAN_BREAK: Final = re.compile(rf"(?:{_han_order})|[^\u3400-\u4dbf\u4e00-\u9fff]+")
_MEASURE: Final = re.compile(r"^(?:[一两三几那这]?[座位个只条段场片间艘颗封把张]|在|是|有|对|从|一)(?=.{2})")


def names_han(text: str) -> bool:
    return HAN.search(text) is not None


def subjects_of(prompt: str) -> list[str]:
    """The things a prompt names, each once: words as they stand there, at most two of them together.

    In the prompt's order, but what is said of every song (music, melody) comes last.
    """
    found = [*_han_subjects(prompt), *_spoken_subjects(prompt, is_chinese=names_han(prompt))]
    return sorted(dict.fromkeys(found), key=lambda subject: subject in OF_EVERY_SONG)


def _spoken_subjects(prompt: str, *, is_chinese: bool) -> Iterator[str]:
    begins, heads = True, list[str]()
    for word in [*_WORD.findall(prompt), "."]:
        is_part = word.isascii() if is_chinese else True
        if is_part and (_names(word) or _describes(word)):
            heads.append(_as_sung(word, begins=begins))
        else:
            yield from _phrases(heads)
            heads = []
        begins = word in ".!?:"


def _phrases(run: list[str]) -> Iterator[str]:
    """What stands together, named with at most one word before each thing."""
    start = 0
    for place, word in enumerate(run):
        follows = run[place + 1] if place + 1 < len(run) else None
        if not _names(word) or (follows is not None and _names(follows) and place + 1 - start < LONGEST_PHRASE):
            continue
        yield " ".join(run[max(start, place + 1 - LONGEST_PHRASE) : place + 1])
        start = place + 1


def _as_sung(word: str, *, begins: bool) -> str:
    """As in the middle of a line: a name keeps its capital, the first word of a sentence does not."""
    is_name = word[0].isupper() and not begins and word.lower() not in LEXICON
    return word if is_name or (word.isupper() and len(word) > 1) else word.lower()


def _names(word: str) -> bool:
    low = word.lower()
    if low in THINGS or low in _NAMES_ALL_THE_SAME:
        return True
    if not word[0].isalpha() or len(low) < SHORTEST or low in NAMELESS or _describes(word):
        return False
    return not _DOES.match(low) and LEXICON.get(low, ("",))[0] not in ("genre", "voice")


def _describes(word: str) -> bool:
    low = word.lower()
    return low not in THINGS and low not in NAMELESS and (low in DESCRIBING or _DESCRIBES.match(low) is not None)


def _han_subjects(prompt: str) -> Iterator[str]:
    for piece in _HAN_BREAK.split(prompt):
        named = _MEASURE.sub("", piece)
        if len(named) > 1 and LEXICON.get(named, ("",))[0] not in ("genre", "feeling", "voice"):
            for start in range(0, len(named), LONGEST_HAN):
                yield named[start : start + LONGEST_HAN]
    if "音乐" in prompt:
        yield "音乐"
