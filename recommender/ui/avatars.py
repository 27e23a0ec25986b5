"""Viewers' faces: twelve creatures drawn from a shape and a hue, as an image address that needs no file and no network."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from typing import Any

DARK = "#1b1512"


def face(avatar: dict[str, Any], name: str = "") -> str:
    """A data: address of the drawing; an unknown shape becomes the first letter of the name."""
    return _face(avatar["shape"], avatar["hue"] % 360, name[:1].upper())


@cache
def _face(shape: str, hue: int, letter: str) -> str:
    body = SHAPES[shape](hue) if shape in SHAPES else _letter(letter)
    light, dark = f"hsl({hue} 46% 50%)", f"hsl({(hue + 24) % 360} 52% 30%)"
    ground = f'<linearGradient id="g" x2=".4" y2="1"><stop stop-color="{light}"/><stop offset="1" stop-color="{dark}"/></linearGradient>'
    sheet = f'<defs>{ground}</defs><rect width="120" height="120" fill="url(#g)"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120">{sheet}{body}</svg>'
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _letter(letter: str) -> str:
    safe = letter if letter.isalnum() else "?"
    return f'<text x="60" y="80" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="58" fill="#fff6e4">{safe}</text>'


def _dot(x: float, y: float, r: float, fill: str = DARK, ry: float | None = None) -> str:
    return f'<ellipse cx="{x}" cy="{y}" rx="{r}" ry="{ry or r}" fill="{fill}"/>'


def _both(x: float, y: float, r: float, fill: str = DARK, ry: float | None = None) -> str:
    return _dot(60 - x, y, r, fill, ry) + _dot(60 + x, y, r, fill, ry)


def _path(d: str, fill: str = DARK) -> str:
    return f'<path d="{d}" fill="{fill}"/>'


def _box(x: float, y: float, w: float, h: float, r: float, fill: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}" fill="{fill}"/>'


def _oval(x: float, y: float, rx: float, ry: float, fill: str, turn: float) -> str:
    return f'<ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}" fill="{fill}" transform="rotate({turn} {x} {y})"/>'


def _mirrored(body: str) -> str:
    return f'{body}<g transform="translate(120 0) scale(-1 1)">{body}</g>'


def _mirror(d: str, fill: str) -> str:
    return _mirrored(_path(d, fill))


def _stroke(d: str, width: float = 3, colour: str = DARK) -> str:
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round"/>'


def _eyes(y: float, apart: float = 16, r: float = 5) -> str:
    return (
        _both(apart, y, r) + _dot(60 - apart + r * 0.35, y - r * 0.4, r * 0.32, "#fff") + _dot(60 + apart + r * 0.35, y - r * 0.4, r * 0.32, "#fff")
    )


def _head(fill: str, y: float = 74, rx: float = 40, ry: float = 38) -> str:
    return _dot(60, y, rx, fill, ry)


def ghost(hue: int) -> str:
    sheet = "M24 126V62a36 36 0 0 1 72 0v64l-12-12-12 12-12-12-12 12-12-12z"
    return _path(sheet, "#fbf4e4") + _eyes(62, 13, 6) + _dot(60, 82, 6, DARK, 8) + _both(26, 76, 5, "#f2b8a6", 3)


def owl(hue: int) -> str:
    ears = _mirror("M22 30l24 12-22 18z", f"hsl({hue} 30% 26%)")
    return (
        ears
        + _head(f"hsl({hue} 30% 26%)", 78, 42, 46)
        + _both(18, 66, 19, "#fbf1da")
        + _both(18, 66, 10, "#f0a93a")
        + _eyes(66, 18, 6)
        + _path("M54 78h12l-6 13z", "#f0a93a")
    )


def bear(hue: int) -> str:
    return (
        _both(32, 42, 15, "#7a4a2b")
        + _both(32, 42, 7, "#d39a6a")
        + _head("#7a4a2b")
        + _dot(60, 86, 20, "#e2b88c", 16)
        + _eyes(68)
        + _dot(60, 79, 7, DARK, 5)
        + _stroke("M60 84v6q-6 6-11 2M60 90q6 6 11 2", 2.4)
    )


def penguin(hue: int) -> str:
    return (
        _head("#1d2733", 78, 44, 52)
        + _both(16, 72, 20, "#fdf6e7", 24)
        + _dot(60, 96, 32, "#fdf6e7", 22)
        + _eyes(68, 15)
        + _path("M46 80q14-9 28 0q-14 17-28 0z", "#f2a33a")
    )


def lion(hue: int) -> str:
    mane = "".join(f'<ellipse cx="60" cy="26" rx="13" ry="20" fill="#a3521b" transform="rotate({a} 60 72)"/>' for a in range(0, 360, 30))
    return (
        mane
        + _head("#f0b654", 74, 34, 34)
        + _dot(60, 86, 16, "#fbe3b4", 12)
        + _eyes(68, 14)
        + _path("M51 78h18l-9 9z")
        + _stroke("M60 86v5q-5 5-10 1M60 91q5 5 10 1", 2.4)
    )


def cat(hue: int) -> str:
    coat = "#2a2530"
    eyes = _both(17, 70, 9, "#e9d34e") + _both(17, 70, 3, DARK, 8)
    whiskers = "".join(_stroke(f"M{60 + s * 22} {84 + k}l{s * 24} {k - 2}", 1.6, "#cfc6d6") for s in (-1, 1) for k in (0, 5))
    return (
        _mirror("M22 24l30 22-26 22z", coat)
        + _mirror("M28 34l15 12-13 11z", "#e59aa5")
        + _head(coat, 76)
        + eyes
        + _path("M54 82h12l-6 6z", "#e59aa5")
        + _stroke("M60 88q-5 7-11 3M60 88q5 7 11 3", 2.2, "#cfc6d6")
        + whiskers
    )


def robot(hue: int) -> str:
    head = _box(22, 40, 76, 62, 14, "#dfe4e2") + _box(32, 52, 56, 28, 10, "#1f2a30")
    neck = _box(46, 102, 28, 20, 0, "#a9b3b1") + _mirrored(_box(14, 60, 8, 22, 4, "#a9b3b1"))
    return (
        _stroke("M60 40V24", 4, "#a9b3b1")
        + _dot(60, 20, 7, "#ff7a4d")
        + neck
        + head
        + _both(14, 66, 6.5, "#6fe3d2")
        + _stroke("M46 91h28", 4, "#8d9896")
    )


def rabbit(hue: int) -> str:
    ears = _mirrored(_oval(42, 30, 12, 32, "#f6eee0", -8) + _oval(42, 32, 6, 22, "#f0b3b0", -8))
    teeth = _box(54.5, 93, 11, 11, 2, "#fff")
    return (
        ears
        + _head("#f6eee0", 82, 38, 34)
        + _eyes(76, 16)
        + teeth
        + _path("M54 85h12l-6 6z", "#e58f93")
        + _stroke("M60 91q-5 5-10 1M60 91q5 5 10 1", 2.2)
        + _both(27, 90, 6, "#f4c9bd", 4)
    )


def fox(hue: int) -> str:
    coat = "#e0702c"
    return (
        _mirror("M18 24l34 22-28 26z", coat)
        + _mirror("M25 35l17 12-14 13z", DARK)
        + _path("M18 62Q60 30 102 62Q96 100 60 114Q24 100 18 62z", coat)
        + _mirror("M18 62Q44 66 60 114Q26 100 18 62z", "#fdf3e2")
        + _eyes(72, 17)
        + _dot(60, 107, 7, DARK, 5.5)
    )


def frog(hue: int) -> str:
    skin = "#79b84c"
    return (
        _both(24, 46, 19, skin)
        + _head(skin, 80, 46, 34)
        + _both(24, 45, 12, "#fdf8e6")
        + _eyes(45, 24, 6.5)
        + _stroke("M30 84q30 24 60 0", 3.6, "#33591f")
        + _both(6, 72, 2, "#33591f")
        + _both(34, 82, 6, "#a5d67c", 4)
    )


def panda(hue: int) -> str:
    patches = _mirrored(_oval(43, 70, 11, 14, "#201b1d", 24))
    return (
        _both(33, 42, 15, "#201b1d")
        + _head("#fbf5e8", 76, 42, 38)
        + patches
        + _both(15, 70, 4.5, "#fff")
        + _both(15, 70, 2.6)
        + _dot(60, 86, 7, "#201b1d", 5)
        + _stroke("M60 91q-6 7-11 2M60 91q6 7 11 2", 2.4)
    )


def koala(hue: int) -> str:
    ears = _both(38, 54, 22, "#8f9aa3") + _both(38, 56, 13, "#e6c3c0")
    return ears + _head("#a9b3ba", 76, 38, 36) + _eyes(70, 18) + _box(50, 70, 20, 28, 10, "#2a2b30") + _stroke("M50 103q10 6 20 0", 2.4)


SHAPES = {f.__name__: f for f in (ghost, owl, bear, penguin, lion, cat, robot, rabbit, fox, frog, panda, koala)}
