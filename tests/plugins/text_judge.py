"""The prompt filter asked in plain texts, for tests that care for nothing else."""

from safety import Action, Decision, ModerationInput, PromptFilter, SourcePicture, Surface, Verdict

PHOTO = SourcePicture(strength=0.6, has_mask=False, masked_share=None)


def input_of(
    prompt: str, *, negative_prompt: str = "", final_prompt: str = "", source: SourcePicture | None = None
) -> ModerationInput:
    """What is judged of a call that says no more than this."""
    return ModerationInput(
        surface=Surface.NATIVE,
        prompt=prompt,
        negative_prompt=negative_prompt,
        final_prompts=(final_prompt,) if final_prompt else (),
        final_negative_prompts=(negative_prompt,),
        source=source,
        adapters=(),
        model="starter",
        style="none",
        is_replay=False,
    )


class TextJudge:
    """A prompt filter that is asked in texts."""

    def __init__(self, prompt_filter: PromptFilter) -> None:
        self.filter = prompt_filter

    def judge(self, prompt: str, *, policy: str = "standard", **members: object) -> Verdict:
        return self.filter.judge(input_of(prompt, **members), policy=policy)

    def check(self, prompt: str, *, policy: str = "standard", **members: object) -> Decision:
        return self.filter.check(input_of(prompt, **members), policy=policy)

    def action(self, prompt: str, **members: object) -> Action:
        return self.judge(prompt, **members).action
