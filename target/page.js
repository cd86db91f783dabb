// The page that a person opens in two tabs: it sends, notes in which order this tab saw the events, and lays that beside the
// order of another tab. The tabs tell each other by BroadcastChannel; the server keeps nothing for them.
//
// What comes from elsewhere (payloads, names, other tabs) is only ever written by textContent.
import { compare } from "/page_order.js";

const maxEntries = 500; // of one tab; the oldest go first
const maxTabs = 8;
const maxText = 200; // characters of a payload that are shown
const tellAfter = 100; // ms
const tryAgainAfter = 2000; // ms, when the browser itself does not

const element = (id) => document.getElementById(id);
const channel = new URLSearchParams(location.search).get("channel") || "room";
const run = hex8(); // names this tab, and its events
const instance = "page-" + run;
const tabs = new BroadcastChannel("holobench " + channel);

const entries = []; // what this tab saw, in its order
const seen = new Map(); // id -> entry
const alike = new Map(); // what an event without a marker looks like -> how often it came
const peers = new Map(); // run -> the entries of another tab
const documentKeys = new Map(); // key -> the entry of the document, in the design that has one

let server = null; // what /page.json said last
let stream = null;
let lastNumber = ""; // the last id of the stream
let lost = null; // the note about the connection that is lost at present
let sent = 0;
let noted = 0;
let dirty = false;
let telling = false;

function hex8() {
  return crypto.getRandomValues(new Uint32Array(1))[0].toString(16).padStart(8, "0");
}

// An event is named by the marker in its payload, as every load of holobench puts one there: hb1.<run>.c<publisher>.s<seq>.t<due>.
const markerPattern = /hb1\.([0-9a-f]{8})\.c(\d+)\.s(\d+)\.t\d+\./;

function appendMarker(number) {
  return `hb1.${run}.c0.s${number}.t${Math.floor(performance.now() * 1e6)}.`;
}

// identify returns the name of an event that is the same in every tab, and what to show of it. Without a marker two events
// are told apart by what they say, and by how often that came.
function identify(event) {
  const payload = String(event.payload ?? "");
  const marker = markerPattern.exec(payload);
  if (marker) {
    const text = payload.replace(marker[0], "").trim();
    const name = text || `c${marker[2]} s${marker[3]}`;
    return { id: marker[0], text: name.slice(0, maxText), from: marker[1] };
  }
  const looks = JSON.stringify([event.seq ?? 0, event.key ?? "", event.name ?? "", payload]);
  const times = (alike.get(looks) ?? 0) + 1;
  alike.set(looks, times);
  return { id: looks + times, text: (payload || event.name || "(empty)").slice(0, maxText), from: "" };
}

function push(entry) {
  entries.push(entry);
  if (entries.length > maxEntries) {
    const oldest = entries.shift();
    if (oldest.id) seen.delete(oldest.id);
  }
  changed();
  return entry;
}

// note takes an event that came by a path, "sse" or "reply".
function note(event, by) {
  const { id, text, from } = identify(event);
  const known = seen.get(id);
  if (known) {
    known.again = (known.again ?? 1) + 1;
    return changed();
  }
  const entry = { id, text, from, by, place: ++noted, number: event.seq ?? "", key: event.key ?? "" };
  seen.set(id, push(entry));
  if (server?.document && event.key) {
    documentKeys.set(event.key, { payload: text, number: event.seq });
  }
}

const remark = (text) => push({ remark: text });

// The stream.

function connect(from = "") {
  const query = new URLSearchParams({ instance, channel });
  if (from !== "") query.set("from", from);
  stream = new EventSource("/events?" + query);
  stream.onopen = opened;
  stream.onerror = failed;
  stream.onmessage = (message) => {
    lastNumber = message.lastEventId;
    note(JSON.parse(message.data), "sse");
  };
  stream.addEventListener("gap", (message) => {
    lastNumber = message.lastEventId;
    const gap = JSON.parse(message.data);
    if (gap.first > gap.from) {
      remark(`gap: events ${gap.from} to ${gap.first - 1} are not kept any more`);
    } else {
      remark(`gap: the numbers of the channel have begun anew (${gap.from} was expected, ${gap.first} is the first there is)`);
    }
  });
  stream.addEventListener("snapshot", (message) => {
    lastNumber = message.lastEventId;
    const snapshot = JSON.parse(message.data);
    documentKeys.clear();
    for (const kept of snapshot.entries) {
      documentKeys.set(kept.key, { payload: identify(kept).text, number: kept.seq });
    }
    remark(`snapshot: version ${snapshot.version}, ${counted(snapshot.entries.length, "key")}; what led to it has no order here`);
  });
}

