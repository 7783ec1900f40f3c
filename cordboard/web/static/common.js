// What the pages share. Everything is put in as text, never as markup: a caller chooses their own name.
"use strict";

const $ = (id) => document.getElementById(id);

function takeToken() {
  const place = new URL(location.href);
  const given = place.searchParams.get("token") || new URLSearchParams(place.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    place.searchParams.delete("token");
    history.replaceState(null, "", place.pathname + place.search); // out of the address bar, the history and screenshots
  }
  return given || sessionStorage.getItem("token");
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}
