"""Every client wire that is served, by name."""

from __future__ import annotations

from typing import Final

from generation.dialects.base import Dialect
from generation.dialects.chat import Chat
from generation.dialects.lyria import Lyria
from generation.dialects.minimax import MiniMax
from generation.dialects.musicgen import MusicGen
from generation.dialects.openai_music import OpenAIMusic

OPENAI_MUSIC: Final = OpenAIMusic()
LYRIA: Final = Lyria()
CHAT: Final = Chat()
MINIMAX: Final = MiniMax()
MUSICGEN: Final = MusicGen()
DIALECTS: Final[dict[str, Dialect]] = {
    dialect.slug: dialect for dialect in (OPENAI_MUSIC, LYRIA, CHAT, MINIMAX, MUSICGEN)
}
