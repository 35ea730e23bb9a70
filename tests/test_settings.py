"""Settings come from the environment, and a wrong one stops the start with a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from server.settings import SettingFault, Settings, read_settings


def test_without_any_setting_the_server_listens_on_loopback_only() -> None:
    settings = read_settings({})
    assert (settings.host, settings.port, settings.is_loopback) == ("127.0.0.1", 8000, True)
    assert settings.origin == "http://localhost:8000"


def test_the_database_is_a_file_in_the_data_folder_unless_told_otherwise() -> None:
    assert Settings(data=Path("/srv/suijian")).database == "sqlite:////srv/suijian/suijian.db"
    assert read_settings({"SUIJIAN_DATABASE_URL": "postgresql+psycopg://h/d"}).database == "postgresql+psycopg://h/d"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SUIJIAN_PORT", "eighty", "Setting 'SUIJIAN_PORT' is 'eighty': not a whole number."),
        ("SUIJIAN_PORT", "70000", "Setting 'SUIJIAN_PORT' is '70000': not a port between 1 and 65535."),
        ("SUIJIAN_WORKERS", "0", "Setting 'SUIJIAN_WORKERS' is '0': not a number of workers between 1 and 64."),
        ("SUIJIAN_TRUST_PROXY", "1", "Setting 'SUIJIAN_TRUST_PROXY' is '1': neither 'yes' nor 'no'."),
        ("SUIJIAN_SERVER", "nginx", "Setting 'SUIJIAN_SERVER' is 'nginx': none of uvicorn, granian."),
    ],
)
def test_a_bad_value_is_named_with_its_setting(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingFault) as caught:
        read_settings({name: value})
    assert str(caught.value) == sentence


@pytest.mark.parametrize("value", ["ftp://x", "https://x/app", "suijian.example.cn", "https://"])
def test_a_public_address_is_an_origin(value: str) -> None:
    with pytest.raises(SettingFault, match="SUIJIAN_PUBLIC_URL"):
        read_settings({"SUIJIAN_PUBLIC_URL": value})


@pytest.mark.parametrize("value", ["mysql://h/d", "sqlite://", "postgresql://h/d"])
def test_only_the_two_databases_are_taken(value: str) -> None:
    with pytest.raises(SettingFault, match="SUIJIAN_DATABASE_URL"):
        read_settings({"SUIJIAN_DATABASE_URL": value})


def test_an_unknown_name_is_named_and_the_known_ones_are_listed() -> None:
    with pytest.raises(SettingFault, match=r"There is no setting 'SUIJIAN_PROT'.*SUIJIAN_PORT"):
        read_settings({"SUIJIAN_PROT": "1"})


def test_a_wrong_setting_ends_the_command_with_2_and_the_sentence_on_stderr() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "server", "serve"],
        env={"SUIJIAN_PORT": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (2, "Setting 'SUIJIAN_PORT' is 'x': not a whole number.\n")