async function opened() {
  showState("open", "connected");
  const note = lost;
  lost = null;
  const before = server?.started;
  await ask();
  if (note) {
    const seconds = ((Date.now() - note.since) / 1000).toFixed(1);
    const who = before === server?.started ? "the server is still the same" : "the server was started anew";
    const what = server?.ids ? "it sends again what it still has" : "what was sent meanwhile this tab never hears of";
    note.remark = `no connection for ${seconds} s; ${who}, and ${what}`;
    changed();
  }
}

function failed() {
  if (!lost && noted + entries.length > 0) {
    lost = remark("the connection is lost; the browser tries again");
    lost.since = Date.now();
  }
  if (stream.readyState === EventSource.CONNECTING) {
    return showState("connecting", "connection lost, trying again");
  }
  // A refusal ends an EventSource for good, and with it the last id that it knew.
  showState("closed", "refused, trying again");
  setTimeout(async () => {
    await ask();
    connect(server?.ids && /^\d+$/.test(lastNumber) ? String(Number(lastNumber) + 1) : "");
  }, tryAgainAfter);
}

// ask asks the server what it is; while it does not answer the last answer stands.
async function ask() {
  try {
    const response = await fetch("/page.json");
    if (response.ok) server = await response.json();
  } catch {
    return;
  }
  element("design").textContent = `${server.design}, node ${server.node}`;
  const promises = Object.entries(server.promises).map(([name, how]) => `${name.replaceAll("_", " ")} ${how}`);
  let text = promises.length > 0 ? `It promises: ${promises.join("; ")}.` : "It promises no order.";
  if (server.echo === "none") text += " A sender never hears of its own events: they are missing in the order of its tab.";
  element("promises").textContent = text;
  for (const part of document.querySelectorAll(".keyed")) part.hidden = !server.keyed;
  changed();
}

function showState(state, text) {
  element("state").dataset.state = state;
  element("state").textContent = text;
}

// Commands.

async function send(text) {
  const command = { instance, channel, name: "message", payload: `${appendMarker(++sent)} ${text}` };
  const key = element("key").value;
  if (server?.keyed && key) command.key = key;
  let response, body;
  try {
    response = await fetch("/command", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(command),
    });
    body = await response.text();
  } catch {
    return remark(`${text}: no reply, nobody knows whether it was sent`);
  }
  if (response.status >= 300 && response.status !== 409) {
    return remark(`${text}: refused with ${response.status}, ${body.trim().slice(0, maxText)}`);
  }
  const reply = body ? JSON.parse(body) : {};
  if (reply.conflict) remark(`${text}: in conflict with version ${reply.conflict.version} of ${reply.conflict.key}`);
  for (const event of reply.echo ?? []) note(event, "reply");
}

// burst sends one message after the other, each when the last was answered.
async function burst(count) {
  const first = sent + 1;
  for (let n = 0; n < count; n++) await send(`m${first + n}`);
}

// The other tabs.

const slim = (entry) => ({ ...entry, since: undefined });

function tell() {
  telling = false;
  tabs.postMessage({ kind: "order", run, entries: entries.map(slim) });
}

tabs.onmessage = ({ data }) => {
  switch (data.kind) {
    case "order":
      if (peers.has(data.run) || peers.size < maxTabs) peers.set(data.run, data.entries);
      return changed(false);
    case "hello":
      return tell();
    case "bye":
      peers.delete(data.run);
      return changed(false);
    case "burst":
      return burst(data.count);
  }
};

// changed has the page drawn, and the others told when it is this tab that saw something.
function changed(mine = true) {
  if (mine && !telling) {
    telling = true;
    setTimeout(tell, tellAfter);
  }
  if (dirty) return;
  dirty = true;
  setTimeout(draw, tellAfter); // not at the next frame: a tab behind another one has none
}

// Drawing.

const counted = (n, thing) => `${n.toLocaleString("en")} ${thing}${n === 1 ? "" : "s"}`;
const label = (tab) => tab.slice(0, 4);

