// AI SDK with both of its providers that speak OpenAI's words: one asks for one picture a call, the other for all at once.

import assert from "node:assert/strict";

import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { experimental_generateImage, generateImage } from "ai";

const generate = generateImage ?? experimental_generateImage;
const address = { baseURL: `${process.env.PINXIT_URL}/v1`, apiKey: process.env.PINXIT_KEY };
const openai = createOpenAI(address);
const compatible = createOpenAICompatible({ ...address, name: "pinxit" });
const prompt = "a red boat on a lake";
const isPicture = (image) => assert.equal(Buffer.from(image.uint8Array).subarray(1, 4).toString(), "PNG");

const known = await generate({ model: openai.image("gpt-image-2"), prompt, size: "256x256" });
isPicture(known.image);

// Under any other name it adds response_format, and sends two equal calls for two pictures.
const two = await generate({ model: openai.image("starter"), prompt, n: 2, size: "256x256" });
assert.equal(two.images.length, 2);
assert.notEqual(two.images[0].base64, two.images[1].base64);

const passed = await generate({
  model: compatible.imageModel("starter"),
  prompt,
  n: 2,
  size: "256x256",
  seed: 7,
  providerOptions: { pinxit: { style: "watercolor", negative_prompt: "clouds", steps: 4 } },
});
assert.equal(passed.images.length, 2);
passed.images.forEach(isPicture);

for (const model of [openai.image("gpt-image-2"), compatible.imageModel("starter")]) {
  await assert.rejects(generate({ model, prompt: "a naked child", size: "256x256" }), (error) => {
    assert.equal(error.statusCode, 400);
    assert.match(error.message, /content policy/);
    return true;
  });
}
