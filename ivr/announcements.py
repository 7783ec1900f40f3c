"""What the system itself says, whatever the dialplan: confirmations of feature codes, the apology while it is away."""

from __future__ import annotations

from enum import StrEnum


class Announcement(StrEnum):
    """The value of `FALLBACK_APOLOGY` is also its file name: the plain dialplan plays it when nobody else can."""

    LOGGED_IN = "logged-in"
    LOGGED_OUT = "logged-out"
    PAUSED = "paused"
    READY = "ready"
    ALREADY_LOGGED_IN = "already-logged-in"
    EXTENDED = "extended"
    CLASSIFIED = "classified"
    NOT_CLASSIFIED = "not-classified"
    UNKNOWN_CODE = "unknown-code"
    REFUSED = "refused"
    FALLBACK_APOLOGY = "fallback-apology"


DEFAULT_LANGUAGE = "en"

_TEXTS: dict[str, dict[Announcement, str]] = {
    "en": {
        Announcement.LOGGED_IN: "You are logged in. Calls can reach you now.",
        Announcement.LOGGED_OUT: "You are logged out.",
        Announcement.PAUSED: "You are paused. No calls will be offered to you.",
        Announcement.READY: "You are ready for calls.",
        Announcement.ALREADY_LOGGED_IN: "You are logged in already.",
        Announcement.EXTENDED: "You have more time.",
        Announcement.CLASSIFIED: "Noted.",
        Announcement.NOT_CLASSIFIED: "First say what the call led to.",
        Announcement.UNKNOWN_CODE: "This code is not known.",
        Announcement.REFUSED: "This is not possible at the moment.",
        Announcement.FALLBACK_APOLOGY: (
            "We are sorry. We cannot take your call the usual way at the moment. Please stay on the line."
        ),
    },
    "es": {
        Announcement.LOGGED_IN: "Ha iniciado sesión. Ya puede recibir llamadas.",
        Announcement.LOGGED_OUT: "Ha cerrado sesión.",
        Announcement.PAUSED: "Está en pausa. No se le ofrecerán llamadas.",
        Announcement.READY: "Está disponible para recibir llamadas.",
        Announcement.ALREADY_LOGGED_IN: "Ya había iniciado sesión.",
        Announcement.EXTENDED: "Tiene más tiempo.",
        Announcement.CLASSIFIED: "Anotado.",
        Announcement.NOT_CLASSIFIED: "Indique antes el resultado de la llamada.",
        Announcement.UNKNOWN_CODE: "Este código no existe.",
        Announcement.REFUSED: "Esto no es posible en este momento.",
        Announcement.FALLBACK_APOLOGY: (
            "Lo sentimos. En este momento no podemos atender su llamada de la forma habitual. "
            "Por favor, permanezca en la línea."
        ),
    },
}


def spoken_language(language: str) -> str:
    """The language in which somebody who should hear `language` hears announcements."""
    return language if language in _TEXTS else DEFAULT_LANGUAGE


def text_of(announcement: Announcement, language: str) -> str:
    return _TEXTS[spoken_language(language)][announcement]
