"""Every knob of the server: its environment variable, default and meaning; read once at the start and passed in."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "SUIJIAN_"


class SettingFault(Exception):
    """A setting that stops the start; its text is the sentence that names the setting and the value."""


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _port(text: str) -> int:
    number = _whole(text)
    if not 1 <= number <= 65535:
        raise ValueError("not a port between 1 and 65535")
    return number


def _workers(text: str) -> int:
    number = _whole(text)
    if not 1 <= number <= 64:
        raise ValueError("not a number of workers between 1 and 64")
    return number


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not a whole number")
    return int(text)


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("neither 'yes' nor 'no'")
    return text == "yes"


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("not an address like https://suijian.example.cn, without a path")
    return text.rstrip("/")


def _database(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("neither sqlite:///... nor postgresql+psycopg://...")
    return text


def _media(text: str) -> str:
    if "://" in text:
        raise ValueError("not a folder (object stores are not supported in this version)")
    return text


def _one_of(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError("none of " + ", ".join(names))
        return text

    return read


def knob(default: Any, read: Callable[[str], Any], en: str, zh: str) -> Any:
    """One setting: its default, how its text is read, and what it means."""
    return field(default=default, metadata={"read": read, "en": en, "zh": zh})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one server. The environment variable of `public_url` is SUIJIAN_PUBLIC_URL, and so on."""

    data: Path = knob(
        Path("data"),
        _path,
        "Folder of the embedded database, the media and the keys.",
        "数据文件夹：内嵌数据库、影像和密钥都在其中。",
    )
    host: str = knob("127.0.0.1", str, "Address to listen on.", "监听地址。")
    port: int = knob(8000, _port, "Port to listen on.", "监听端口。")
    public_url: str = knob(
        "",
        _origin,
        "Address that people open, such as https://suijian.example.cn; empty: http://localhost:<port>. "
        "With https, cookies get the __Host- prefix and answers get HSTS.",
        "用户打开的网址，例如 https://suijian.example.cn；不填则为 http://localhost:<端口>。"
        "使用 https 时启用安全 Cookie 与 HSTS。",
    )
    database_url: str = knob(
        "",
        _database,
        "Database: sqlite:///<file> or postgresql+psycopg://...; empty: suijian.db in the data folder.",
        "数据库地址：sqlite:///<文件> 或 postgresql+psycopg://...；不填则为数据文件夹中的 suijian.db。",
    )
    media_url: str = knob(
        "",
        _media,
        "Folder of photos and signatures; empty: media in the data folder.",
        "影像文件夹；不填则为数据文件夹中的 media。",
    )
    workers: int = knob(
        1,
        _workers,
        "Number of server processes. One is right for the embedded database.",
        "服务进程数。使用内嵌数据库时保持 1。",
    )
    server: str = knob(
        "uvicorn",
        _one_of("uvicorn", "granian"),
        "HTTP server: uvicorn or granian.",
        "HTTP 服务器：uvicorn 或 granian。",
    )
    trust_proxy: bool = knob(
        False,
        _yes,
        "'yes' behind a reverse proxy of your own: the caller's address is then the last one of X-Forwarded-For.",
        "部署在自己的反向代理之后时填 yes：取 X-Forwarded-For 的最后一个地址作为来访地址。",
    )
    demo_anywhere: bool = knob(
        False,
        _yes,
        "'yes' serves a database with demo accounts on other addresses than loopback too: anybody can then sign in.",
        "填 yes 则允许在本机以外的地址上提供含演示账号的数据库（任何人都能登录，慎用）。",
    )
    log_level: str = knob("info", _one_of("debug", "info", "warning", "error"), "How much is logged.", "日志级别。")

    @property
    def origin(self) -> str:
        """The address that people open, without a slash at its end."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether people open it by https: cookies and HSTS follow from it."""
        return self.origin.startswith("https://")

    @property
    def database(self) -> str:
        """The database's address, the default filled in."""
        return self.database_url or f"sqlite:///{self.data.absolute() / 'suijian.db'}"

    @property
    def media(self) -> Path:
        """The folder of the media."""
        return Path(self.media_url).expanduser() if self.media_url else self.data / "media"

    @property
    def keys(self) -> Path:
        """The folder of the server's keys."""
        return self.data / "keys"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


TEST_SETTINGS: dict[str, tuple[str, str]] = {
    "SUIJIAN_CHROMIUM": (
        "For `make test`: the Chromium to test with.",
        "供 make test 使用：测试所用的 Chromium。",
    ),
    "SUIJIAN_TEST_POSTGRES": (
        "For `make test`: postgresql+psycopg://... of a server where tests may make and drop databases.",
        "供 make test 使用：可由测试新建、删除数据库的 PostgreSQL 地址。",
    ),
}


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Reads the settings; raises `SettingFault` at a name that doesn't exist or a value that can't be read."""
    knobs = {variable(knob.name): knob for knob in dataclasses.fields(Settings)}
    values: dict[str, Any] = {}
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX) or name in TEST_SETTINGS:
            continue
        if name not in knobs:
            raise SettingFault(f"There is no setting '{name}'. The settings are: {', '.join(sorted(knobs))}.")
        if text == "":
            continue
        try:
            values[knobs[name].name] = knobs[name].metadata["read"](text)
        except ValueError as fault:
            raise SettingFault(f"Setting '{name}' is '{text}': {fault}.") from None
    return Settings(**values)


def env_example() -> str:
    """The text of `.env.example`, written from the list above."""
    lines = ["# Settings of Suijian. Each has the default shown; uncomment a line to change it.", ""]
    for knob in dataclasses.fields(Settings):
        default = ("yes" if knob.default else "no") if isinstance(knob.default, bool) else knob.default
        lines += [f"# {knob.metadata['en']}", f"# {knob.metadata['zh']}", f"#{variable(knob.name)}={default}", ""]
    for name, (en, zh) in TEST_SETTINGS.items():
        lines += [f"# {en}", f"# {zh}", f"#{name}=", ""]
    return "\n".join(lines)
