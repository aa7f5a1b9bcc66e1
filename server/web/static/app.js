// The page: wires channels to tables. Drawing happens at most once an animation frame.

import { Stream } from "/static/stream.js";
import { Board, IdeaBook, Marks, PositionBook } from "/static/models.js";

const $ = (id) => document.getElementById(id);
const TAPE_MAX = 120;
const shown = { frames: 0, latencies: [], metric: "total_return", period: "all", symbol: null };
const dirty = new Set();
let marks = new Marks();
let board = new Board();
let positions = new PositionBook();
let book = new IdeaBook();
let stream;

// Drawing

function draw(part) {
  if (!dirty.size) requestAnimationFrame(flush);
  dirty.add(part);
}

function flush() {
  for (const part of dirty) PARTS[part]();
  dirty.clear();
}

function cell(text, name) {
  const td = document.createElement("td");
  td.textContent = text;
  if (name) td.className = name;
  return td;
}

// Rows are kept by key and moved into order, so that focus and animation survive.
function fill(body, rows, keyOf, cellsOf) {
  const known = body.rowsByKey || (body.rowsByKey = new Map());
  const seen = new Set();
  rows.forEach((row, index) => {
    const key = keyOf(row);
    seen.add(key);
    const print = JSON.stringify(row);
    let tr = known.get(key);
    if (!tr) {
      tr = document.createElement("tr");
      known.set(key, tr);
    }
    if (tr.dataset.print !== print) {
      tr.replaceChildren(...cellsOf(row));
      if (tr.dataset.print) { tr.classList.remove("flash"); void tr.offsetWidth; tr.classList.add("flash"); }
      tr.dataset.print = print;
    }
    if (body.children[index] !== tr) body.insertBefore(tr, body.children[index] || null);
  });
  for (const [key, tr] of known) if (!seen.has(key)) { tr.remove(); known.delete(key); }
}

const PARTS = {
  facts() {
    $("frames").textContent = shown.frames.toLocaleString();
    const checks = board.checks + positions.checks + book.checks;
    $("checked").textContent = `${checks} checksums`;
    const sorted = [...shown.latencies].sort((a, b) => a - b);
    const middle = sorted[sorted.length >> 1];
    if (middle !== undefined) $("latency").textContent = `${middle.toFixed(0)} ms`;
  },
  marks() {
    const wanted = $("marks-filter").value.trim().toLowerCase();
    const rows = [...marks.rows.values()].filter((r) => r[0].toLowerCase().includes(wanted)).slice(0, 80);
    fill($("marks"), rows, (r) => r[0], (r) => [cell(r[0], "clip"), cell(r[1]), cell(r[2]), cell(r[3])]);
    addSymbols();
  },
  board() {
    $("ranked").textContent = `${(board.ranked || 0).toLocaleString()} ranked`;
    fill($("board"), board.sorted(), (r) => r[0], boardCells);
  },
  positions() {
    fill($("positions"), positions.sorted().reverse(), (r) => r[0], (r) => [
      cell(r[0]), cell(r[1] === "0" ? "" : r[1], "up"), cell(r[2] === "0" ? "" : r[2], "down"),
    ]);
  },
  book() {
    const rows = [
      ...book.sorted("s").reverse().map((r) => ["sell", ...r]),
      ...book.sorted("b").map((r) => ["buy", ...r]),
    ];
    fill($("book"), rows, (r) => r[0] + r[1], (r) => [
      cell(r[0], r[0] === "buy" ? "up" : "down"), cell(r[1]), cell(r[2]), cell(r[3]),
    ]);
  },
};

function boardCells([trader, rank, value, trades, previous]) {
  const moved = previous === null ? "new" : previous - rank;
  const text = moved === "new" ? "new" : moved > 0 ? `▲${moved}` : moved < 0 ? `▼${-moved}` : "";
  const shownValue = shown.metric === "sharpe" ? value.toFixed(2) : `${(value * 100).toFixed(2)} %`;
  return [
    cell(rank), cell(text, moved > 0 ? "up" : moved < 0 ? "down" : ""), cell(trader, "text clip"),
    cell(shownValue, value < 0 ? "down" : ""), cell(trades),
  ];
}

function addSymbols() {
  const select = $("symbol");
  const known = new Set([...select.options].map((o) => o.value));
  for (const symbol of marks.rows.keys()) {
    if (!known.has(symbol)) select.add(new Option(symbol, symbol));
  }
  if (!shown.symbol && select.options.length) chooseSymbol([...marks.rows.keys()].find((s) => s.endsWith(":BTC")) || select.options[0].value);
}

