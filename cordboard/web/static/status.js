// The live board. State comes from the REST API; each live event asks for it anew, at most twice a second.
"use strict";

const SHOWN_EVENTS = 200;
const REFRESH_MS = 500;
const LONGEST_RETRY_MS = 10000;

let token = takeToken();
let lastSeq = null;
let skew = 0; // the service's clock minus ours, in seconds
let retry = 500;
let refreshing = false;
let refreshAgain = false;
let callbacksChanged = true; // they are in the database: asked for only when something is said of one

function since(at, className) {
  const made = element("span", "", className);
  made.dataset.since = at;
  return made;
}

function tick() {
  const now = Date.now() / 1000 + skew;
  for (const one of document.querySelectorAll("[data-since]")) one.textContent = span(now - Number(one.dataset.since));
}

function words(state) {
  return String(state || "").replaceAll("_", " ");
}

function facts(pairs) {
  const list = element("dl");
  for (const [term, value] of pairs) list.append(element("dt", term), element("dd", value));
  return list;
}

function showFigures(queues, agents, calls) {
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  const longest = queues.reduce((most, queue) => Math.max(most, queue.longest_wait_s), 0);
  const count = (state) => agents.filter((agent) => agent.state === state).length;
  $("figures").replaceChildren(
    ...[
      ["calls here", calls.length],
      ["waiting", waiting, waiting > 0],
      ["longest wait", span(longest), longest > 60],
      ["agents ready", count("ready")],
      ["talking", queues.reduce((sum, queue) => sum + queue.talking, 0)],
    ].map(([name, value, warn]) => {
      const figure = element("div", null, warn ? "figure warn" : "figure");
      figure.append(element("b", value), element("span", name, "quiet"));
      return figure;
    }),
  );
}

function showQueues(queues) {
  $("queues").replaceChildren(
    ...queues.map((queue) => {
      const card = element("article", null, queue.waiting ? "card state-busy" : "card state-ready");
      card.append(
        element("h3", queue.name),
        facts([
          ["waiting", queue.waiting],
          ["longest wait", span(queue.longest_wait_s)],
          ["talking", queue.talking],
          ["agents free", `${queue.agents_free} of ${queue.agents_logged_in}`],
        ]),
      );
      return card;
    }),
  );
}

function showAgents(agents) {
  $("agents").replaceChildren(
    ...agents.map((agent) => {
      const card = element("article", null, `card state-${agent.state}`);
      const title = element("h3", agent.name);
      title.append(element("span", agent.id));
      const state = words(agent.state) + (agent.reason ? ` (${words(agent.reason)})` : "");
      const list = facts([["state", state]]);
      const lasting = element("dd");
      if (agent.since) lasting.append(since(agent.since)); else lasting.textContent = "–";
      list.append(element("dt", "for"), lasting);
      for (const [term, value] of [
        ["phone", agent.reachable ? (agent.phone_busy ? "busy" : "registered") : "not registered"],
        ["queues", agent.queues.join(", ")],
      ]) {
        list.append(element("dt", term), element("dd", value));
      }
      card.append(title, list);
      return card;
    }),
  );
}

function showCalls(calls) {
  $("no-calls").hidden = calls.length > 0;
  $("calls").replaceChildren(
    ...calls.map((call) => {
      const row = element("tr");
      const last = element("td", null, "number");
      last.append(since(call.arrived_at));
      row.append(
        element("td", call.caller || "withheld"), element("td", call.dialled),
        element("td", words(call.phase)), element("td", call.queue || "–"), last,
      );
      return row;
    }),
  );
}

function showCallbacks(callbacks) {
  $("callbacks-shown").hidden = callbacks.length === 0;
  $("callbacks").replaceChildren(
    ...callbacks.map((callback) => {
      const row = element("tr");
      const last = element("td", null, "number");
      last.append(since(callback.joined_at));
      const state = callback.agent ? `${words(callback.state)} by ${callback.agent}` : words(callback.state);
      row.append(
        element("td", callback.number), element("td", callback.queue), element("td", state),
        element("td", callback.attempts), element("td", callback.note || "–"), last,
      );
      return row;
    }),
  );
}

async function refreshCallbacks() {
  if (!callbacksChanged) return;
  callbacksChanged = false;
  try {
    showCallbacks((await ask("/api/callbacks")).callbacks);
  } catch (error) {
    if (error instanceof Unwelcome) throw error;
    callbacksChanged = true; // the database is away; the rest of the board is not
  }
}

function showEvent(event) {
  const row = element("li");
  const detail = [event.queue, event.agent && `agent ${event.agent}`, ...Object.entries(event.data)
    .filter(([key]) => !["queue", "agent"].includes(key))
    .map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`)];
  row.append(
    element("time", new Date(event.at * 1000).toLocaleTimeString()),
    element("span", event.kind),
    element("span", detail.filter(Boolean).join(" · "), "detail"),
  );
  const list = $("events");
  list.prepend(row);
  while (list.childElementCount > SHOWN_EVENTS) list.lastElementChild.remove();
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Authorization: `Bearer ${token}` } });
  if (answer.status === 401) throw new Unwelcome();
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const date = Date.parse(answer.headers.get("Date"));
  if (date) skew = Math.abs(date - Date.now()) > 2000 ? (date - Date.now()) / 1000 : 0;
  return answer.json();
}

class Unwelcome extends Error {}

async function refresh() {
  if (refreshing) { refreshAgain = true; return; }
  refreshing = true;
  try {
    do {
      refreshAgain = false;
      const [queues, agents, calls] = await Promise.all([ask("/api/queues"), ask("/api/agents"), ask("/api/calls")]);
      showFigures(queues.queues, agents.agents, calls.calls);
      showQueues(queues.queues);
      showAgents(agents.agents);
      showCalls(calls.calls);
      await refreshCallbacks();
      tick();
      await new Promise((done) => setTimeout(done, REFRESH_MS));
    } while (refreshAgain);
  } finally {
    refreshing = false;
  }
}

function say(text, className) {
  $("link").textContent = text;
  $("link").className = `pill ${className}`;
}

async function connect() {
  try {
    await ask("/api/queues");
  } catch (error) {
    if (error instanceof Unwelcome) { askForToken("That token is not the right one."); return; }
    later();
    return;
  }
  $("door").hidden = true;
  $("board").hidden = false;
  const query = new URLSearchParams({ token });
  if (lastSeq !== null) query.set("since", lastSeq);
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/events?${query}`);
  socket.onmessage = (message) => {
    const frame = JSON.parse(message.data);
    if (frame.type === "hello") {
      retry = 500;
      say("live", "live");
      callbacksChanged = true;
      if (lastSeq === null || frame.last_seq < lastSeq) lastSeq = frame.last_seq;
      refresh().catch(() => socket.close());
    } else if (frame.type === "gap") {
      lastSeq = frame.last;
      callbacksChanged = true;
      refresh().catch(() => socket.close());
    } else {
      lastSeq = frame.seq;
      if (frame.kind.startsWith("callback.")) callbacksChanged = true;
      showEvent(frame);
      refresh().catch(() => socket.close());
    }
  };
  socket.onclose = later;
}

function later() {
  say("connection lost, trying again", "lost");
  setTimeout(connect, retry);
  retry = Math.min(retry * 2, LONGEST_RETRY_MS);
}

function askForToken(note) {
  sessionStorage.removeItem("token");
  token = null;
  say("not connected", "");
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
setInterval(tick, 1000);
if (token) connect(); else askForToken();
