from __future__ import annotations

import math

import pytest

from generation.contract import Refusal
from generation.dialects.reading import Fields, in_path


def refusal(read, *args, **kwargs) -> tuple[str, str | None, str]:
    with pytest.raises(Refusal) as refused:
        read(*args, **kwargs)
    return refused.value.code, refused.value.param, refused.value.message


@pytest.mark.parametrize("body", [{}, {"model": None}, {"model": ""}])
def test_absent_null_and_empty_text_are_missing(body):
    assert refusal(Fields(body).required_text, "model") == (
        "missing_parameter",
        "model",
        "Missing required parameter: model",
    )


def test_text_is_normalised():
    assert Fields({"prompt": "e\u0301"}).text("prompt") == "é"


@pytest.mark.parametrize("value", [7, True, ["x"], {"x": 1}, "\x00", "a\ud800"])
def test_what_is_no_sound_text_is_refused_by_name(value):
    assert refusal(Fields({"prompt": value}).text, "prompt")[:2] == ("invalid_parameter", "prompt")


def test_text_is_measured_in_code_points_after_normalisation():
    assert Fields({"title": "e\u0301" * 5}).text("title", longest=5) == "é" * 5
    assert refusal(Fields({"title": "x" * 6}).text, "title", longest=5) == (
        "invalid_parameter",
        "title",
        "Invalid value for parameter title: it must have at most 5 characters.",
    )


@pytest.mark.parametrize("value", [1, 15, 15.0, 60])
def test_whole_numbers_are_read(value):
    assert Fields({"n": value}).whole("n", low=1, high=60) == int(value)


@pytest.mark.parametrize("value", [0, 61, 15.5, "15", True, False, math.inf, math.nan, 10**400, [], {}])
def test_what_is_no_whole_number_within_the_bounds_is_refused(value):
    assert refusal(Fields({"n": value}).whole, "n", low=1, high=60) == (
        "invalid_parameter",
        "n",
        "Invalid value for parameter n: it must be a whole number from 1 to 60.",
    )


@pytest.mark.parametrize("value", [-0.1, 1.1, "0.5", True, math.inf, -math.inf, math.nan, 10**400])
def test_what_is_no_number_within_the_bounds_is_refused(value):
    assert refusal(Fields({"top_p": value}).number, "top_p", low=0, high=1)[:2] == ("invalid_parameter", "top_p")


@pytest.mark.parametrize("value", [True, 1.0, "3", [], {}])
def test_what_is_no_choice_is_refused(value):
    assert refusal(Fields({"channel": value}).choice, "channel", (1, 2))[:2] == ("invalid_parameter", "channel")


@pytest.mark.parametrize("value", [0, 1, "true", []])
def test_truth_is_true_or_false_and_nothing_else(value):
    assert refusal(Fields({"stream": value}).truth, "stream")[:2] == ("invalid_parameter", "stream")


def test_fields_inside_an_object_are_named_with_their_place():
    inside = Fields({"audio_setting": {"format": "ogg"}}).inside("audio_setting")

    assert refusal(inside.choice, "format", ("mp3", "wav")) == (
        "invalid_parameter",
        "audio_setting.format",
        "Invalid value for parameter audio_setting.format: it must be one of mp3, wav.",
    )


@pytest.mark.parametrize("value", ["mp3", 7, [], True])
def test_what_is_no_object_is_refused(value):
    assert refusal(Fields({"audio_setting": value}).inside, "audio_setting")[:2] == (
        "invalid_parameter",
        "audio_setting",
    )


@pytest.mark.parametrize("body", [{}, {"contents": None}, {"contents": ""}, {"contents": []}, {"contents": {}}])
def test_what_holds_nothing_of_any_kind_is_missing(body):
    assert refusal(Fields(body).required_value, "contents")[:2] == ("missing_parameter", "contents")


@pytest.mark.parametrize("value", ["user", "USER", "User"])
def test_words_are_read_in_any_letter_case(value):
    assert Fields({"role": value}).word("role", ("user", "model")) == "user"


@pytest.mark.parametrize("value", ["", "users", 7, True, ["user"]])
def test_what_is_no_such_word_is_refused(value):
    assert refusal(Fields({"role": value}, "x.").word, "role", ("user", "model")) == (
        "invalid_parameter",
        "x.role",
        "Invalid value for parameter x.role: it must be one of user, model.",
    )


@pytest.mark.parametrize("value", [[{"text": "a"}, {"text": "b"}], {"text": "a"}])
def test_objects_of_a_list_are_read_one_by_one_and_one_alone_is_a_list(value):
    read = [(one.path_of("text"), one.text("text")) for one in Fields({"parts": value}).each("parts")]

    assert read == [("parts[0].text", "a"), ("parts[1].text", "b")][: len(read)]
    assert len(read) == (2 if isinstance(value, list) else 1)


@pytest.mark.parametrize(
    ("value", "param"), [("a", "parts"), (7, "parts"), (None, "parts"), (["a"], "parts[0]"), ([{}, 7], "parts[1]")]
)
def test_what_is_no_list_of_objects_is_refused_where_it_is_not(value, param):
    assert refusal(lambda: list(Fields({"parts": value}).each("parts")))[:2] == ("invalid_parameter", param)


def test_null_reads_as_absent_everywhere():
    fields = Fields({"x": None})

    assert [
        fields.text("x"),
        fields.choice("x", (1,)),
        fields.truth("x"),
        fields.whole("x", low=0, high=1),
        fields.number("x", low=0, high=1),
        fields.word("x", ("y",)),
        fields.inside("x").body,
    ] == [None, None, None, None, None, None, {}]


@pytest.mark.parametrize("slug", ["x" * 101, "a\x00b", "\ud800"])
def test_name_in_an_address_that_no_offer_could_have_is_a_missing_one(slug: str) -> None:
    with pytest.raises(Refusal) as refused:
        in_path({"endpoint": slug}, "endpoint", missing="not_found")

    assert refused.value.code == "not_found"
    assert in_path({"endpoint": "lyria"}, "endpoint", missing="not_found") == "lyria"
