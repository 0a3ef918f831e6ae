"""What an upstream says, before it is believed."""

from __future__ import annotations

import pytest

from generation.providers.untrusted import is_path_safe


@pytest.mark.parametrize("text", ["song_42", "a.b-c~d:e", "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_plain_id_may_stand_in_a_path(text: str) -> None:
    assert is_path_safe(text)


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a?b", "a#b", "a%2fb", "a b", "é", "a\n", "x" * 201])
def test_id_that_leads_elsewhere_may_not(text: str) -> None:
    assert not is_path_safe(text)
