"""Write the examples of `docs/guides/*.md` in six languages: `make guides` after a change of `examples.toml`.

Between `<!-- example: NAME -->` and `<!-- end -->` stands what is written here; everything else in a page is a person's.
Each example is a whole program: it reads PINXIT_BASE_URL, PINXIT_API_KEY and, where it speaks of one that exists, GENERATION_ID
from the environment, fails loudly, and prints what it shows. `tests/docs` runs them all.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
PLACE = re.compile(r"(<!-- example: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
VARIABLE = re.compile(r"\{(\w+)\}")
PYTHON_WIDTH = 120  # ruff formats the pages' Python too


@dataclass(frozen=True, kw_only=True)
class Example:
    """One call. `path` may hold `{GENERATION_ID}`; `show` is the way to what is printed, one member or place a step."""

    method: str = "GET"
    path: str
    show: list[str | int]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] | None = None

    @property
    def all_headers(self) -> dict[str, str]:
        return {**({"Content-Type": "application/json"} if self.body is not None else {}), **self.headers}


def examples() -> dict[str, Example]:
    tables = tomllib.loads((DOCS / "examples.toml").read_text())
    return {name: Example(**table) for name, table in tables.items()}


def curl(one: Example) -> str:
    path = VARIABLE.sub(r"$\1", one.path)
    lines = [f'curl -s --fail-with-body "$PINXIT_BASE_URL{path}"']
    lines += (
        [f"-X {one.method}"] if one.method not in {"GET", "POST"} or (one.method == "POST" and not one.body) else []
    )
    lines += [
        '-H "Authorization: Bearer $PINXIT_API_KEY"',
        *(f"-H '{name}: {value}'" for name, value in one.all_headers.items()),
    ]
    if one.body is not None:
        lines += ["-d '" + json.dumps(one.body, ensure_ascii=False).replace("'", "'\\''") + "'"]
    return " \\\n     ".join(lines)


def python(one: Example) -> str:
    path = VARIABLE.sub(r"{os.environ['\1']}", one.path)
    headers = "".join(f', "{name}": "{value}"' for name, value in one.headers.items())
    body = f"{_laid_out('json=', one.body, depth=1)}\n" if one.body is not None else ""
    return f"""import os

import requests

answer = requests.{one.method.lower()}(
    f"{{os.environ['PINXIT_BASE_URL']}}{path}",
    headers={{"Authorization": f"Bearer {{os.environ['PINXIT_API_KEY']}}"{headers}}},
{body}    timeout=90,
)
answer.raise_for_status()
print(answer.json(){_brackets(one.show)})"""


def javascript(one: Example) -> str:
    path = VARIABLE.sub(r"${process.env.\1}", one.path)
    headers = "".join(f', "{name}": "{value}"' for name, value in one.all_headers.items())
    method = f'\n  method: "{one.method}",' if one.method != "GET" else ""
    body = f"\n  body: JSON.stringify({_literal(one.body)})," if one.body is not None else ""
    return f"""const answer = await fetch(`${{process.env.PINXIT_BASE_URL}}{path}`, {{{method}
  headers: {{ Authorization: `Bearer ${{process.env.PINXIT_API_KEY}}`{headers} }},{body}
}});
if (!answer.ok) throw new Error(await answer.text());
console.log((await answer.json()){_brackets(one.show)});"""


def php(one: Example) -> str:
    path = VARIABLE.sub(r"' . getenv('\1') . '", one.path)
    headers = "".join(f", '{name}: {value}'" for name, value in one.all_headers.items())
    body = f"\n    'content' => json_encode({_php(one.body)})," if one.body is not None else ""
    return f"""<?php
$answer = file_get_contents(getenv('PINXIT_BASE_URL') . '{path}', false, stream_context_create(['http' => [
    'method' => '{one.method}',
    'header' => ['Authorization: Bearer ' . getenv('PINXIT_API_KEY'){headers}],{body}
]]));
if ($answer === false) exit(1);
echo json_encode(json_decode($answer, true){_brackets(one.show, quote="'")}), "\\n";"""


def ruby(one: Example) -> str:
    path = VARIABLE.sub(r'#{ENV.fetch("\1")}', one.path)
    headers = "".join(f', "{name}" => "{value}"' for name, value in one.all_headers.items())
    body = f"\nrequest.body = JSON.generate({_literal(one.body, none='nil')})" if one.body is not None else ""
    return f"""require "json"
require "net/http"

