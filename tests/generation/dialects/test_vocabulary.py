from __future__ import annotations

import pytest

from catalog.capabilities import Capabilities, Limits
from catalog.input_schema import describe
from generation.dialects.openai_music import CONVEYED
from generation.dialects.vocabulary import LONGEST_HEADER, as_header, asked, unknown


@pytest.mark.parametrize(
    "body",
    [
        {"mbd": False},
        {"top_k": 250},
        {"top_k": 250.0},
        {"temperature": 1.0},
        {"reference_id": ""},
        {"reference_id": None},
        {"messages": []},
        {"audio": {}},
        {"stream": False},
    ],
)
def test_null_empty_and_documented_defaults_ask_for_nothing(body):
    assert list(asked(body)) == []


@pytest.mark.parametrize(
    "body", [{"mbd": True}, {"top_k": 0}, {"temperature": True}, {"top_p": False}, {"seed": 0}, {"duration": 30}]
)
def test_any_other_value_asks(body):
    assert list(asked(body)) == list(body)


def test_names_that_no_wire_documents_are_unknown_in_their_order():
    assert unknown({"zeta": 1, "prompt": "x", "Prompt": "x", "alpha": None}) == ("zeta", "Prompt", "alpha")


def test_a_header_carries_plain_names_as_they_are():
    assert as_header(["audio_setting.depth", "foo", "x-y_z"]) == "audio_setting.depth, foo, x-y_z"


def test_a_header_cannot_be_broken_by_a_name():
    assert as_header(["a\r\nset-cookie: b", "风格", "\ud800", "a,b"]) == (
        "a%0D%0Aset-cookie%3A%20b, %E9%A3%8E%E6%A0%BC, %3F, a%2Cb"
    )


def test_a_long_list_is_cut_between_names():
    header = as_header([f"name{number}" for number in range(1000)])

    assert header.endswith(", ...")
    assert len(header) <= LONGEST_HEADER + len(", ...")
    assert all(name.startswith("name") for name in header.split(", ")[:-1])


def test_every_published_input_is_one_the_wire_takes() -> None:
    anything = Capabilities(
        lyrics="optional",
        instrumental="exact",
        lyrics_optimizer=True,
        duration="exact",
        seed=True,
        sampling=("top_k", "top_p", "temperature", "cfg_coef"),
        enhance=True,
        references=("reference", "vocal", "melody"),
        extend=True,
        streaming="live",
    )
    inputs = describe("any-song", anything, Limits())["properties"]

    assert [name for name in inputs if name not in CONVEYED] == []
