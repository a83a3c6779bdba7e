"""Every member of `txt2img` and `img2img` in A1111's web UI, and what it acts on here."""

from collections.abc import Mapping
from typing import cast

from gateway.http.dialects.members import Acts, Answers, Idle, Member, Unsupported, empty, one_of

CHECKPOINT = "sd_model_checkpoint"
VAE = "sd_vae"
CLIP_LAYERS = "CLIP_stop_at_last_layers"

UNREPEATED = "there is no second pass; ask for `width` and `height` of the whole picture."
NO_VARIATION = "a seed is not mixed with another."
BELONGS_TO_REPEAT = "it belongs to the second pass (`enable_hr`), which does not exist here."


def seed_of(value: object) -> object:
    """-1 draws one."""
    return None if value == -1 else value


def skipped_by(layer: object) -> object:
    """There 1 is the last layer; here it counts those that are left out."""
    return layer - 1 if isinstance(layer, int) else layer


def is_off(scripts: object) -> bool:
    """Scripts that are sent and do nothing: without arguments, switched off first of all, or in every unit.

    ControlNet's units are on unless they say otherwise; other extensions send a switch as their first argument.
    """
    if not isinstance(scripts, dict):
        return not scripts
    return all(_is_script_off(script) for script in cast("dict[str, object]", scripts).values())


def _is_script_off(script: object) -> bool:
    arguments = cast("dict[str, object]", script).get("args") if isinstance(script, dict) else script
    if isinstance(arguments, dict):
        arguments = list(cast("dict[str, object]", arguments).values())
    if not isinstance(arguments, list) or not arguments:
        return not arguments
    found = cast("list[object]", arguments)
    return found[0] is False or all(one is None or _is_unit_off(one) for one in found)


def _is_unit_off(unit: object) -> bool:
    return isinstance(unit, dict) and cast("dict[str, object]", unit).get("enabled") is False


