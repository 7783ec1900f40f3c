// The wallboard. The service pushes what changed, at most twice a second; here only clocks tick.
// A frame is { whole, at, linked, queues, agents, gone }: entries replace those of the same name or number.
"use strict";

const STALE_AFTER_S = 8; // the service says something at least every 3.5 s, if only that nothing changed
const LONGEST_RETRY_MS = 5000;
const MARKS = {
  ready: "●", busy: "◆", unreachable: "✕", resting: "◌", offering: "◇", connecting: "◇", talking: "◆", wrap_up: "◐",
  not_ready: "‖", hold: "◇", logged_out: "○",
};
const TALKING = ["offering", "connecting", "talking", "busy"];
const only = (new URL(location.href).searchParams.get("queues") || "").split(",").filter(Boolean);

let token = takeToken();
let retry = 250;
let skew = 0; // the service's clock minus ours, in seconds
let heardAt = null; // by our clock, in ms
let lostAt = null; // live no more since then, by our clock
let linked = true;
let queues = new Map();
let agents = new Map();
const tiles = new Map(); // by queue: { root, parts, level }
const cells = new Map(); // by agent

const now = () => Date.now() / 1000 + skew;

function part(parent, name, className, text) {
  const made = element(name, text, className);
  parent.append(made);
  return made;
}

