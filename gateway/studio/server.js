// The server as the page sees it: one key, a few calls, and refusals that say what to do.

const STORED_KEY = "pinxit.key";
const FINAL = ["completed", "failed", "canceled"];
const POLL_MS = 300;
const PATIENCE = 20; // polls in a row that may fail before the page gives up

/** A refusal or failure: `message` is for people, the rest decides the way out. */
export class Trouble extends Error {
  constructor({ status = 0, code = "unreachable", message, param = null, retryAfterS = null }) {
    super(message);
    Object.assign(this, { status, code, param, retryAfterS });
  }
}

export function storedKey() {
  return localStorage.getItem(STORED_KEY) ?? "";
}

export function keepKey(key) {
  localStorage.setItem(STORED_KEY, key);
}

/** Take `#key=…` out of the address, so that it is neither bookmarked nor shown. */
export function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!key) return false;
  history.replaceState(null, "", location.pathname + location.search);
  keepKey(key);
  return true;
}

export const styles = () => call("/v1/styles").then((page) => page.data);
export const account = () => call("/v1/account");
export const before = () => call("/v1/generations?limit=24").then((page) => page.data);
export const generation = (id) => call(`/v1/generations/${encodeURIComponent(id)}`);
export const submit = (request) => call("/v1/generate", { ...request, async: true });

/** Follow a generation to its end; `onNews` hears of all that happens, and sees previews, as far as the server tells them. */
export async function ended(id, onNews) {
  return (await told(id, onNews).catch(() => null)) ?? asked(id, onNews);
}

/** By its events; null where there are none, or where they break off. */
async function told(id, onNews) {
  const headers = { Accept: "text/event-stream", Authorization: `Bearer ${storedKey()}` };
  const path = `/v1/generations/${encodeURIComponent(id)}/events`;
  const answer = await fetch(path, { headers, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
  if (answer.status !== 200) return null;
  const letters = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await letters.read();
    if (done) return null;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const [name, news] of events.map(read)) {
      if (FINAL.includes(name)) return news;
      if (name === "progress") onNews({ ...news, progress: news });
      else if (name === "queued") onNews(news);
    }
  }
}

/** One event as [name, data]; a comment has neither. */
function read(event) {
  const lines = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s)));
  return [lines.event, lines.data ? JSON.parse(lines.data) : null];
}

/** By looking again and again. */
async function asked(id, onNews) {
  for (let failures = 0; ; ) {
    try {
      const news = await generation(id);
      failures = 0;
      if (FINAL.includes(news.status)) return news;
      onNews(news);
    } catch (trouble) {
      const passing = trouble instanceof Trouble && (trouble.status === 0 || trouble.status >= 500 || trouble.status === 429);
      if (!passing || ++failures > PATIENCE) throw trouble;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS * (1 + failures)));
  }
}

/** Our own pictures by path alone: the page may be open under another name of the same server. */
export function pictureAddress(url) {
  const address = new URL(url, location.href);
  return /^\/(img|styles)\//.test(address.pathname) ? address.pathname + address.search : address.href;
}

async function call(path, body) {
  const headers = { Accept: "application/json" };
  const key = storedKey();
  if (key) headers.Authorization = `Bearer ${key}`;
  const options = { headers, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" };
  if (body) {
    headers["Content-Type"] = "application/json";
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Trouble({ message: "The server does not answer." });
  }
  const said = await answer.json().catch(() => null);
  if (answer.ok && said) return said;
  throw refusal(answer, said);
}

function refusal(answer, said) {
  const { code = "unknown", message = `The server answered ${answer.status}.`, param = null } = said?.error ?? {};
  const wait = Number(answer.headers.get("Retry-After"));
  return new Trouble({ status: answer.status, code, message, param, retryAfterS: wait > 0 ? wait : null });
}
