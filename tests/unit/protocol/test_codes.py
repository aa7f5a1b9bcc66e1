import pytest

from streams.protocol.codes import CLIENT_SHOULD, CloseCode, ErrorCode, may_resume


def test_every_close_code_says_what_the_client_should_do() -> None:
    assert list(CloseCode) == list(CLIENT_SHOULD)


@pytest.mark.parametrize("code", list(CloseCode))
def test_the_range_of_a_close_code_says_whether_to_resume(code: CloseCode) -> None:
    assert ("resume" in CLIENT_SHOULD[code] and code < 4100) == (
        may_resume(code) and code not in (CloseCode.EPOCH_CHANGED, CloseCode.OVERLOADED)
    )


def test_error_codes_are_their_own_text() -> None:
    assert [code.name for code in ErrorCode] == [str(code) for code in ErrorCode]
