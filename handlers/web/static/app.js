"use strict";
// The live page: what the server pushes is put in place, what is typed and pressed is posted. No framework.

const MOST_MESSAGES = 300;
const byId = (id) => document.getElementById(id);
const log = byId("log"), pinned = byId("pinned"), board = byId("board"), link = byId("link"), notice = byId("notice");
const newer = byId("newer"), text = byId("text"), menu = byId("menu"), more = byId("more");
const standing = byId("standing");
let version = Number(document.body.dataset.version);
let readsNewest = true;

// ---- messages

function localTimes(root) {
  for (const time of root.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    time.title = time.classList.contains("whole") ? at.toISOString() : at.toLocaleString();
    time.textContent = time.classList.contains("whole")
      ? at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })
      : at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  }
}

const isNarrow = () => innerWidth <= 900;
const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;

function toEnd() {
  log.scrollTop = log.scrollHeight;
  newer.hidden = true;
}

// What is longer than the screen is read from its beginning; its buttons stay in reach (app.css).
function toNewest(message) {
  if (!message || message.offsetHeight <= log.clientHeight) return toEnd();
  message.scrollIntoView();
  readsNewest = false;
}

function place(id, html, isPinned) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  const message = template.content.firstElementChild;
  localTimes(message);
  withhold(message);
  const home = isPinned ? pinned : log;
  const stay = atEnd(), shown = byId(`m${id}`);
  if (shown && shown.parentElement === home) {
    const focused = shown.contains(document.activeElement);
    shown.replaceWith(message);
    if (focused) (message.querySelector("button") ?? log).focus({ preventScroll: true });
  } else {
    shown?.remove();
    const later = [...home.children].find((other) => Number(other.dataset.id ?? Infinity) > id);
    home.insertBefore(message, later ?? null);
  }
  const messages = log.querySelectorAll(".message");
  for (let extra = 0; extra < messages.length - MOST_MESSAGES; extra++) messages[extra].remove();
  const asks = !shown && message.classList.contains("asking");
  if (asks && stay && isNarrow()) localStorage.removeItem("pinned"); // what must be answered needs the room
  fold();
  if (!stay) newer.hidden &&= Boolean(shown);
  else if (shown) toEnd();
  else toNewest(isPinned ? null : message);
}

// What is pinned stays as somebody left it; at first a phone shows it only while there is nothing else to read.
function fold() {
  const folder = pinned.querySelector("details");
  if (!folder) return;
  const left = localStorage.getItem("pinned");
  folder.open = left ? left === "open" : !isNarrow() || !log.querySelector(".message");
}

pinned.addEventListener("click", (event) => {
  const folder = event.target.closest("summary")?.parentElement;
  if (folder) localStorage.setItem("pinned", folder.open ? "folded" : "open");
});

newer.addEventListener("click", toEnd);

// Who reads the newest goes on doing so: a telephone is turned, what stands above grows, and that scrolls nothing.
log.addEventListener("scroll", () => {
  readsNewest = atEnd();
  if (readsNewest) newer.hidden = true;
});
new ResizeObserver(() => { if (readsNewest) toEnd(); }).observe(log);

// What is known from memory alone, while nothing can be written down: cards at the end, and why no button works.
function showStanding(data) {
  const stay = atEnd();
  standing.innerHTML = data.standing;
  localTimes(standing);
  document.body.dataset.withheld = data.withheld;
  withhold(document);
  if (stay) toEnd();
  else if (standing.children.length) newer.hidden = false;
}

function withhold(root) {
  const why = document.body.dataset.withheld;
  for (const button of root.querySelectorAll(".press")) {
    button.disabled = Boolean(why) || button.closest(".message").hasAttribute("aria-busy");
    button.title = why;
  }
  for (const words of root.querySelectorAll(".withheld")) {
    words.textContent = why;
    words.hidden = !why;
  }
}

// ---- the board

function showBoard(html) {
  const focused = board.contains(document.activeElement) && document.activeElement.id;
  board.innerHTML = html;
  localTimes(board);
  if (focused) byId(focused)?.focus({ preventScroll: true });
  const waiting = byId("jump")?.dataset.waiting;
  document.title = waiting ? `(${waiting}) Greenlight` : "Greenlight";
}

more.addEventListener("click", () => {
  const open = board.parentElement.classList.toggle("open");
  more.setAttribute("aria-expanded", String(open));
  more.textContent = open ? "Less" : "Details";
});

