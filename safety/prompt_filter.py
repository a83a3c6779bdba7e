"""What may be painted, judged from the texts alone: no model, no clock, linear in the texts' length."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

from models import SettingInvalid
from safety.confusables import Confusables, load_confusables
from safety.lexicon import Lexicon, Rule, load_lexicon
from safety.matching import Entry, Hits, PhraseIndex, Span
from safety.policy import Policy, load_policies
from safety.verdict import Action, Finding, PromptBlocked, Stage, Verdict
from safety.views import VERSION, views_of
from safety.words import Words, split_words

_ART = "art_context"
_NEGATION_REACH = 3
_MOST_HITS = 32
"""Of each group, how many hits one rule combines; a text with more is no clearer."""
_MOST_REMEMBERED = 256
"""Verdicts, with the texts they are of: at most some five megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One view of one text and what stands in it."""

    stage: Stage
    view: str
    words: Words
    hits: Hits


class PromptFilter:
    """Rules over every disguise a text may wear. A verdict depends on the texts alone, so `check` remembers the last ones."""

    def __init__(self, lexicon: Lexicon, policies: Mapping[str, Policy], confusables: Confusables) -> None:
        """Raises SettingInvalid: a rule's category is missing in a policy."""
        for policy, rule in product(policies.values(), lexicon.rules):
            policy.ruling(rule.category)
        self._lexicon = lexicon
        self._policies = dict(policies)
        self._confusables = confusables
        self._index = PhraseIndex(lexicon)
        self._remembered = lru_cache(maxsize=_MOST_REMEMBERED)(self.judge)

    @classmethod
    def load(cls, folder: Path) -> "PromptFilter":
        """Read `policies.toml`, `rules.toml`, `confusables.toml` and `lexicons/*.toml` of `folder`.

        Raises:
            SettingInvalid: a file is missing or wrong; the message names file and member.
        """
        return cls(
            load_lexicon([folder / "rules.toml", *(folder / "lexicons").glob("*.toml")]),
            load_policies(folder / "policies.toml"),
            load_confusables(folder / "confusables.toml"),
        )

    def judge(
        self, prompt: str, *, negative_prompt: str = "", final_prompt: str = "", policy: str = "standard"
    ) -> Verdict:
        """Read every text that can reach the text encoder and say what follows.

        The negative prompt is read with the opposite sign: naming a thing there asks for its absence. What counts in
        it is the absence of clothing or of adults. The final prompt is what the text encoder reads: style and
        enhancement included.

        Raises:
            SettingInvalid: there is no such policy.
        """
        chosen = self._policy(policy)
        negatives = list(self._readings(Stage.NEGATIVE_PROMPT, negative_prompt))
        positives = [*self._readings(Stage.PROMPT, prompt), *self._readings(Stage.FINAL_PROMPT, final_prompt)]
        found = {finding.rule: finding for finding in reversed(list(self._findings(positives, negatives, chosen)))}
        findings = tuple(sorted(found.values(), key=lambda finding: _weight(finding, chosen)))
        return Verdict(
            action=findings[0].action if findings else Action.ALLOW,
            category=findings[0].category if findings else None,
            findings=findings,
            policy=chosen.name,
            policy_hash=chosen.hash,
            lexicon_hash=self._lexicon.hash,
            views_version=VERSION,
            input_sha256=_hash_of((prompt, negative_prompt, final_prompt)),
        )

    def check(
        self, prompt: str, *, negative_prompt: str = "", final_prompt: str = "", policy: str = "standard"
    ) -> Verdict:
        """`judge`, and refuse what is blocked.

        Raises:
            PromptBlocked: with the gravest category.
        """
        verdict = self._remembered(prompt, negative_prompt=negative_prompt, final_prompt=final_prompt, policy=policy)
        if verdict.is_blocked:
            raise PromptBlocked(str(verdict.category))
        return verdict

    def _policy(self, name: str) -> Policy:
        if name not in self._policies:
            raise SettingInvalid(f"There is no safety policy {name!r}; there are {', '.join(self._policies)}.")
        return self._policies[name]

    def _readings(self, stage: Stage, text: str) -> Iterator[_Reading]:
        seen: set[tuple[str, ...]] = set()
        known: dict[str, tuple[Entry, ...]] = {}
        for name, view in views_of(text, self._confusables):
            words = split_words(view)
            if words.words and words.words not in seen:
                seen.add(words.words)
                yield _Reading(stage=stage, view=name, words=words, hits=self._index.find(words, known=known))

    def _findings(
        self, positives: Iterable[_Reading], negatives: Iterable[_Reading], policy: Policy
    ) -> Iterator[Finding]:
        denied = {group for reading in negatives for group in reading.hits}
        for reading in positives:
            for rule in self._lexicon.rules:
                span = self._match(rule, reading) if denied.issuperset(rule.negative) else None
                if span is not None:
                    yield _finding(rule, reading, span, policy)

    def _match(self, rule: Rule, reading: _Reading) -> Span | None:
        """The first place where `rule` holds and nothing excuses it."""
        if not all(group in reading.hits for group in rule.all):
            return None
        spans = [reading.hits[group][:_MOST_HITS] for group in rule.all]
        for together in _combinations(spans, rule.window):
            if not self._is_excused(rule, reading, together):
                return Span(start=min(span.start for span in together), end=max(span.end for span in together))
        return None

    def _is_excused(self, rule: Rule, reading: _Reading, together: tuple[Span, ...]) -> bool:
        if rule.negatable and any(self._is_negated(reading.words, span) for span in together):
            return True
        excuses = (excuse for group in rule.unless for excuse in reading.hits.get(group, ()))
        return any(excuse.distance(span) <= rule.unless_window for excuse in excuses for span in together)

    def _is_negated(self, words: Words, span: Span) -> bool:
        before = range(max(0, span.start - _NEGATION_REACH), span.start)
        return any(
            words.words[i] in self._lexicon.negations and words.clauses[i] == words.clauses[span.start] for i in before
        )


def _combinations(spans: list[tuple[Span, ...]], window: int) -> Iterator[tuple[Span, ...]]:
    """One span of each group, all within `window` words of the first group's (0: anywhere)."""
    first, *others = spans
    for anchor in first:
        near = [[span for span in other if not window or anchor.distance(span) <= window] for other in others]
        for rest in product(*(group[:4] for group in near)):
            yield (anchor, *rest)


def _finding(rule: Rule, reading: _Reading, span: Span, policy: Policy) -> Finding:
    is_art = _ART in reading.hits
    return Finding(
        rule=rule.id,
        category=rule.category,
        score=rule.score,
        stage=reading.stage,
        view=reading.view,
        start=span.start,
        end=span.end,
        is_art=is_art,
        action=policy.ruling(rule.category).on(rule.score, is_art=is_art),
    )


def _weight(finding: Finding, policy: Policy) -> tuple[int, int, str]:
    """Sorts the severest action first, then the gravest category."""
    return (-finding.action.severity, policy.gravity(finding.category), finding.rule)


def _hash_of(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
