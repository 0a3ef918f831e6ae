"""The guide names only words the composer hears, and its picture shows the song it names."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from generation.providers.rehearsal.acting import ENDINGS
from generation.providers.rehearsal.vocabulary import FEELINGS, GENRE_WORDS, LEXICON, PLAYERS

DOCS = Path(__file__).resolve().parents[4] / "docs"
GUIDE = (DOCS / "rehearsal.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_spectrogram", DOCS / "draw_spectrogram.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def decoded(png: Path) -> np.ndarray:
    with av.open(str(png)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def test_every_chinese_word_of_the_guide_is_heard() -> None:
    words = GUIDE.split("## Words it hears")[1].split("- **Figures**")[0]
    named = set(re.findall(r"[\u4e00-\u9fff]+", words)) - {"无鼓"}

    assert named
    assert {word for word in named if word not in LEXICON} == set()


def test_every_failure_is_in_the_guide() -> None:
    assert set(re.findall(r"`fail:(\w+)`", GUIDE)) == {*ENDINGS, "bad_audio"}


def test_tempo_factors_of_the_guide_are_those_of_the_composer() -> None:
    rows = re.findall(r"^\| (slow|fast|sad|happy|calm|energetic) \|.*tempo x ([\d.]+)", GUIDE, re.MULTILINE)

    assert {name: float(factor) for name, factor in rows} == {
        name: FEELINGS[name].tempo_factor for name in ("slow", "fast", "sad", "happy", "calm", "energetic")
    }


def test_no_word_means_two_things() -> None:
    said = [told.english + " " + told.chinese for told in FEELINGS.values()]
    said += [*GENRE_WORDS.values(), *(words for _, _, words in PLAYERS.values())]
    words = " ".join(said).split()

    assert sorted(words) == sorted(set(words))


def test_the_picture_marks_the_sections_of_the_first_song(drawing: ModuleType, first_song) -> None:
    picture = decoded(DOCS / "pictures" / "rehearsal-spectrogram.png")

    strip = picture[2]
    colours = [tuple(strip[column]) for column in range(4, len(strip) - 4) if tuple(strip[column]) != (255, 255, 255)]
    seen = list(dict.fromkeys(colours))
    assert seen == [drawing.STRIP_COLOURS[section.section_type] for section in first_song.sections]


def test_the_picture_is_written_as_it_was_drawn(drawing: ModuleType, tmp_path: Path) -> None:
    drawn = np.random.default_rng(1).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    (tmp_path / "drawn.png").write_bytes(drawing.png_bytes(drawn))

    assert np.array_equal(decoded(tmp_path / "drawn.png"), drawn)