board.addEventListener("click", (event) => {
  if (!event.target.closest("#jump")) return;
  const question = log.querySelector(".message.asking");
  if (!question) return send("/pending");
  question.scrollIntoView({ block: "center", behavior: "smooth" });
  question.querySelector(".press")?.focus({ preventScroll: true });
});

// ---- the stream

function say(state, word) {
  if (link.dataset.state === state) return;
  link.dataset.state = state;
  link.firstElementChild.textContent = word;
}

function listen() {
  const source = new EventSource(`stream?after=${version}`);
  source.addEventListener("hello", (event) => {
    say("live", "Live");
    if (JSON.parse(event.data).build !== document.body.dataset.build) location.reload();
  });
  source.addEventListener("message", (event) => {
    version = Number(event.lastEventId) || version;
    const { id, pinned: isPinned, html } = JSON.parse(event.data);
    place(id, html, isPinned);
  });
  source.addEventListener("standing", (event) => showStanding(JSON.parse(event.data)));
  source.addEventListener("board", (event) => showBoard(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    say("lost", "Reconnecting…");
    if (source.readyState === EventSource.CLOSED) setTimeout(listenAgain, 2000);
  });
}

async function listenAgain() {
  const answer = await fetch("api/status").catch(() => null);
  if (answer?.status === 401) say("out", "Signed out");
  else listen();
}

// ---- what people do

// crypto.randomUUID exists only on https and localhost
const deliveryId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

function complain(words) {
  notice.textContent = words;
  notice.hidden = !words;
}

async function post(path, body) {
  complain("");
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, delivery_id: deliveryId() }),
  };
  const answer = await fetch(path, request).catch(() => null);
  if (answer?.ok) return true;
  complain(await reason(answer));
  return false;
}

// Where the server says what is wrong, for example with a proxy in between, these are the words to show.
async function reason(answer) {
  if (answer?.status === 401) return "You are signed out. Open your link again.";
  const said = await answer?.json().catch(() => null);
  return typeof said?.detail === "string" ? said.detail : "That did not arrive. Try again.";
}

async function send(words) {
  return post("chat/say", { text: words });
}

byId("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = text.value.trim();
  if (!words) return;
  text.value = "";
  complete();
  toEnd();
  if (!(await send(words)) && !text.value) text.value = words;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".press");
  if (!button || button.disabled) return;
  const card = button.closest(".message"), buttons = card.querySelectorAll(".press"), label = button.textContent;
  for (const other of buttons) other.disabled = true;
  card.setAttribute("aria-busy", "true");
  button.textContent = button.dataset.busy;
  await post("chat/press", { data: button.dataset.press });
  // Where the outcome is known the card has been replaced by now, or is about to be; else it may be pressed again.
  setTimeout(() => {
    card.removeAttribute("aria-busy");
    withhold(card);
    button.textContent = label;
  }, 1500);
});

// ---- completion of commands

const options = [...menu.children];
const offered = () => options.filter((option) => !option.hidden);
let chosen = -1;

function choose(index) {
  const shown = offered();
  chosen = shown.length ? (index + shown.length) % shown.length : -1;
  for (const option of options) option.setAttribute("aria-selected", String(option === shown[chosen]));
  if (chosen >= 0) shown[chosen].scrollIntoView({ block: "nearest" });
  text.setAttribute("aria-activedescendant", shown[chosen]?.id ?? "");
}

function complete() {
  const typed = text.value.toLowerCase();
  const open = typed.startsWith("/") && !typed.includes(" ");
  for (const option of options) option.hidden = !(open && option.dataset.name.startsWith(typed));
  menu.hidden = !offered().length || offered().some((option) => option.dataset.name === typed);
  text.setAttribute("aria-expanded", String(!menu.hidden));
  choose(0);
}

function take(option) {
  text.value = `${option.dataset.name} `;
  menu.hidden = true;
  text.setAttribute("aria-expanded", "false");
  text.focus();
}

text.addEventListener("input", complete);
text.addEventListener("keydown", (event) => {
  if (menu.hidden) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
  else if ((event.key === "Tab" && !event.shiftKey) || event.key === "Enter") take(offered()[chosen]);
  else if (event.key === "Escape") menu.hidden = true;
  else return;
  event.preventDefault();
});
menu.addEventListener("click", (event) => {
  const option = event.target.closest("li");
  if (option) take(option);
});

localTimes(document);
withhold(document);
if (isNarrow()) for (const known of pinned.querySelectorAll("details")) known.open = false;
fold();
toNewest([...log.querySelectorAll(".message")].at(-1));
if (matchMedia("(pointer: fine)").matches) text.focus(); // on a phone it would open the keyboard
listen();
