"""Who is heard in a call in which several speak at once: each speaks with a tone of their own."""

from __future__ import annotations

import asyncio

import numpy as np

from cordboard.phones import listening
from cordboard.phones.phone_call import PhoneCall

WINDOW = round(0.2 * listening.RATE)
LET_THROUGH = 1_500.0  # what music holds of one frequency over half a second is far below
AUDIBLE = 400.0  # of 32768; a tone of these phones arrives with some thousands, the edges of others' tones with less


def loudness_at(samples: listening.Samples, frequency: float) -> float:
    """The amplitude of one frequency: one dot product."""
    values = samples.astype(np.float64)
    turns = np.exp(-2j * np.pi * frequency / listening.RATE * np.arange(len(values)))
    return float(2 * abs(values @ turns) / max(len(values), 1))


async def hears(call: PhoneCall, *frequencies: float, within: float = 5.0) -> None:
    """All of these tones are heard at once, from now on."""
    start = call.sound.position
    try:
        async with asyncio.timeout(within):
            while True:
                new = call.heard(start)[-WINDOW:]
                if len(new) == WINDOW and all(loudness_at(new, one) > AUDIBLE for one in frequencies):
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        new = call.heard(start)[-WINDOW:]
        found = {one: round(loudness_at(new, one)) for one in frequencies}
        raise AssertionError(f"not heard within {within} s: {found} in {len(new)} samples") from None


async def deaf_to(call: PhoneCall, frequency: float, seconds: float = 0.6, within: float = 5.0) -> None:
    """Soon there is a stretch of so many seconds without this tone. One that is let through is there all the time.

    Not at once: what the other phone and the way had in their buffers still comes. And time, not samples: a leg at the
    desk is sent nothing at all.
    """
    size = round(seconds * listening.RATE)
    async with asyncio.timeout(within):
        start = call.sound.position
        await asyncio.sleep(seconds)
        while loudness_at(call.heard(max(start, call.sound.position - size)), frequency) > LET_THROUGH:
            start = call.sound.position
            await asyncio.sleep(seconds)
