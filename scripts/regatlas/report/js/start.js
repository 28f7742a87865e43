"use strict";
// The page can be read without this script. What it adds shares the functions here.

/** An element with attributes and children; texts become text, never markup. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(text, act, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** What the address says behind its #: a section's id, and name=value pairs, joined by &. */
function readAddress() {
  const parts = location.hash.slice(1).split("&").filter(Boolean);
  const section = parts.find((part) => !part.includes("=")) || "";
  const pairs = parts.filter((part) => part.includes("=")).map((part) => part.split("=", 2));
  return { section: decode(section), values: new Map(pairs.map(([name, value]) => [name, value])) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % is itself
  }
}

function address(section, values) {
  return [encodeURIComponent(section), ...[...values].map((pair) => pair.join("="))].filter(Boolean).join("&");
}

/** Put a value into the address, or take it out, without a step in the browser's history. */
function writeAddress(name, value) {
  const { section, values } = readAddress();
  if (value === null) values.delete(name);
  else values.set(name, value);
  const text = address(section, values);
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}
