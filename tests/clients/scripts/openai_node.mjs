// openai-node: pictures, an edit, a stream, and errors that it recognizes.

import assert from "node:assert/strict";

import OpenAI, { toFile } from "openai";

const url = process.env.PINXIT_URL;
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: process.env.PINXIT_KEY });
const small = { prompt: "a red boat on a lake", model: "gpt-image-2", size: "256x256", steps: 4 };

const made = await client.images.generate({ ...small, seed: 7 });
const picture = Buffer.from(made.data[0].b64_json, "base64");
assert.equal(picture.subarray(1, 4).toString(), "PNG");

const linked = await client.images.generate({ ...small, model: "dall-e-3", response_format: "url" });
assert.ok(linked.data[0].url.startsWith(url));

const names = [];
for await (const event of await client.images.generate({ ...small, stream: true, partial_images: 1 })) {
  names.push(event.type);
}
assert.equal(names.at(-1), "image_generation.completed");

const edited = await client.images.edit({ ...small, image: await toFile(picture, "boat.png", { type: "image/png" }) });
assert.ok(edited.data[0].b64_json);

await assert.rejects(client.images.generate({ ...small, prompt: "a naked child" }), (error) => {
  assert.ok(error instanceof OpenAI.BadRequestError);
  assert.equal(error.code, "moderation_blocked");
  return true;
});
