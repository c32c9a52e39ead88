"""Pictures of codes as a counter's camera sees them, made from a seed: phone screens and labels, in blur, glare,
moiré, low light, noise, turned and at a distance. They are for measuring where no photographs are at hand; what
they are worth, photographs must say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from tillbox.hardware.decoding import Picture

WIDTH, HEIGHT = 1280, 720
FAULTS = ("clean", "blur", "motion", "glare", "moire", "dark", "noise")


@dataclass(frozen=True, slots=True)
class Made:
    """One picture, what is on it, and what was done to it."""

    name: str
    picture: Picture
    says: bytes


KINDS: dict[str, tuple[Any, Callable[[Random], str]]] = {
    "payment": (zxingcpp.BarcodeFormat.QRCode, lambda random: f"13{random.randrange(10**15, 10**16)}"),
    "coupon": (
        zxingcpp.BarcodeFormat.QRCode,
        lambda random: "".join(random.choices("ABCDEFGH0123456789", k=120)),
    ),
    "goods": (zxingcpp.BarcodeFormat.EAN13, lambda random: _with_check(f"690{random.randrange(10**9):09}")),
    "ticket": (zxingcpp.BarcodeFormat.Code128, lambda random: f"{random.randrange(10**17, 10**18)}"),
}
"""What a customer or a shelf shows: its drawing, and what it says."""


def make(kind: str, count: int, seed: int) -> Iterator[Made]:
    """So many pictures of a kind, each with its own place, size, turn and fault."""
    random = Random(f"{kind} {seed}")
    drawing, text_of = KINDS[kind]
    for number in range(count):
        text, fault = text_of(random), FAULTS[number % len(FAULTS)]
        code = _code(drawing, text)
        picture = _spoiled(_held(code, _drawn(code, random)), fault, random)
        yield Made(f"{kind}-{number:03}-{fault}", picture, text.encode())


def hold(kind: str, fault: str, seed: int) -> tuple[bytes, Iterator[Picture]]:
    """What a code says that somebody holds before the camera, and the frames, without end. The hand shakes, and the
    fault is drawn anew for each frame: focus hunts, glare wanders."""
    random = Random(f"hold {kind} {fault} {seed}")
    drawing, text_of = KINDS[kind]
    text = text_of(random)
    code = _code(drawing, text)
    return text.encode(), _shaken(code, _drawn(code, random), fault, random)


def _shaken(code: NDArray[np.uint8], scene: Scene, fault: str, random: Random) -> Iterator[Picture]:
    while True:
        yield _spoiled(_held(code, scene), fault, random)
        scene = replace(
            scene,
            x=scene.x + random.gauss(0, 3),
            y=scene.y + random.gauss(0, 3),
            turn_degrees=scene.turn_degrees + random.gauss(0, 0.7),
        )


def counter(seed: int) -> Iterator[Picture]:
    """Frames of one counter on which nothing moves, without end: goods, print and a grille, and the sensor's noise."""
    random = Random(f"counter {seed}")
    shop = _shop(random).astype(np.uint8)
    for _ in range(30):
        x, y = random.randrange(WIDTH), random.randrange(HEIGHT)
        size = (x + random.randint(40, 260), y + random.randint(30, 200))
        cv2.rectangle(shop, (x, y), size, random.randrange(30, 200), random.choice((-1, -1, 3)))
    for line in range(12):
        where = (random.randrange(WIDTH // 2), 60 + 55 * line)
        cv2.putText(shop, "Tea 12.50  Milk 3.80", where, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 20, 1, cv2.LINE_AA)
    shop[500:640, 1000:1200] = np.where(np.arange(200) % 10 < 4, 60, 150)  # what is striped and no code
    chance = np.random.default_rng(random.getrandbits(32))
    while True:
        noisy = shop + chance.normal(0, 4, shop.shape)
        yield np.asarray(np.clip(noisy, 0, 255), np.uint8)


def _code(drawing: Any, text: str) -> NDArray[np.uint8]:
    return np.asarray(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, drawing), scale=8))


def _with_check(digits: str) -> str:
    weighted = sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a code is held, in what light and before what: its width in pixels, its turn in degrees, its middle."""

    wide: float
    turn_degrees: float
    x: float
    y: float
    shop: NDArray[np.float32]
    bright: float
    dark: float


def _drawn(code: NDArray[np.uint8], random: Random) -> Scene:
    wide = random.uniform(170, 420) if code.shape[0] > code.shape[1] * 0.8 else random.uniform(240, 560)
    turn_degrees = random.uniform(-25, 25)
    x, y = random.uniform(wide, WIDTH - wide), random.uniform(0.42, 0.58) * HEIGHT
    shop = _shop(random)
    return Scene(wide, turn_degrees, x, y, shop, random.uniform(190, 235), random.uniform(15, 60))


def _held(code: NDArray[np.uint8], scene: Scene) -> NDArray[np.float32]:
    """The code on a bright sheet before a grey shop, at some distance and not quite straight."""
    scale = scene.wide / code.shape[1]
    turn = cv2.getRotationMatrix2D((code.shape[1] / 2, code.shape[0] / 2), scene.turn_degrees, scale)
    turn[:, 2] += np.array([scene.x - code.shape[1] / 2, scene.y - code.shape[0] / 2])
    size = (WIDTH, HEIGHT)
    sheet = cv2.copyMakeBorder(code, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=255)
    moved = turn.copy()
    moved[:, 2] -= turn[:, :2] @ np.array([60, 60])
    ink = cv2.warpAffine(sheet, moved, size, flags=cv2.INTER_AREA, borderValue=255).astype(np.float32)
    mask = cv2.warpAffine(np.full_like(sheet, 255), moved, size).astype(np.float32) / 255
    shown = scene.dark + ink / 255 * (scene.bright - scene.dark)
    return np.asarray(scene.shop * (1 - mask) + shown * mask, np.float32)


def _shop(random: Random) -> NDArray[np.float32]:
    coarse = np.random.default_rng(random.getrandbits(32)).uniform(40, 170, (9, 16)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def _spoiled(light: NDArray[np.float32], fault: str, random: Random) -> Picture:
    chance = np.random.default_rng(random.getrandbits(32))
    sigma = random.uniform(2, 4)
    if fault == "blur":
        light = _as_light(cv2.GaussianBlur(light, (0, 0), random.uniform(1.2, 2.6)))
    elif fault == "motion":
        length = random.randint(5, 11)
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turned = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), random.uniform(0, 180), 1)
        light = _as_light(cv2.filter2D(light, -1, cv2.warpAffine(kernel, turned, (length, length))))
    elif fault == "glare":
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        x, y = random.uniform(0.3, 0.7) * WIDTH, random.uniform(0.3, 0.7) * HEIGHT
        spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * random.uniform(50, 110) ** 2))
        light = _as_light(light + spot * random.uniform(80, 200))
    elif fault == "moire":
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        waves = np.sin(columns / random.uniform(1.2, 3) + rows / random.uniform(3, 9))
        light = _as_light(light * (1 + random.uniform(0.08, 0.22) * waves))
    elif fault == "dark":
        light, sigma = _as_light(light * random.uniform(0.15, 0.3)), random.uniform(3, 6)
    elif fault == "noise":
        sigma = random.uniform(12, 24)
    noisy = light + chance.normal(0, sigma, light.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def _as_light(picture: object) -> NDArray[np.float32]:
    return np.asarray(picture, np.float32)
