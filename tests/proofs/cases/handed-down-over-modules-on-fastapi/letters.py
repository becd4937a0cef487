from turns import pause


async def heading(desk) -> str:
    await pause()
    return "\n".join(greeting(desk, number) for number in range(desk.lines))


def greeting(desk, number: int) -> str:
    return f"{number}. Dear {desk.user}"