function note(kind, text, code, good) {
  const li = document.createElement("li");
  const label = document.createElement("span");
  label.className = `code ${good ? "up" : good === false ? "down" : ""}`;
  label.textContent = `${code} `;
  li.append(label, document.createTextNode(text));
  li.dataset.kind = kind;
  $("tape").prepend(li);
  while ($("tape").children.length > TAPE_MAX) $("tape").lastChild.remove();
}

const short = (id) => (id.length > 16 ? `${id.slice(0, 9)}…${id.slice(-4)}` : id);

// Channels

function chooseSymbol(symbol) {
  if (shown.symbol) for (const kind of ["positions", "book", "sentiment"]) stream.close(`${kind}:${shown.symbol}`);
  shown.symbol = symbol;
  $("symbol").value = symbol;
  positions = new PositionBook();
  book = new IdeaBook();
  $("sentiment").textContent = "";
  stream.open(`positions:${symbol}`, (m) => { draw("positions"); return positions.apply(m); });
  stream.open(`book:${symbol}`, (m) => { draw("book"); return book.apply(m); });
  stream.open(`sentiment:${symbol}`, ({ data }) => {
    if (data.n) $("sentiment").textContent = `Sentiment ${data.score} (${data.label}), ${data.n} voices`;
    return true;
  });
  draw("positions");
  draw("book");
}

function chooseBoard() {
  stream.close(`leaderboard:${shown.metric}:${shown.period}`);
  shown.metric = $("metric").value;
  shown.period = $("period").value;
  board = new Board();
  stream.open(`leaderboard:${shown.metric}:${shown.period}`, (m) => { draw("board"); return board.apply(m); });
  draw("board");
}

function onSignal({ data }) {
  if (data.type === "fill_booked") {
    note("signal", `${short(data.trader)} ${data.side} ${data.quantity} ${data.symbol} at ${data.price}`, "SIGNAL");
  }
  return true;
}

function onCopy({ data }) {
  const executed = data.code === "EXECUTED";
  const what = executed ? `${data.side} ${data.quantity} at ${data.price}` : `not ${data.side === "buy" ? "bought" : "sold"}`;
  note("copy", `${data.follower} copies ${short(data.leader)}: ${data.leg} ${data.symbol} ${what}`, data.code, executed);
  return true;
}

async function watch(viewer) {
  for (const name of [...stream.channels.keys()]) if (name.startsWith("signals:") || name === "copies") stream.close(name);
  $("tape").replaceChildren();
  if (!viewer) return;
  const headers = { Authorization: `Dev ${viewer}` };
  const answer = await fetch("/v1/copies", { headers });
  if (!answer.ok) {
    $("tape-note").textContent = "Copies need a login; this node admits no development logins.";
    return;
  }
  const { items } = await answer.json();
  stream.open("copies", onCopy);
  for (const copy of items) stream.open(`signals:${copy.leader}`, onSignal);
  $("tape-note").textContent = `copies ${items.length} leaders`;
  stream.identify(`Dev ${viewer}`);
}

async function findViewers() {
  const answer = await fetch("/v1/traders?query=follower_&limit=20");
  if (!answer.ok) return;
  const { items } = await answer.json();
  const select = $("viewer");
  const followers = items.filter((t) => t.origin === "follower");
  select.replaceChildren(...followers.map((t) => new Option(t.handle, t.handle)));
  $("source").hidden = !followers.length;
  if (followers.length) watch(followers[0].handle);
  else setTimeout(findViewers, 2000);
}

function onFrame(message) {
  shown.frames += 1;
  shown.latencies.push(Math.max(0, Date.now() - message.ts / 1000));
  if (shown.latencies.length > 200) shown.latencies.shift();
  draw("facts");
}

function onState(state, text, offset) {
  $("status").classList.toggle("live", state === "live");
  $("status-text").textContent = `${state} · ${text}`;
  if (offset) $("offset").textContent = offset;
}

stream = new Stream({ onState, onFrame });
stream.open("marks", (m) => { draw("marks"); return marks.apply(m); });
chooseBoard();
$("symbol").addEventListener("change", (e) => chooseSymbol(e.target.value));
$("metric").addEventListener("change", chooseBoard);
$("period").addEventListener("change", chooseBoard);
$("viewer").addEventListener("change", (e) => watch(e.target.value));
$("marks-filter").addEventListener("input", () => draw("marks"));
findViewers();