uri = URI("#{{ENV.fetch("PINXIT_BASE_URL")}}{path}")
request = Net::HTTP::{one.method.capitalize()}.new(uri, "Authorization" => "Bearer #{{ENV.fetch("PINXIT_API_KEY")}}"{headers}){body}
answer = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") {{ |http| http.request(request) }}
abort answer.body unless answer.is_a?(Net::HTTPSuccess)
puts JSON.parse(answer.body){_brackets(one.show)}"""


def go(one: Example) -> str:
    path = '"' + VARIABLE.sub(r'"+os.Getenv("\1")+"', one.path) + '"'
    path = path.removesuffix('+""')
    text = json.dumps(one.body, ensure_ascii=False) if one.body is not None else None
    body = f"strings.NewReader(`{text}`)" if text is not None else "nil"
    uses = sorted({"encoding/json", "fmt", "log", "net/http", "os"} | ({"strings"} if text is not None else set()))
    headers = "".join(f'\n\trequest.Header.Set("{name}", "{value}")' for name, value in one.all_headers.items())
    shown = "found" + "".join(
        f".([]any)[{step}]" if isinstance(step, int) else f'.(map[string]any)["{step}"]' for step in one.show
    )
    imports = "\n".join(f'\t"{name}"' for name in uses)
    return f"""package main

import (
{imports}
)

func main() {{
	request, err := http.NewRequest("{one.method}", os.Getenv("PINXIT_BASE_URL")+{path}, {body})
	if err != nil {{
		log.Fatal(err)
	}}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("PINXIT_API_KEY")){headers}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {{
		log.Fatal(err)
	}}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {{
		log.Fatal(answer.Status)
	}}
	var found any
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {{
		log.Fatal(err)
	}}
	fmt.Println({shown})
}}"""


LANGUAGES: Mapping[str, tuple[str, Callable[[Example], str]]] = {
    "curl": ("sh", curl),
    "Python": ("python", python),
    "JavaScript": ("js", javascript),
    "PHP": ("php", php),
    "Ruby": ("ruby", ruby),
    "Go": ("go", go),
}


def tabs(name: str, one: Example) -> str:
    """One `<details>` a language; their common name makes a browser close one when another is opened."""
    parts = [
        f'<details name="{name}"{" open" if language == "curl" else ""}><summary>{language}</summary>\n\n'
        f"```{fence}\n{write(one)}\n```\n\n</details>\n"
        for language, (fence, write) in LANGUAGES.items()
    ]
    return "".join(parts)


def rendered(page: str, known: Mapping[str, Example]) -> str:
    """Raises KeyError: the page names an example that is not in `examples.toml`."""
    return PLACE.sub(lambda place: place[1] + tabs(place[2], known[place[2]]) + place[3], page)


def _brackets(way: list[str | int], *, quote: str = '"') -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f"[{quote}{step}{quote}]" for step in way)


def _literal(value: object, *, true: str = "true", false: str = "false", none: str = "null") -> str:
    """As Python, JavaScript and Ruby write it, on one line."""
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f'"{name}": {_literal(of, true=true, false=false, none=none)}' for name, of in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_literal(of, true=true, false=false, none=none) for of in value) + "]"
    if value is None or isinstance(value, bool):
        return {True: true, False: false, None: none}[value]
    return json.dumps(value, ensure_ascii=False)


def _laid_out(name: str, value: object, *, depth: int) -> str:
    """An argument or a member in Python, as ruff lays it out: on one line where it fits, else a line for each part."""
    margin = " " * 4 * depth
    line = f"{margin}{name}{_literal(value, true='True', false='False', none='None')},"
    if len(line) <= PYTHON_WIDTH or not isinstance(value, Mapping | list):
        return line
    parts = (
        [(f'"{key}": ', of) for key, of in value.items()] if isinstance(value, Mapping) else [("", of) for of in value]
    )
    opened, closed = "{}" if isinstance(value, Mapping) else "[]"
    inner = [_laid_out(key, of, depth=depth + 1) for key, of in parts]
    return "\n".join([f"{margin}{name}{opened}", *inner, f"{margin}{closed},"])


def _php(value: object) -> str:
    if isinstance(value, Mapping):
        return "[" + ", ".join(f"'{name}' => {_php(of)}" for name, of in value.items()) + "]"
    if isinstance(value, list):
        return "[" + ", ".join(map(_php, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return _literal(value)


def main() -> None:
    known = examples()
    for page in sorted((DOCS / "guides").glob("*.md")):
        page.write_text(rendered(page.read_text(), known))


if __name__ == "__main__":
    main()
