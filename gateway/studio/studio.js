// The page: a form, one picture area, and what was painted before. State lives in `page`; everything else is drawn from it.

import { at, made } from "/studio/dom.js";
import * as form from "/studio/form.js";
import * as server from "/studio/server.js";
import * as words from "/studio/words.js";

const page = { shown: null, shownRequest: null, painted: [], isPainting: false, way: null, again: null };

// --- painting ---------------------------------------------------------------------------------------------------

async function generate() {
  if (page.isPainting) return;
  const request = form.asked();
  const slip = form.slipIn(request);
  if (slip) return showTrouble(new server.Trouble({ status: 400, param: slip[0], message: slip[1] }));
  if (!server.storedKey()) return openKey();
  await painting(async () => {
    showWorking({ width: request.width, height: request.height, line: "Handing it over …" });
    at("hanging").scrollIntoView({ block: "nearest" });
    const accepted = await server.submit(request);
    showWorking({ line: words.progressLine({ status: "queued", queue_position: accepted.queue_position }) });
    await follow(accepted.generation_id, request);
  });
}

/** Run `work` as the one painting in progress; whatever goes wrong ends in words on the page. */
async function painting(work) {
  page.isPainting = true;
  at("generate").setAttribute("aria-disabled", "true");
  at("generate").textContent = "Painting …";
  at("preview").hidden = true;
  clearTrouble();
  try {
    await work();
  } catch (trouble) {
    if (!(trouble instanceof server.Trouble)) throw trouble;
    showTrouble(trouble, generate);
  } finally {
    page.isPainting = false;
    at("generate").removeAttribute("aria-disabled");
    at("generate").textContent = "Generate";
    at("working").hidden = true;
    hang(page.shown ? "painted" : "empty");
  }
}

async function follow(id, request) {
  let begun = null;
  say("Painting has begun.");
  const last = await server.ended(id, (news) => {
    const step = news.progress?.step ?? 0;
    if (step > 0) begun ??= { atMs: performance.now(), step };
    const { steps = 0 } = news.progress ?? {};
    showWorking({ ...news, part: steps ? step / steps : null, line: words.progressLine(news, begun, performance.now()) });
  });
  if (last.status !== "completed") {
    throw new server.Trouble({ status: 500, message: last.error?.message ?? "The painting was canceled." });
  }
  await show(last, request);
  page.painted = [last, ...page.painted.filter((picture) => picture.generation_id !== id)];
  drawStrip();
  at("hanging").classList.add("fresh");
  say(`Painted: ${last.prompt}`);
}

function showWorking({ width, height, part = null, line, preview = null }) {
  hang("working");
  if (preview) Object.assign(at("preview"), { src: preview, hidden: false });
  if (width && height) setShape(width, height);
  at("working").hidden = false;
  if (part === null) at("progress").removeAttribute("value");
  else at("progress").value = part;
  at("progress-says").textContent = line;
}

// --- the picture area --------------------------------------------------------------------------------------------------

const hang = (state) => (at("hanging").dataset.state = state);

function setShape(width, height) {
  at("hanging").style.setProperty("--ratio", String(width / height));
}

async function show(picture, request = words.requestOf(picture, form.SIDES)) {
  const address = server.pictureAddress(picture.image_url);
  const image = new Image();
  image.src = address;
  await image.decode().catch(() => {
    throw new server.Trouble({ status: 500, message: "The picture was painted, but it could not be loaded." });
  });
  page.shown = picture;
  page.shownRequest = { ...request, seed: picture.seed };
  at("picture").src = address;
  at("picture").alt = picture.prompt;
  at("full").href = address;
  at("full").hidden = false;
  setShape(picture.width, picture.height);
  at("hanging").classList.remove("fresh");
  hang("painted");
  writePlate(picture, address);
  markShown();
}

function writePlate(picture, address) {
  const name = form.styleNamed(picture.style_resolved)?.name ?? picture.style_resolved;
  const warnings = picture.warnings ?? [];
  const unknown = warnings.flatMap((warning) => (warning.code === "unknown_words" ? warning.words : []));
  at("plate-title").replaceChildren(...words.marked(picture.prompt, unknown).map(([text, isUnknown]) => (
    isUnknown ? made("s", { textContent: text, title: "The model does not know this word." }) : text
  )));
  at("plate-warnings").replaceChildren(...warnings.map(({ message }) => made("li", { textContent: message })));
  at("plate-warnings").hidden = warnings.length === 0;
  at("plate-facts").replaceChildren(...words.facts(picture, name).map((fact) => made("span", { textContent: fact })));
  at("download").href = address;
  at("download").download = `pinxit-${picture.seed}.${address.split("?")[0].split(".").pop()}`;
  at("plate").hidden = false;
}

// --- what was painted before ------------------------------------------------------------------------------------

