"""What the session says, read back."""

import msgspec
import pytest
from headless_dbt.session_protocol import Hello, Reply, SessionException


def test_a_reply_of_the_session_is_read() -> None:
    line = b'{"success": false, "exception": {"type": "X", "message": "y"}, "lines": ["a"], "of_tomorrow": 1}'

    assert msgspec.json.decode(line, type=Reply) == Reply(False, SessionException("X", "y"), ("a",))


def test_a_hello_of_the_session_is_read() -> None:
    line = b'{"installed": {"dbt-core": "1.12.6"}, "python": "3.12.1", "exception": null}'

    assert msgspec.json.decode(line, type=Hello) == Hello({"dbt-core": "1.12.6"}, "3.12.1")


@pytest.mark.parametrize("line", [b"", b"{}", b'{"success": "yes"}'])
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(line, type=Reply)
