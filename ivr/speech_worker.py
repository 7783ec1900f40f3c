"""`python -m ivr.speech_worker`: speaks texts into files, and makes recorded sounds fit for a telephone.

One JSON line in, one JSON line out, until its input ends.

A process of its own: the English model needs 280 MB that the service must not hold, and synthesis must not delay a
call. Decides how each engine is called. It refuses to know what the texts are for.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from ivr.errors import VoiceError
from ivr.own_sounds import MAX_BYTES, digest
from ivr.sound import for_telephone, write_wav

ESPEAK_LIMIT_S = 60
WORDS_A_MINUTE = 155
Sound = tuple[NDArray[np.float32], int]


@functools.cache
def hibari(name: str) -> Any:
    """The model, loaded once. Only voices inside the package: this must work without a network."""
    from hibari import Hibari
    from hibari.voices import VOICES

    if not VOICES.get(name, {}).get("bundled"):
        raise VoiceError(f"hibari has no built-in voice {name!r}")
    return Hibari(voice=name)


def speak_hibari(text: str, name: str) -> Sound:
    model = hibari(name)
    return np.asarray(model(text, seed=0), dtype=np.float32), int(model.sample_rate)


def speak_espeak(text: str, name: str, program: str) -> Sound:
    # To a file: the header that espeak-ng writes into a pipe does not know the length.
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        file = Path(folder) / "spoken.wav"
        command = [program, "-v", name, "-s", str(WORDS_A_MINUTE), "-w", str(file), "-b", "1", "--stdin"]
        try:
            subprocess.run(command, input=text.encode(), capture_output=True, timeout=ESPEAK_LIMIT_S, check=True)
            samples, rate = soundfile.read(file, dtype="float32")
        except (OSError, subprocess.SubprocessError, soundfile.SoundFileError) as error:
            raise VoiceError(f"espeak-ng failed: {type(error).__name__}") from error
    return np.asarray(samples, dtype=np.float32), int(rate)


def convert(job: dict[str, Any]) -> dict[str, Any]:
    """Make a sound of the admin's own fit for a telephone."""
    # scipy is as big as all the rest, and most sites have no sounds of their own
    from ivr.loudness import NotPlayable, for_telephone, read

    path = Path(job["path"])
    try:
        with Path(job["convert"]).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if digest(content) != job["content"]:
            return {"error": "it was changed just now; load the dialplans again"}
        write_wav(path, for_telephone(*read(content)))
    except NotPlayable as wrong:
        return {"error": str(wrong)}
    except (OSError, MemoryError) as error:
        return {"error": f"it cannot be read or written ({type(error).__name__})"}
    return {"path": str(path)}


def do(job: dict[str, Any]) -> dict[str, Any]:
    """Try the job's voices one after another. A voice whose file is there already has nothing to do."""
    if "convert" in job:
        return convert(job)
    reasons: list[str] = []
    for attempt in job["attempts"]:
        path = Path(attempt["path"])
        if path.exists():
            return {"path": str(path)}
        try:
            if attempt["engine"] == "hibari":
                samples, rate = speak_hibari(job["text"], attempt["voice"])
            else:
                samples, rate = speak_espeak(job["text"], attempt["voice"], attempt["program"])
            if not len(samples):
                raise VoiceError("nothing was spoken")
            write_wav(path, for_telephone(samples, rate))
        except Exception as error:  # an engine of somebody else's may fail in any way; the next one is tried
            reasons.append(f"{attempt['engine']}: {type(error).__name__}: {error}")
        else:
            return {"path": str(path)}
    return {"error": "; ".join(reasons)}


def main() -> None:
    os.nice(10)  # calls go first
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not look like an answer
    for line in sys.stdin.buffer:
        answers.write(json.dumps(do(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