function make(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function draw() {
  dirty = false;
  const peer = choosePeer();
  const theirs = peer === null ? [] : peers.get(peer);
  const result = compare(entries, theirs);
  const scroll = element("scroll");
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
  element("rows").replaceChildren(...result.rows.map((row) => drawRow(row, result, peer)));
  if (entries.length === 0 && theirs.length === 0) {
    const row = element("rows").insertRow();
    row.append(make("td", "empty", "nothing yet: send something"), make("td", "empty", ""));
  }
  if (atEnd) scroll.scrollTop = scroll.scrollHeight;
  drawVerdict(result, peer);
  drawPairs(result, theirs);
  drawDocument();
}

// choosePeer keeps the list of tabs up to date and returns the one that was chosen, null when there is none.
function choosePeer() {
  const select = element("peer");
  const runs = [...peers.keys()];
  if ([...select.options].map((option) => option.value).join() !== (runs.join() || "none")) {
    const chosen = select.value;
    select.replaceChildren(...(runs.length ? runs : ["none"]).map((tab) => new Option(runs.length ? label(tab) : "none", tab)));
    if (peers.has(chosen)) select.value = chosen;
    select.disabled = runs.length < 2;
  }
  return runs.length ? select.value : null;
}

function drawRow([mine, theirs], result, peer) {
  const row = document.createElement("tr");
  row.append(drawCell(mine, run, result, peer), drawCell(theirs, peer, result, peer));
  return row;
}

// drawCell shows one entry of the tab owner.
function drawCell(entry, owner, result, peer) {
  const cell = document.createElement("td");
  if (!entry) return cell;
  const line = cell.appendChild(make("div", "", ""));
  if (entry.remark) {
    cell.className = "note";
    line.append(make("span", "place", "!"), make("span", "what", entry.remark));
    return cell;
  }
  const partners = result.partners.get(entry.id) ?? 0;
  if (partners) cell.className = "divergent";
  else if (peer !== null && !result.seenByBoth.has(entry.id)) cell.className = "lone";
  const what = make("span", "what", "");
  if (entry.from) what.append(make("span", "who", entry.from === owner ? "own" : label(entry.from)), " ");
  if (entry.key && entry.key !== "page-" + entry.from) what.append(`${entry.key} = `);
  what.append(entry.text);
  what.title = entry.text;
  line.append(make("span", "place", String(entry.place)), what);
  if (entry.number !== "") line.append(make("span", "number", `#${entry.number}`));
  if (entry.again) line.append(make("span", "number", `${entry.again} times`));
  if (partners) {
    const mark = make("span", "mark", `≠${partners}`);
    mark.title = `in another order than at the other tab with ${counted(partners, "event")}`;
    line.append(mark);
  }
  line.append(make("span", "by " + (entry.by === "reply" ? "reply" : "sse"), entry.by));
  return cell;
}

function drawVerdict(result, peer) {
  const verdict = element("verdict");
  const pairs = (result.common * (result.common - 1)) / 2;
  if (peer === null) {
    verdict.dataset.verdict = "alone";
    verdict.textContent = "Open this page in a second tab or window to compare their orders.";
  } else if (result.divergent > 0) {
    verdict.dataset.verdict = "divergent";
    verdict.textContent = `${counted(result.divergent, "divergent pair")} of ${counted(pairs, "pair")} that both tabs have seen`;
  } else {
    verdict.dataset.verdict = result.common > 1 ? "same" : "alone";
    verdict.textContent = result.common === 0 ? "There is no event yet that both tabs have seen."
      : `Both tabs have seen ${counted(result.common, "event")}` + (result.common > 1 ? ", in one order." : ".");
  }
}

function drawPairs(result, theirs) {
  element("pairs-section").hidden = result.divergent === 0;
  const there = new Map(theirs.filter((entry) => entry.id).map((entry) => [entry.id, entry]));
  const name = (id) => {
    const [here, other] = [seen.get(id), there.get(id)];
    const who = here.from === run ? "own" : here.from ? label(here.from) : "";
    return `${who} “${here.text}” (${here.by} here, ${other.by} there)`;
  };
  const items = result.pairs.map(([a, b]) => make("li", "", `here ${name(a)} came before ${name(b)}; there it came behind it`));
  if (result.divergent > items.length) items.push(make("li", "empty", `and ${counted(result.divergent - items.length, "more")}`.replace(/s$/, "")));
  element("pairs").replaceChildren(...items);
}

function drawDocument() {
  element("document-section").hidden = !server?.document || documentKeys.size === 0;
  const parts = [];
  for (const key of [...documentKeys.keys()].sort()) {
    const { payload, number } = documentKeys.get(key);
    parts.push(make("dt", "", key), make("dd", "", `${payload} (version ${number})`));
  }
  element("document").replaceChildren(...parts);
}

// Setting it going.

element("channel").value = channel;
element("me").textContent = label(run);
document.title = `${channel} · holobench target`;
element("say").addEventListener("submit", (event) => {
  event.preventDefault();
  send(element("text").value || "hello");
  element("text").value = "";
});
element("burst").addEventListener("submit", (event) => {
  event.preventDefault();
  const count = Math.min(100, element("count").valueAsNumber);
  if (event.submitter?.value === "everywhere") tabs.postMessage({ kind: "burst", count });
  burst(count);
});
element("peer").addEventListener("change", () => changed(false));
addEventListener("pagehide", () => {
  tabs.postMessage({ kind: "bye", run });
  stream?.close();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

draw();
await ask();
connect();
tabs.postMessage({ kind: "hello" });
