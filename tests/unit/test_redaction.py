"""No secret stays in what a run leaves behind."""

import json
import os
from base64 import b64encode, encodebytes
from pathlib import Path

import pytest
from headless_dbt.redaction import MASK, redact, redact_folder, secret_values
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import node_finished, result, run_results

LINE = "MIIEvQIBADANBg+/MIIEvQIBADANBg="
PEM = f"-----BEGIN PRIVATE KEY-----\n{LINE}\nkqhkiG9w0BAQ\n-----END PRIVATE KEY-----\n"


def test_the_secrets_of_a_run_are_the_given_values_the_key_and_its_parts() -> None:
    key = json.dumps({"type": "service_account", "private_key": PEM, "private_key_id": "0a1b2c3d", "client_id": "77"})

    values = secret_values(
        [("PASSWORD", "hunter2"), ("PIN", "123"), ("EMPTY", "")],
        (key, ""),
        {
            "DBT_ENV_SECRET_TOKEN": "sesame",
            "DBT_ENV_SECRET_SHORT": "abc",
            "PATH": "/usr/bin",
            "ACTIONS_RUNTIME_TOKEN": "jwt!",
        },
    )

    in_base64 = b64encode(key.encode()).decode()
    assert values == {"hunter2", "sesame", "jwt!", key, in_base64, PEM.strip(), LINE, "0a1b2c3d"}


def test_the_parts_of_credentials_among_the_secret_variables_are_secrets_too() -> None:
    credentials = json.dumps({"type": "authorized_user", "refresh_token": "r-e-f-r-e-s-h", "client_secret": "s-e-c"})
    encoded = b64encode(credentials.encode()).decode()

    values = secret_values([("KEYFILE", encoded)], (), {"DBT_ENV_SECRET_ADC": credentials})

    assert values == {encoded, credentials, "r-e-f-r-e-s-h", "s-e-c"}


@pytest.mark.parametrize(
    "token",
    [
        f"eyJ{'a' * 20}.eyJ{'b' * 20}.{'c' * 20}",
        "ya29.d." + "x" * 40,
        "1//0" + "y" * 40,
    ],
)
def test_a_token_of_google_or_github_is_known_by_its_shape(token: str) -> None:
    assert redact(f"said: {token}, and".encode(), ()) == f"said: {MASK}, and".encode()


@pytest.mark.parametrize("key", ["", "not JSON but secret", "[1]", '"text"', '{"private_key": 7}'])
def test_a_key_that_is_no_key_is_a_secret_all_the_same(key: str) -> None:
    assert secret_values([], [key], {}) == ({key} if len(key) >= 4 else set())


@pytest.mark.parametrize(
    "secret",
    ["hunter2", 'quo"te', "back\\slash", "schön 🦆", "line\nbreak", "a/b", "tab\there", "'$(id)`", PEM],
)
def test_a_value_is_taken_out_in_every_form_that_a_file_may_hold_it_in(secret: str) -> None:
    for form in (
        secret,
        json.dumps({"message": f"x {secret} y"}),
        json.dumps({"message": f"x {secret} y"}, ensure_ascii=False),
    ):
        clean = redact(f"before {form} after".encode(), [secret]).decode()

        assert secret not in clean
        assert json.dumps(secret)[1:-1] not in clean
        assert MASK in clean
        assert clean.startswith("before ")
        assert clean.endswith(" after")


@pytest.mark.parametrize(
    "url",
    [
        "p%40ss+w%2Ford%C3%A9%21",
        "p%40ss%20w%2Ford%C3%A9%21",
        "p%40ss%20w%2Ford%C3%A9!",
        "p%40ss%20w/ord%C3%A9%21",
        "p%40ss+w%2ford%c3%a9%21",
    ],
)
def test_a_password_in_a_url_is_taken_out(url: str) -> None:
    assert (
        redact(f"postgresql://me:{url}@host/db".encode(), ["p@ss w/ordé!"]).decode()
        == f"postgresql://me:{MASK}@host/db"
    )


def test_a_value_in_a_json_text_inside_a_json_text_is_taken_out_too() -> None:
    """dbt.log quotes what the warehouse answered, which may be JSON itself."""
    secret = 'pass"word'
    content = json.dumps({"msg": json.dumps({"password": secret})}).encode()

    assert json.loads(json.loads(redact(content, [secret]))["msg"])["password"] != secret


@pytest.mark.parametrize(
    "token",
    [
        PEM,
        json.dumps(PEM)[1:-1],
        PEM.replace("PRIVATE", "RSA PRIVATE"),
        "ghp_" + "a1B2" * 9,
        "ghs_" + "a1B2" * 10,
        "github_pat_" + "a1B2_" * 16,
        "ya29." + "a1-B2_" * 5,
    ],
)
def test_keys_and_tokens_are_known_by_their_shape(token: str) -> None:
    clean = redact(f'{{"message": "x {token} y"}}'.encode(), [])

    assert b"MIIE" not in clean
    assert b"a1" not in clean
    assert clean.startswith(b'{"message": "x *****')
    assert clean.endswith(b' y"}')


@pytest.mark.parametrize("text", ["ghp_short", "xghp_" + "a" * 40, "ya29.x", "-----BEGIN CERTIFICATE-----", "-----"])
def test_ordinary_text_is_left(text: str) -> None:
    assert redact(text.encode(), ["hunter2"]) == text.encode()