TEXT_TO_IMAGE: Mapping[str, Member] = {
    "prompt": Acts(on="prompt"),
    "negative_prompt": Acts(on="negative_prompt"),
    "styles": Acts(on="style"),
    "seed": Acts(on="seed", read=seed_of),
    "batch_size": Acts(on="n"),
    "n_iter": Acts(on="n"),
    "width": Acts(on="width"),
    "height": Acts(on="height"),
    "steps": Acts(on="num_inference_steps"),
    "cfg_scale": Acts(on="guidance_scale"),
    "sampler_name": Acts(on="sampler"),
    "sampler_index": Acts(on="sampler"),
    "scheduler": Acts(on="sampler"),
    "clip_skip": Acts(on="clip_skip", read=skipped_by),
    "override_settings": Answers(),  # its members have a table of their own
    "send_images": Idle(is_usual=one_of(True)),
    "save_images": Idle(is_usual=empty),
    "do_not_save_samples": Idle(is_usual=one_of(True, False)),
    "do_not_save_grid": Idle(is_usual=one_of(True, False)),
    "override_settings_restore_afterwards": Idle(is_usual=one_of(True, False)),
    "force_task_id": Idle(),
    "comments": Idle(is_usual=empty),
    "restore_faces": Idle(is_usual=empty, why="there is no network here that restores faces."),
    "eta": Idle(is_usual=empty),
    "s_min_uncond": Idle(is_usual=empty),
    "s_churn": Idle(is_usual=empty),
    "s_tmin": Idle(is_usual=empty),
    "s_tmax": Idle(is_usual=empty),
    "s_noise": Idle(is_usual=one_of(1)),
    "subseed": Idle(is_usual=one_of(-1, 0)),
    "subseed_strength": Unsupported(why=NO_VARIATION),
    "seed_resize_from_w": Unsupported(why=NO_VARIATION, is_off=one_of("", -1)),
    "seed_resize_from_h": Unsupported(why=NO_VARIATION, is_off=one_of("", -1)),
    "tiling": Unsupported(why="no picture's edges fit together."),
    "disable_extra_networks": Unsupported(why="leave the LoRA's words out of the prompt."),
    "infotext": Unsupported(why="send its values as members."),
    "refiner_checkpoint": Unsupported(why="no second model refines a painting.", is_off=one_of("", "None")),
    "refiner_switch_at": Idle(is_usual=one_of("", 0.8, 1), why="it belongs to `refiner_checkpoint`."),
    "script_name": Unsupported(why="there are no scripts.", is_off=one_of("", "None")),
    "script_args": Idle(is_usual=empty, why="it belongs to `script_name`."),
    "alwayson_scripts": Unsupported(why="there are no extensions, such as ControlNet.", is_off=is_off),
    "enable_hr": Unsupported(why=UNREPEATED),
    "firstpass_image": Unsupported(why="begin from a picture at `/sdapi/v1/img2img`."),
    "init_images": Unsupported(why="begin from a picture at `/sdapi/v1/img2img`."),
    "mask": Unsupported(why="begin from a picture at `/sdapi/v1/img2img`."),
    "firstphase_width": Idle(is_usual=empty, why=BELONGS_TO_REPEAT),
    "firstphase_height": Idle(is_usual=empty, why=BELONGS_TO_REPEAT),
    "hr_scale": Idle(is_usual=one_of("", 1, 2), why=BELONGS_TO_REPEAT),
    "hr_upscaler": Idle(is_usual=one_of("", "None", "Latent"), why=BELONGS_TO_REPEAT),
    "hr_second_pass_steps": Idle(is_usual=empty, why=BELONGS_TO_REPEAT),
    "hr_resize_x": Idle(is_usual=empty, why=BELONGS_TO_REPEAT),
    "hr_resize_y": Idle(is_usual=empty, why=BELONGS_TO_REPEAT),
    "hr_checkpoint_name": Idle(is_usual=one_of("", "Use same checkpoint"), why=BELONGS_TO_REPEAT),
    "hr_sampler_name": Idle(is_usual=one_of("", "Use same sampler"), why=BELONGS_TO_REPEAT),
    "hr_scheduler": Idle(is_usual=one_of("", "Use same scheduler"), why=BELONGS_TO_REPEAT),
    "hr_prompt": Idle(is_usual=empty, why=BELONGS_TO_REPEAT),
    "hr_negative_prompt": Idle(is_usual=empty, why=BELONGS_TO_REPEAT),
    "denoising_strength": Idle(is_usual=one_of("", 0.7, 0.75), why=BELONGS_TO_REPEAT),
}
WHOLE_PICTURE = "the whole picture is painted at its size, and what the mask leaves out is put back."
IMAGE_TO_IMAGE: Mapping[str, Member] = {
    **TEXT_TO_IMAGE,
    "init_images": Acts(on="image"),
    "mask": Acts(on="mask"),
    "denoising_strength": Acts(on="strength"),
    "inpainting_mask_invert": Acts(on="mask", only_with="mask", is_usual=empty),
    "latent_mask": Unsupported(why="send it as `mask`."),
    "resize_mode": Unsupported(
        why="a picture of another ratio is cropped (`resize_mode` 1), neither stretched nor filled.",
        is_off=one_of("", 1),
    ),
    "include_init_images": Idle(is_usual=empty),
    "image_cfg_scale": Idle(is_usual=one_of("", 1.5)),
    "initial_noise_multiplier": Idle(is_usual=one_of("", 1)),
    "mask_blur": Idle(is_usual=empty, why="the mask counts as it is, without blur."),
    "mask_blur_x": Idle(is_usual=one_of("", 4), why="the mask counts as it is, without blur."),
    "mask_blur_y": Idle(is_usual=one_of("", 4), why="the mask counts as it is, without blur."),
    "mask_round": Idle(is_usual=one_of(True)),
    "inpainting_fill": Idle(is_usual=one_of(1), why="inside the mask painting begins from the picture (`1`)."),
    "inpaint_full_res": Idle(is_usual=empty, why=WHOLE_PICTURE),
    "inpaint_full_res_padding": Idle(is_usual=one_of("", 32), why=WHOLE_PICTURE),
}
SETTINGS: Mapping[str, Member] = {
    CHECKPOINT: Acts(on="model"),
    VAE: Acts(on="vae"),
    CLIP_LAYERS: Acts(on="clip_skip", read=skipped_by),
    "samples_format": Idle(is_usual=one_of("", "png"), why="pictures are sent as PNG."),
}
