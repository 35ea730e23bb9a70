"""`make docs`: writes from the code what would else be written twice: settings, problem codes, `.env.example`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from server.errors import CODES
from server.settings import TEST_SETTINGS, Settings, env_example, variable
from server.sheets.explain import layout_page

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = "<!-- Written by `make docs` from the code: change it there. -->"


def settings_page() -> str:
    """`docs/settings.md`."""
    lines = [
        WRITTEN,
        "# Settings 设置",
        "",
        "Settings are environment variables. An unknown `SUIJIAN_` name or a bad value stops the start with a sentence",
        "that names it. 设置均为环境变量；名称未知或取值有误时，服务不会启动，并以一句话指明。",
        "",
        "| variable 变量 | default 默认值 | meaning 含义 |",
        "|---|---|---|",
    ]
    for knob in dataclasses.fields(Settings):
        default = ("yes" if knob.default else "no") if isinstance(knob.default, bool) else str(knob.default)
        meaning = f"{knob.metadata['en']}<br>{knob.metadata['zh']}"
        lines.append(f"| `{variable(knob.name)}` | {f'`{default}`' if default else ''} | {meaning} |")
    lines += [f"| `{name}` | | {en}<br>{zh} |" for name, (en, zh) in TEST_SETTINGS.items()]
    return "\n".join(lines) + "\n"


def problems_page() -> str:
    """`docs/problems.md`."""
    lines = [
        WRITTEN,
        "# Problems 错误代码",
        "",
        "Every error is answered as `application/problem+json` with `type`, `title`, `status`, `detail`, `code`, and",
        "`article` where an article of the rules stands behind it; `Accept-Language` chooses zh-CN (default) or en.",
        "`min_proto` carries the least version of the exchange that is taken as a member of that name.",
        "",
        "| code | status | article | 中文 | English |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{code}` | {line.status} | {line.article or ''} | {line.zh} | {line.en} |" for code, line in CODES.items()
    ]
    return "\n".join(lines) + "\n"


PAGES = {
    ".env.example": env_example,
    "docs/settings.md": settings_page,
    "docs/problems.md": problems_page,
    "docs/import.zh.md": layout_page,
}


def main() -> None:
    """Writes every page."""
    for name, page in PAGES.items():
        (ROOT / name).write_text(page())
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