def test_the_longer_secret_goes_first() -> None:
    assert redact(b"hunter2-long hunter2", ["hunter2", "hunter2-long"]) == b"***** *****"


def test_a_key_that_was_cut_off_is_known_too() -> None:
    torn = '{"message": "x -----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBg", "status": "error"}'

    assert redact(torn.encode(), []) == b'{"message": "x *****", "status": "error"}'


def _redacted(content: bytes, **assignments: str) -> bytes:
    return redact(content, secret_values(assignments.items(), "", {}))


def test_redaction_does_not_break_the_files_that_the_verdict_is_read_from() -> None:
    """People put `PORT=5432` and `DEBUG=true` into dbt-env too; JSON must stay JSON."""
    content = json.dumps(run_results(result("model.shop.a", execution_time=0.54321, failures=5432, compiled=True)))

    json.loads(_redacted(content.encode(), PORT="5432", DEBUG="true", NOTHING="null"))


def test_redaction_leaves_the_fields_that_the_verdict_is_read_from() -> None:
    line = json.loads(_redacted(node_finished("model.shop.a"), LOG_LEVEL="info", FOLDER="data"))

    assert line["info"]["name"] == "NodeFinished"
    assert line["data"]["node_info"]["unique_id"] == "model.shop.a"


def test_every_file_is_redacted_and_a_clean_one_is_not_touched(tmp_path: Path) -> None:
    deep = tmp_path / "attempts" / "1"
    deep.mkdir(parents=True)
    (deep / "run_results.json").write_text('{"message": "hunter2"}')
    (tmp_path / "dbt.log").write_bytes(node_finished("model.shop.a", "error", "password hunter2\nis wrong"))
    clean = tmp_path / "summary.md"
    clean.write_text("green")
    clean.chmod(0o444)
    before = clean.stat()

    redact_folder(tmp_path, {"hunter2"})

    assert (deep / "run_results.json").read_text() == '{"message": "*****"}'
    assert b"hunter2" not in (tmp_path / "dbt.log").read_bytes()
    assert json.loads((tmp_path / "dbt.log").read_bytes())["info"]["name"] == "NodeFinished"
    assert (clean.stat().st_mtime_ns, clean.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("hunter2")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "link").symlink_to(outside)

    redact_folder(folder, ["hunter2"])

    assert outside.read_text() == "hunter2"


_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="*")


@given(st.text(_LETTERS, min_size=4, max_size=20), st.text(_LETTERS, max_size=20))
def test_no_secret_survives_in_a_json_string(secret: str, around: str) -> None:
    content = json.dumps({"": around + secret + around}).encode()

    assert secret not in json.loads(redact(content, [secret]))[""]


@pytest.mark.parametrize("odd", ["\\ud800", "\\udcff", "\\u0000", "1e999", "[" * 3000])
def test_a_file_that_is_odd_json_is_redacted_all_the_same(odd: str) -> None:
    """dbt quotes what it read: half of a character, or a number beyond all bounds, must not end the run."""
    content = f'{{"message": "hunter2 {odd}", "next": {odd if odd[0] in "1[" else 0}}}\n'.encode()

    clean = redact(content, ["hunter2"])

    assert b"hunter2" not in clean
    clean.decode()


def test_redaction_of_no_secrets_is_nothing() -> None:
    assert redact(b"\xff\x00 any bytes", []) == b"\xff\x00 any bytes"


def test_a_key_by_itself_is_a_secret_line_by_line_also_with_escaped_breaks() -> None:
    assert LINE in secret_values([("KEY", PEM.replace("\n", "\\n"))], (), {})


def test_a_key_in_lines_of_base64_is_known_in_one_line_and_in_each() -> None:
    key = json.dumps({"type": "service_account", "private_key": PEM, "client_email": "dbt@acme"})
    wrapped = encodebytes(key.encode()).decode()

    values = secret_values([], [wrapped], {})

    assert {key, b64encode(key.encode()).decode(), *wrapped.split()} <= values


def test_a_file_with_a_name_outside_of_the_folder_is_left_as_it_is_there(tmp_path: Path) -> None:
    outside, run = tmp_path / "key.json", tmp_path / "run"
    run.mkdir()
    outside.write_text("hunter2")
    os.link(outside, run / "linked.json")
    os.link(outside, run / "again.json")

    redact_folder(run, ["hunter2"])

    assert outside.read_text() == "hunter2"
    assert {file.read_text() for file in run.iterdir()} == {MASK}
    assert (run / "linked.json").stat().st_ino == (run / "again.json").stat().st_ino


def test_the_parts_of_an_oauth_client_that_does_not_say_its_type_are_secrets() -> None:
    client = json.dumps({"installed": {"client_id": "known", "client_secret": "s-e-c"}})

    assert secret_values([("CLIENT", client)], (), {}) >= {client, "s-e-c"}


@pytest.mark.parametrize("word", ["warn", "pass", "success", "build", "Build", "manifest", "run-results", "model"])
def test_a_word_of_dbts_own_is_no_secret(word: str) -> None:
    """`STAGE=build` among the secrets: without the word, the files of the run would say nothing."""
    assert secret_values([("STAGE", word), ("KEY", f"{word}-hunter2")], (), {}) == {f"{word}-hunter2"}
