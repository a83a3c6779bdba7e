"""LangChain's image tool, which reads the address of every picture and sends no wish for one."""

import os
import urllib.request

from langchain_community.tools.openai_dalle_image_generation import OpenAIDALLEImageGenerationTool
from langchain_community.utilities.dalle_image_generator import DallEAPIWrapper

wrapper = DallEAPIWrapper(
    api_key=os.environ["PINXIT_KEY"],
    base_url=f"{os.environ['PINXIT_URL']}/v1",
    model="dall-e-3",
    size="256x256",
    n=2,
)
urls = OpenAIDALLEImageGenerationTool(api_wrapper=wrapper).run("a red boat on a lake").split("\n")
assert len(urls) == 2
for url in urls:
    with urllib.request.urlopen(url) as answered:
        assert answered.read(4) == b"\x89PNG"
