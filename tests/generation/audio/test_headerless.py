from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from generation.audio.decode import decode, probe
from generation.audio.encode import encode
from generation.audio.headerless import with_header
from generation.audio.samples import Samples


@pytest.mark.parametrize(("sample_rate", "channels"), [(44_100, 2), (16_000, 1), (96_000, 2)])
def test_samples_with_a_header_are_the_samples(song: Callable[..., Samples], sample_rate: int, channels: int) -> None:
    bare = encode(song(1), "pcm", sample_rate=sample_rate, channels=channels)

    file = with_header(bare, sample_rate=sample_rate, channels=channels)

    found = probe(file)
    assert (found.format, found.codec, found.sample_rate, found.channels) == ("wav", "pcm_s16le", sample_rate, channels)
    assert found.duration_ms == 1_000
    whole = encode(song(1), "wav", sample_rate=sample_rate, channels=channels)
    assert np.array_equal(decode(file).values, decode(whole).values)