function drawStrip() {
  const pictures = page.painted.filter((picture) => picture.status === "completed" && picture.image_url);
  at("strip").hidden = pictures.length === 0;
  at("before").replaceChildren(...pictures.slice(0, 24).map(stripEntry));
  markShown();
}

function stripEntry(picture) {
  const image = made("img", { src: server.pictureAddress(picture.image_url), alt: picture.prompt, loading: "lazy" });
  const button = made("button", { type: "button", title: picture.prompt }, image);
  button.dataset.id = picture.generation_id;
  button.addEventListener("click", () => {
    if (!page.isPainting) show(picture).catch((trouble) => showTrouble(trouble));
  });
  return made("li", {}, button);
}

function markShown() {
  for (const button of at("before").querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.id === page.shown?.generation_id));
  }
}

// --- words, troubles and the key --------------------------------------------------------------------------------

const say = (text) => (at("said").textContent = text);

function showTrouble(trouble, again = begin) {
  const way = words.wayOut(trouble);
  page.again = again;
  page.way = way.action;
  at("trouble-says").textContent = way.text;
  at("way-out").textContent = way.label;
  at("way-out").hidden = !way.action;
  at("trouble").hidden = false;
  at("trouble").scrollIntoView({ block: "nearest" });
  form.pointAt(trouble.param);
}

function clearTrouble() {
  at("trouble").hidden = true;
  for (const field of at("request").querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

function openKey() {
  at("key").value = server.storedKey();
  at("key-wrong").hidden = true;
  at("key-dialog").showModal();
}

async function useKey() {
  server.keepKey(at("key").value.trim());
  try {
    await greet();
    at("key-dialog").close();
    clearTrouble();
    at("prompt").focus();
  } catch (trouble) {
    at("key-wrong").textContent = trouble.message;
    at("key-wrong").hidden = false;
  }
}

/** Everything that needs the key: what the plan allows, and what was painted before. */
async function greet() {
  const [allowed, painted] = await Promise.all([server.account().catch(withoutScope), server.before().catch(withoutScope)]);
  if (allowed) form.limitTo(allowed.limits);
  at("open-key").textContent = allowed?.name ? `Key of ${allowed.name}` : "Key";
  page.painted = painted ?? [];
  drawStrip();
  const [newest] = page.painted;
  if (!newest || page.isPainting) return;
  if (["queued", "processing"].includes(newest.status)) void painting(() => follow(newest.generation_id));
  else if (newest.status === "completed" && !page.shown) show(newest).catch((trouble) => showTrouble(trouble));
}

function withoutScope(trouble) {
  if (trouble.status === 403) return null;
  throw trouble;
}

async function copyCurl() {
  const text = words.curl(location.origin, server.storedKey(), page.shownRequest);
  const copied = await copy(text);
  at("copy-curl").textContent = copied ? "Copied, with your key" : "Copying was not allowed";
  say(at("copy-curl").textContent);
  setTimeout(() => (at("copy-curl").textContent = "Copy as curl"), 2500);
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const area = made("textarea", { value: text, className: "unseen" }); // plain http on a network: no clipboard API
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

// --- begin ------------------------------------------------------------------------------------------------------

function listen() {
  const on = (id, event, act) => at(id).addEventListener(event, act);
  const submitting = (act) => (event) => (event.preventDefault(), act());
  on("request", "submit", submitting(generate));
  on("request", "keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submitting(generate)(event);
  });
  on("request", "input", clearTrouble);
  on("prompt", "input", form.countPrompt);
  on("styles", "change", form.describeStyle);
  on("seed", "input", () => form.setSeed(at("seed").value));
  on("keep-seed", "click", () => form.toggleSeed(page.shown?.seed));
  on("more", "toggle", () => at("more").open && at("more").scrollIntoView({ block: "nearest" }));
  on("way-out", "click", () => (page.way === "key" ? openKey() : page.again()));
  on("open-key", "click", openKey);
  on("key-form", "submit", submitting(useKey));
  on("close-key", "click", () => at("key-dialog").close());
  on("copy-curl", "click", copyCurl);
  on("reuse", "click", () => (form.fill(page.shownRequest), at("prompt").focus()));
  for (const idea of at("ideas").querySelectorAll("button")) {
    idea.addEventListener("click", () => (form.fill({ ...form.asked(), prompt: idea.textContent }), at("prompt").focus()));
  }
  addEventListener("hashchange", () => server.takeKeyFromAddress() && begin());
}

async function begin() {
  clearTrouble();
  try {
    form.offerStyles(await server.styles());
    if (!server.storedKey()) return openKey();
    await greet();
  } catch (trouble) {
    if (!(trouble instanceof server.Trouble)) throw trouble;
    showTrouble(trouble);
  }
}

server.takeKeyFromAddress();
form.offerSizes();
form.offerStyles([]);
listen();
begin();