function write(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

function words(key, known) {
  return (key && known[key]) || String(key || "").replaceAll("_", " ");
}

// ---- agents

function shownState(agent) {
  if (agent.state === "logged_out") return "logged_out";
  if (!agent.reachable && !["talking", "hold"].includes(agent.state)) return "unreachable";
  if (agent.state === "ready" && !agent.free) return agent.phone_busy ? "busy" : "resting";
  return agent.state;
}

function counts(queue) {
  const found = { free: 0, talking: 0, wrap_up: 0, not_ready: 0, logged_out: 0 };
  for (const agent of agents.values()) {
    if (!agent.queues.includes(queue)) continue;
    const state = shownState(agent);
    if (agent.free) found.free += 1;
    else if (state === "logged_out" || state === "wrap_up") found[state] += 1;
    else if (["not_ready", "unreachable", "resting"].includes(state)) found.not_ready += 1;
    else found.talking += 1;
  }
  return found;
}

function makeCell() {
  const root = element("li", null, "agent");
  const parts = { mark: part(root, "span", "mark") };
  parts.mark.setAttribute("aria-hidden", "true");
  parts.name = part(root, "strong");
  parts.lasting = part(root, "span", "lasting");
  parts.state = part(root, "span", "state");
  return { root, parts };
}

function showAgent(agent, { root, parts }) {
  const state = shownState(agent);
  root.className = `agent is-${state}`;
  root.dataset.agent = agent.id;
  write(parts.mark, MARKS[state] || "◆");
  write(parts.name, agent.name);
  const text = [words(state, T.states)];
  if (agent.reason && state === agent.state) text[0] += ` · ${words(agent.reason, T.reasons)}`;
  if (agent.after_talk) text.push(`${T.after}: ${words(agent.after_talk, T.events)}`);
  if (agent.disposition_owed && state === "wrap_up") text.push(T.owes);
  if (agent.queue) text[0] += ` · ${agent.queue}`;
  write(parts.state, text.join(" – "));
}

function showAgents() {
  const list = $("agents");
  const here = [...agents.values()].filter((agent) => !only.length || agent.queues.some((queue) => only.includes(queue)));
  const away = here.filter((agent) => agent.state === "logged_out");
  const wanted = [];
  for (const agent of here) {
    if (agent.state === "logged_out") continue;
    if (!cells.has(agent.id)) cells.set(agent.id, makeCell());
    showAgent(agent, cells.get(agent.id));
    wanted.push(cells.get(agent.id).root);
  }
  arrange(list, wanted);
  list.className = wanted.length > 25 ? "many" : wanted.length > 12 ? "more" : "";
  $("away").hidden = away.length === 0;
  write($("away"), T.away(away.map((agent) => agent.name).join(", ")));
}

function arrange(list, wanted) {
  wanted.forEach((node, index) => { if (list.children[index] !== node) list.insertBefore(node, list.children[index] || null); });
  while (list.childElementCount > wanted.length) list.lastElementChild.remove();
}

// ---- queues

const COLUMNS = [
  ["waiting", "longest", "expected"],
  ["free", "talking", "wrap_up", "not_ready", "logged_out"],
  ["offered", "answered", "abandoned", "level"],
];

function makeTile(name) {
  const root = element("article", null, "tile");
  root.dataset.queue = name;
  const head = part(root, "header");
  const parts = { name: part(head, "h3", null, name), badge: part(head, "p", "badge") };
  const facts = part(root, "dl");
  for (const group of COLUMNS) {
    for (const key of group) {
      const box = part(facts, "div", key === group[0] ? `${key} first` : key);
      part(box, "dt", null, T[key]);
      parts[key] = part(box, "dd");
    }
  }
  return { root, parts, level: "calm" };
}

function showHeads() {
  // For the eyes; whoever listens hears the term with each number.
  for (const group of COLUMNS) for (const key of group) part($("heads"), "span", key === group[0] ? "first" : null, T[key]);
}

function longest(queue) {
  return queue.waiting && queue.waiting_since ? now() - queue.waiting_since : 0;
}

function levelOf(queue) {
  const waited = longest(queue);
  const team = counts(queue.name);
  if (queue.waiting && team.free + team.talking + team.wrap_up + team.not_ready === 0) return "nobody";
  if (queue.waiting && waited >= (queue.alarm_wait_s ?? Infinity)) return "alarm";
  if (queue.waiting && waited >= (queue.warn_wait_s ?? Infinity)) return "warn";
  return queue.open === false ? "closed" : "calm";
}

function opening(queue) {
  if (queue.open !== false || !queue.opens_at) return "";
  const at = new Date(queue.opens_at * 1000);
  const day = at.toDateString() === new Date().toDateString() ? {} : { weekday: "short" };
  return ` · ${T.opens} ${at.toLocaleString(LANGUAGE, { ...day, hour: "2-digit", minute: "2-digit" })}`;
}

function showQueue(queue, { parts }) {
  const known = (value, shown = (it) => it) => (value === null || value === undefined ? "–" : shown(value));
  const today = queue.today || {};
  write(parts.waiting, queue.waiting);
  write(parts.expected, known(queue.expected_wait_s, (wait) => `≤ ${span(wait)}`));
  for (const [key, count] of Object.entries(counts(queue.name))) write(parts[key], count);
  for (const key of ["offered", "answered", "abandoned"]) write(parts[key], known(today[key]));
  write(parts.level, known(today.service_level, (level) => `${(level * 100).toFixed(1)} %`));
}

function showFormulas() {
  const shown = [...queues.values()].filter((queue) => tiles.has(queue.name));
  const formulas = new Set(shown.map((queue) => queue.today && queue.today.service_level_formula).filter(Boolean));
  const notes = [...formulas].map((formula) => `${T.level}: ${formula}`);
  if (shown.some((queue) => queue.expected_wait_s !== undefined)) notes.push(`${T.expected}: ${T.four_of_five}`);
  write($("formulas"), notes.join("  ·  "));
}

function showLevel(queue, tile) {
  const level = levelOf(queue);
  tile.root.className = `tile is-${level}`;
  const mark = { calm: "●", closed: "○", warn: "▲", alarm: "■", nobody: "■" }[level];
  write(tile.parts.badge, `${mark} ${T[level]}${level === "closed" ? opening(queue) : ""}`);
  write(tile.parts.longest, queue.waiting ? span(longest(queue)) : "–");
  if (level !== tile.level) {
    if (level !== "calm" && level !== "closed") say(T.told(queue.name, T[level], queue.waiting));
    tile.level = level;
  }
}

function showQueues() {
  const wanted = [];
  for (const queue of queues.values()) {
    if (only.length && !only.includes(queue.name)) continue;
    if (!tiles.has(queue.name)) tiles.set(queue.name, makeTile(queue.name));
    showQueue(queue, tiles.get(queue.name));
    wanted.push(tiles.get(queue.name).root);
  }
  arrange($("queues"), wanted);
  showFormulas();
}

// ---- time

function say(text) {
  write($("said"), text);
}

function clockTime(at) {
  return new Date(at).toLocaleTimeString(LANGUAGE, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

function stale() {
  return heardAt !== null && (lostAt !== null || Date.now() - heardAt > STALE_AFTER_S * 1000);
}

function tick() {
  write($("clock"), new Date().toLocaleTimeString(LANGUAGE, { hour: "2-digit", minute: "2-digit" }));
  const old = stale();
  if (old !== document.body.classList.contains("stale")) {
    document.body.classList.toggle("stale", old);
    say(old ? T.lost : T.live);
  }
  $("link").className = `pill ${heardAt === null ? "" : old ? "lost" : "live"}`;
  write($("link"), heardAt === null ? T.connecting : old ? `✕ ${T.lost}` : `● ${T.live}`);
  $("stale").hidden = !old && linked;
  if (old) write($("stale"), T.stale(clockTime(heardAt), span((Date.now() - heardAt) / 1000)));
  else if (!linked) write($("stale"), T.unlinked);
  if (old) return; // a clock that ticks on old data would lie
  for (const [name, tile] of tiles) if (queues.has(name)) showLevel(queues.get(name), tile);
  for (const [number, cell] of cells) {
    const agent = agents.get(number);
    if (agent) write(cell.parts.lasting, agent.since ? span(now() - agent.since) : "");
  }
}

// ---- the service

function take(frame) {
  if (frame.whole) { queues = new Map(); agents = new Map(); }
  for (const queue of frame.queues) queues.set(queue.name, queue);
  for (const agent of frame.agents) agents.set(agent.id, agent);
  for (const name of frame.gone.queues) queues.delete(name);
  for (const number of frame.gone.agents) agents.delete(number);
  skew = frame.at - Date.now() / 1000;
  linked = frame.linked;
  heardAt = Date.now();
  lostAt = null;
  retry = 250;
  showAgents();
  showQueues();
  tick();
}

async function welcome() {
  try {
    const answer = await fetch("/api/queues", { headers: { Authorization: `Bearer ${token}` } });
    return answer.status !== 401;
  } catch {
    return true; // nobody there: ask again later, with the same token
  }
}

async function connect() {
  if (!(await welcome())) { askForToken(T.wrong); return; }
  $("door").hidden = true;
  $("board").hidden = false;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/api/wallboard?${new URLSearchParams({ token })}`);
  // A connection can die without a word, and one that is opening can stay so.
  const watch = setInterval(() => { if (Date.now() - began > STALE_AFTER_S * 1000) socket.close(); }, 1000);
  let began = Date.now();
  socket.onmessage = (message) => { began = Date.now(); take(JSON.parse(message.data)); };
  socket.onclose = () => {
    clearInterval(watch);
    if (lostAt === null) lostAt = Date.now();
    tick();
    setTimeout(connect, retry);
    retry = Math.min(retry * 2, LONGEST_RETRY_MS);
  };
}

function askForToken(note) {
  sessionStorage.removeItem("token");
  token = null;
  $("board").hidden = true;
  $("door").hidden = false;
  if (note) $("door-note").textContent = note;
  $("token").focus();
}

$("door").addEventListener("submit", (submission) => {
  submission.preventDefault();
  token = $("token").value.trim();
  $("token").value = "";
  sessionStorage.setItem("token", token);
  connect();
});

document.documentElement.lang = LANGUAGE;
for (const node of document.querySelectorAll("[data-word]")) node.textContent = T[node.dataset.word];
showHeads();
setInterval(tick, 500);
tick();
if (token) connect(); else askForToken();
