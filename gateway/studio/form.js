// The form: what it offers, what it asks for, and what is surely wrong with it.

import { at, made } from "/studio/dom.js";
import { pictureAddress } from "/studio/server.js";

export const SIDES = [512, 768, 1024, 1280, 1920];
const MAX_PROMPT = 1500;
const MAX_SEED = 4294967295;
const AUTO = { id: "auto", name: "Auto", description: "Chosen by your words.", available: true };
const FIELDS = {
  prompt: "prompt", style: "styles", seed: "seed", width: "size", height: "size", quality: "quality",
  negative_prompt: "negative", upscale: "upscale",
};

let offered = [AUTO];

export function offerSizes() {
  const groups = { "": [["", "Default"]], Square: [], Landscape: [], Portrait: [] };
  for (const width of SIDES) {
    for (const height of SIDES) {
      const group = width === height ? "Square" : width > height ? "Landscape" : "Portrait";
      groups[group].push([`${width}x${height}`, `${width} × ${height}`]);
    }
  }
  for (const [label, sizes] of Object.entries(groups)) {
    const options = sizes.map(([value, text]) => new Option(text, value));
    at("size").append(...(label ? [made("optgroup", { label }, ...options)] : options));
  }
}

export function offerStyles(styles) {
  const chosen = new FormData(at("request")).get("style") ?? AUTO.id;
  offered = [AUTO, ...styles.filter((style) => style.available && style.id !== AUTO.id)];
  at("styles").replaceChildren(...offered.map(styleChoice));
  chooseStyle(chosen);
}

function styleChoice(style) {
  const radio = made("input", { type: "radio", name: "style", value: style.id });
  const dab = style.thumbnail_url
    ? made("img", { className: "dab", src: pictureAddress(style.thumbnail_url), alt: "", loading: "lazy" })
    : made("span", { className: "dab" });
  dab.dataset.style = style.id;
  return made("label", { className: "style", title: style.description }, radio, dab, made("span", { textContent: style.name }));
}

function chooseStyle(id) {
  const radio = at("request").querySelector(`input[name="style"][value="${CSS.escape(id)}"]`);
  if (radio) radio.checked = true;
  describeStyle();
}

export function describeStyle() {
  at("style-says").textContent = styleNamed(new FormData(at("request")).get("style"))?.description ?? "";
}

export const styleNamed = (id) => offered.find((style) => style.id === id);

/** What the form asks for; members left blank are not sent, so the server's own defaults hold. */
export function asked() {
  const form = new FormData(at("request"));
  const request = { prompt: form.get("prompt"), style: form.get("style") ?? AUTO.id };
  const [width, height] = form.get("size").split("x").map(Number);
  if (height) Object.assign(request, { width, height });
  if (form.get("quality")) request.quality = form.get("quality");
  if (form.get("seed").trim()) request.seed = Number(form.get("seed").trim());
  if (form.get("negative_prompt").trim()) request.negative_prompt = form.get("negative_prompt");
  if (at("upscale").checked) request.upscale = true;
  return request;
}

export function fill(request) {
  at("prompt").value = request.prompt;
  at("size").value = request.width ? `${request.width}x${request.height}` : "";
  at("quality").value = request.quality ?? "";
  at("negative").value = request.negative_prompt ?? "";
  at("upscale").checked = Boolean(request.upscale);
  chooseStyle(request.style);
  setSeed(request.seed ?? "");
  countPrompt();
}

export function setSeed(seed) {
  at("seed").value = seed;
  const kept = String(seed).trim() !== "";
  at("keep-seed").setAttribute("aria-pressed", String(kept));
  at("keep-seed").title = kept ? "Back to a random seed" : "Keep the seed of the picture";
}

/** Between random and kept; `last` is the seed of the picture that hangs there, if any. */
export function toggleSeed(last) {
  const drawn = () => crypto.getRandomValues(new Uint32Array(1))[0];
  setSeed(at("seed").value.trim() ? "" : last ?? drawn());
}

export function countPrompt() {
  const left = MAX_PROMPT - [...at("prompt").value].length;
  at("prompt-left").hidden = left > 200;
  at("prompt-left").textContent = left < 0 ? `${-left} characters too many` : `${left} characters left`;
  at("prompt-left").classList.toggle("wrong", left < 0);
}

/** Catch what the server would refuse anyway, where the answer is certain; it judges everything else. */
export function slipIn(request) {
  if (!request.prompt.trim()) return ["prompt", "Say what should be painted."];
  if ([...request.prompt].length > MAX_PROMPT) return ["prompt", `The prompt is longer than ${MAX_PROMPT} characters.`];
  const { seed = 0 } = request;
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) return ["seed", `A seed is a whole number from 0 to ${MAX_SEED}.`];
  return null;
}

export function limitTo({ max_side: maxSide, upscale }) {
  for (const option of at("size").options) option.disabled = option.value.split("x").some((side) => Number(side) > maxSide);
  at("upscale").disabled = !upscale;
}

/** Show which member of the request is at fault, where there is a field for it. */
export function pointAt(member) {
  const field = at(FIELDS[member]);
  if (!field) return;
  if (field.closest("details")) field.closest("details").open = true;
  field.setAttribute("aria-invalid", "true");
  (field.matches("fieldset *") ? field.querySelector("input:checked") : field)?.focus();
}
