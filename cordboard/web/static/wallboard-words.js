// The wallboard's words, in the browser's language where we have it.
"use strict";

const WORDS = {
  en: {
    queues: "Queues", agents: "Agents", token: "API token", open: "Open the wallboard",
    where: "It is in var/secrets.yaml; `make up` prints an address that holds it.", wrong: "That token is not the right one.",
    live: "live", connecting: "connecting", lost: "no live data",
    stale: (at, lasting) => `Not live since ${at} (${lasting}). What you see may be wrong. Trying again.`,
    unlinked: "The telephone system is not connected: calls may be waiting unseen.",
    calm: "calm", warn: "long wait", alarm: "alarm", nobody: "nobody logged in", closed: "closed", opens: "opens",
    waiting: "waiting", longest: "longest wait", expected: "expected wait",
    free: "free", talking: "talking", wrap_up: "wrap-up", not_ready: "not ready", logged_out: "logged out",
    offered: "offered today", answered: "answered", abandoned: "abandoned", level: "service level",
    away: (names) => `Logged out: ${names}`, told: (queue, level, waiting) => `${queue}: ${level}, ${waiting} waiting`,
    four_of_five: "four callers in five wait less",
    after: "then", owes: "disposition missing",
    states: {
      ready: "free", busy: "on the phone", unreachable: "phone not connected", resting: "resting", offering: "ringing",
      connecting: "connecting", talking: "talking", hold: "on hold",
      wrap_up: "wrap-up", not_ready: "not ready", logged_out: "logged out",
    },
    reasons: { ring_no_answer: "did not answer", removed: "removed" },
    events: { "log out": "logs out", pause: "pauses", "become ready": "free" },
  },
  es: {
    queues: "Colas", agents: "Agentes", token: "Clave de la API", open: "Abrir el panel",
    where: "Está en var/secrets.yaml; `make up` muestra una dirección que la contiene.", wrong: "Esa clave no es la correcta.",
    live: "en directo", connecting: "conectando", lost: "sin datos en directo",
    stale: (at, lasting) => `Sin datos en directo desde las ${at} (${lasting}). Lo que ve puede no ser cierto. Reintentando.`,
    unlinked: "La centralita no está conectada: puede haber llamadas en espera que no se ven.",
    calm: "tranquilo", warn: "espera larga", alarm: "alarma", nobody: "nadie conectado", closed: "cerrada", opens: "abre",
    waiting: "en cola", longest: "espera más larga", expected: "espera prevista",
    free: "libres", talking: "hablando", wrap_up: "cierre", not_ready: "en pausa", logged_out: "sin sesión",
    offered: "hoy recibidas", answered: "atendidas", abandoned: "abandonadas", level: "nivel de servicio",
    away: (names) => `Desconectados: ${names}`, told: (queue, level, waiting) => `${queue}: ${level}, ${waiting} en espera`,
    four_of_five: "cuatro de cada cinco esperan menos",
    after: "después", owes: "falta el resultado",
    states: {
      ready: "libre", busy: "al teléfono", unreachable: "teléfono sin conexión", resting: "descanso", offering: "sonando",
      connecting: "conectando", talking: "hablando", hold: "en retención",
      wrap_up: "cierre", not_ready: "en pausa", logged_out: "desconectado",
    },
    reasons: { ring_no_answer: "no contestó", removed: "eliminado" },
    events: { "log out": "se desconecta", pause: "pausa", "become ready": "libre" },
  },
};

const LANGUAGE = (navigator.languages || [navigator.language]).map((one) => one.slice(0, 2).toLowerCase())
  .find((one) => one in WORDS) || "en";
const T = WORDS[LANGUAGE];
