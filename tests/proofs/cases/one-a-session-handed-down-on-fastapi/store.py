"""What was said."""

lines: list[str] = []


def remember(text: str) -> None:
    lines.append(text)


def everything() -> list[str]:
    return list(lines)
