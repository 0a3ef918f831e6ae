"""Every client wire that is served, by name."""

from __future__ import annotations

from typing import Final

from generation.dialects.base import Dialect
from generation.dialects.chat import Chat
from generation.dialects.lyria import Lyria
from generation.dialects.minimax import MiniMax
from generation.dialects.minimax_lyrics import MiniMaxLyrics
from generation.dialects.mureka import Mureka
from generation.dialects.mureka_lyrics import MurekaLyrics
from generation.dialects.mureka_official import MurekaOfficial
from generation.dialects.musicgen import MusicGen
from generation.dialects.openai_music import OpenAIMusic

OPENAI_MUSIC: Final = OpenAIMusic()
LYRIA: Final = Lyria()
CHAT: Final = Chat()
MINIMAX: Final = MiniMax()
MUREKA_MAAS: Final = Mureka()
MUREKA_OFFICIAL: Final = MurekaOfficial()
MUSICGEN: Final = MusicGen()
MINIMAX_LYRICS: Final = MiniMaxLyrics()
MUREKA_LYRICS: Final = MurekaLyrics()
DIALECTS: Final[dict[str, Dialect]] = {
    dialect.slug: dialect
    for dialect in (
        *(OPENAI_MUSIC, LYRIA, CHAT, MINIMAX, MUREKA_MAAS, MUREKA_OFFICIAL, MUSICGEN),
        *(MINIMAX_LYRICS, MUREKA_LYRICS),
    )
}
