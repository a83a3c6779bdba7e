// What the page says: pure functions from values to text.

const PHASES = {
  waiting: "Waiting for its turn",
  loading: "Waking the model",
  calibrating: "Getting to know this machine",
  encoding: "Reading your words",
  denoising: "Painting",
  decoding: "Bringing out the picture",
  upscaling: "Enlarging",
};

/** One line for a generation under way; `begun` is {atMs, step} of the first step seen. */
export function progressLine(news, begun, nowMs) {
  if (news.status === "queued") return queueLine(news.queue_position);
  const { phase = "waiting", step = 0, steps = 0 } = news.progress ?? {};
  const doing = PHASES[phase] ?? PHASES.denoising;
  if (phase !== "denoising" || !steps) return `${doing} …`;
  const left = timeLeft(step, steps, begun, nowMs);
  return `Step ${step} of ${steps}${left ? ` · ${left}` : ""}`;
}

function queueLine(ahead) {
  if (!ahead) return "Next in line …";
  return `${ahead} ${ahead === 1 ? "picture" : "pictures"} before this one …`;
}

function timeLeft(step, steps, begun, nowMs) {
  if (!begun || step <= begun.step) return "";
  const perStepMs = (nowMs - begun.atMs) / (step - begun.step);
  return `about ${duration(perStepMs * (steps - step))} left`;
}

export function duration(ms) {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The facts under a picture, as on a museum's label. */
export function facts(picture, styleName) {
  return [
    styleName,
    `${picture.width} × ${picture.height}`,
    `seed ${picture.seed}`,
    picture.cached ? "painted before" : picture.render_ms ? `${(picture.render_ms / 1000).toFixed(1)} s` : "",
    picture.model ? `${picture.model} pinxit` : "",
  ].filter(Boolean);
}

/** The prompt in pieces, [text, is it a word that the model does not know]. */
export function marked(prompt, unknown) {
  const isUnknown = (piece) => unknown.includes(piece.toLowerCase());
  return prompt.split(/([\p{L}'\u2019]+)/u).filter(Boolean).map((piece) => [piece, isUnknown(piece)]);
}

/** What to tell a caller who was refused, and which way out to offer. */
export function wayOut(trouble) {
  if (trouble.status === 401) return { text: trouble.message, action: "key", label: "Use another key" };
  if (trouble.status === 402) {
    return { text: `${trouble.message} The operator of this server can grant more, or a key of another account.`, action: "key", label: "Use another key" };
  }
  if (trouble.status === 429 || trouble.status === 503) {
    const wait = trouble.retryAfterS ? ` Free again in ${duration(trouble.retryAfterS * 1000)}.` : "";
    return { text: trouble.message + wait, action: "again", label: "Try again" };
  }
  if (trouble.status === 0 || trouble.status >= 500) {
    return { text: trouble.message, action: "again", label: "Try again" };
  }
  return { text: trouble.message, action: null, label: "" };
}

/** The same painting from a shell. */
export function curl(origin, key, request) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    `curl -sS ${origin}/v1/generate`,
    `-H ${quoted(`Authorization: Bearer ${key}`)}`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(JSON.stringify(request))}`,
  ].join(" \\\n  ");
}

/** A request that paints `picture` again. */
export function requestOf(picture, sides) {
  const enlarged = !sides.includes(picture.width);
  const request = {
    prompt: picture.prompt,
    style: picture.style,
    width: enlarged ? picture.width / 4 : picture.width,
    height: enlarged ? picture.height / 4 : picture.height,
    quality: picture.quality,
    seed: picture.seed,
  };
  if (enlarged) request.upscale = true;
  return request;
}
