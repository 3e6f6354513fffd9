"""One colour for a firm or a group, the same in every figure; told apart also by colour-blind readers.

The hues are those of Okabe and Ito (2008, "Color universal design"); firms beyond the eight borrow a shade of
their group's hue.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE, GREY = "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#6B6B6B"
INK, FAINT = "#222222", "#D9D9D9"
SLIDE_INCHES, SLIDE_DPI = (13.3, 7.5), 150
BAND_ALPHA = 0.18

COLOURS = {
    "nvidia": GREEN,
    "amd": ORANGE,
    "custom_silicon": BLUE,
    "other_merchant": GREY,
    "chinese": VERMILION,
    "intel": "#9A9A9A",
    "groq": "#7C6A9C",
    "cerebras": "#8A7A5C",
    "sambanova": "#A58F8F",
    "broadcom": "#005082",
    "marvell": "#4C9BC9",
    "google": BLUE,
    "amazon": SKY,
    "microsoft": "#2F4B7C",
    "meta": "#7FA7D0",
    "oracle": "#A23B2A",
    "xai": BLACK,
    "coreweave": PURPLE,
    "nebius": "#9E5A83",
    "lambda": "#E0B0CC",
    "openai": "#1B6B57",
    "anthropic": "#B5654A",
    "huawei": VERMILION,
    "cambricon": "#F2A06B",
    "china_other": "#8C3D00",
    "alibaba": "#E8862E",
    "tencent": "#B8520F",
    "bytedance": "#F4B183",
    "baidu": "#7A3300",
    "deepseek": "#C96F3B",
    "moonshot": "#94502B",
    "gpu_clouds_small": "#5E3A4E",
    "clouds_my_sg": "#B79BC4",
    "sk_hynix": "#B8860B",
    "samsung": "#3B5BA5",
    "micron": "#6FA8A0",
    "cxmt": "#A8562A",
    "tsmc": "#7D2E46",
    "world": INK,
}
GROUP_NAMES = {
    "nvidia": "Nvidia",
    "amd": "AMD",
    "custom_silicon": "Custom silicon",
    "other_merchant": "Other merchant",
    "chinese": "Chinese vendors",
}


def colour(entity: str) -> str:
    """Return the colour of a firm or group, grey for one that has none of its own."""
    return COLOURS.get(entity, GREY)


def plain_axes(axes: "Axes") -> None:
    """Leave on the axes what a reader needs: no frame, faint horizontal lines, dark text."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=13, length=0)


def spread_labels(heights: list[float], gap: float, low: float, high: float) -> list[float]:
    """Return heights for labels that keep `gap` between them inside [low, high], in the order given.

    Labels that would overlap are pooled into a block around their mean, as in isotonic regression.
    """
    order = sorted(range(len(heights)), key=heights.__getitem__)
    blocks: list[tuple[float, list[int]]] = []  # (height of the first label, its members)
    for place in order:
        blocks.append((min(max(heights[place], low), high), [place]))
        while len(blocks) > 1 and blocks[-2][0] + gap * len(blocks[-2][1]) > blocks[-1][0]:
            members = blocks[-2][1] + blocks[-1][1]
            middle = sum(heights[member] for member in members) / len(members)
            blocks[-2:] = [(middle - gap * (len(members) - 1) / 2, members)]
            start = min(max(blocks[-1][0], low), high - gap * (len(members) - 1))
            blocks[-1] = (start, members)
    placed = [0.0] * len(heights)
    for start, members in blocks:
        for step, member in enumerate(members):
            placed[member] = start + gap * step
    return placed
