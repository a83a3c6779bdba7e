"""What may be painted, judged from all that decides a picture: no model, no clock, linear in the texts' length."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, product
from pathlib import Path

from models import SettingInvalid
from safety.confusables import Confusables, load_confusables
from safety.lexicon import Lexicon, Rule, load_lexicon
from safety.matching import Begun, Hits, PhraseIndex, Span
from safety.moderation_input import ModerationInput
from safety.policy import Policy, load_policies
from safety.rule_matching import Reading, first_match
from safety.sequences import with_sequences
from safety.verdict import Action, Decision, Finding, PromptBlocked, Stage, Verdict
from safety.views import SPELLED, VERSION, views_of
from safety.words import Words, split_words

DEFAULT_POLICY = "standard"
_ART = "art_context"
_MOST_REMEMBERED = 256
"""Verdicts, with the inputs they are of: at most some ten megabytes."""


class PromptFilter:
    """Rules over every disguise a text may wear. A verdict depends on the input alone, so `check` remembers the last ones."""

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

    def judge(self, given: ModerationInput, *, policy: str = DEFAULT_POLICY) -> Verdict:
        """Read everything that decides the picture and say what follows.

        The negative prompts are read with the opposite sign: naming a thing there asks for its absence. What counts in
        them is the absence of clothing or of adults. Some rules hold only where the painting begins from a picture.

        Raises:
            SettingInvalid: there is no such policy.
        """
        chosen = self._policy(policy)
        negatives = list(self._readings(Stage.NEGATIVE_PROMPT, (given.negative_prompt, *given.final_negative_prompts)))
        positives = [
            *self._readings(Stage.PROMPT, (given.prompt,)),
            *self._readings(Stage.FINAL_PROMPT, (text for text in given.final_prompts if text != given.prompt)),
            *self._readings(Stage.ADAPTER, given.adapters),
        ]
        rules = [rule for rule in self._lexicon.rules if given.source is not None or not rule.needs_source]
        held = chain(_held(rules, positives, negatives, self._lexicon.negations), _held_by_negatives(rules, negatives))
        found = {rule.id: _finding(rule, reading, span, chosen) for rule, reading, span in reversed(list(held))}
        findings = tuple(sorted(found.values(), key=lambda finding: _weight(finding, chosen)))
        return Verdict(
            action=findings[0].action if findings else Action.ALLOW,
            category=findings[0].category if findings else None,
            findings=findings,
            policy=chosen.name,
            policy_hash=chosen.hash,
            lexicon_hash=self._lexicon.hash,
            views_version=VERSION,
            input_sha256=given.sha256,
        )

    def check(self, given: ModerationInput, *, policy: str = DEFAULT_POLICY) -> Decision:
        """`judge`, and refuse what is blocked.

        Raises:
            PromptBlocked: with the decision; its message names the gravest category.
        """
        decision = Decision(given=given, verdict=self._remembered(given, policy=policy))
        if decision.verdict.is_blocked:
            raise PromptBlocked(decision)
        return decision

    def check_policy(self, policy: str, *, named_by: str) -> None:
        """Raises SettingInvalid: there is no such policy; the message begins with `named_by`."""
        if policy not in self._policies:
            names = ", ".join(self._policies)
            raise SettingInvalid(f"{named_by}: there is no safety policy {policy!r}; policies.toml has {names}.")

    def _policy(self, name: str) -> Policy:
        self.check_policy(name, named_by="safety policy")
        return self._policies[name]

    def _readings(self, stage: Stage, texts: Iterable[str]) -> Iterator[Reading]:
        seen: set[tuple[str, ...]] = set()
        known: dict[str, Begun] = {}
        for name, view in (named for text in dict.fromkeys(texts) for named in views_of(text, self._confusables)):
            words = split_words(view)
            if words.words and words.words not in seen:
                seen.add(words.words)
                hits = self._with_sequences(self._index.find(words, known=known), words, view=name)
                yield Reading(stage=stage, view=name, words=words, hits=hits)

    def _with_sequences(self, hits: Hits, words: Words, *, view: str) -> Hits:
        sequences, fillers = self._lexicon.sequences, self._lexicon.fillers
        return with_sequences(hits, words, sequences, fillers=fillers, is_spelled=view == SPELLED)


def _held(
    rules: Iterable[Rule], positives: Iterable[Reading], negatives: Iterable[Reading], negations: frozenset[str]
) -> Iterator[tuple[Rule, Reading, Span]]:
    """Each rule that asks something of the prompts, where it holds first in each reading."""
    denied = {group for reading in negatives for group in reading.hits}
    asking = [rule for rule in rules if rule.all and denied.issuperset(rule.negative)]
    for reading, rule in product(positives, asking):
        if (span := first_match(rule, reading, negations)) is not None:
            yield rule, reading, span


def _held_by_negatives(rules: Iterable[Rule], negatives: Iterable[Reading]) -> Iterator[tuple[Rule, Reading, Span]]:
    """Each rule that asks something of the negative prompt alone."""
    asking = [rule for rule in rules if not rule.all]
    for reading, rule in product(negatives, asking):
        if all(group in reading.hits for group in rule.negative):
            yield rule, reading, reading.hits[rule.negative[0]][0]


def _finding(rule: Rule, reading: Reading, span: Span, policy: Policy) -> Finding:
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
