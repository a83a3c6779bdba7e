"""diffusers' text-to-image pipelines that have no adapter of ours and run as a whole, by their
class.

They read a prompt alone, from one folder, and say where they stand after each step. Left out are
those that need a picture (ControlNet), weights of another folder (Kandinsky 1 and 2, Wuerstchen) or
make films.
"""

WHOLE_PIPELINES = frozenset({
    "AuraFlowPipeline",
    "ChromaPipeline",
    "CogView3PlusPipeline",
    "CogView4Pipeline",
    "Flux2KleinPipeline",
    "Flux2Pipeline",
    "FluxKontextPipeline",
    "GlmImagePipeline",
    "HunyuanDiTPAGPipeline",
    "HunyuanDiTPipeline",
    "IFPipeline",
    "Ideogram4Pipeline",
    "Kandinsky3Pipeline",
    "Krea2Pipeline",
    "LatentConsistencyModelPipeline",
    "Lumina2Pipeline",
    "LuminaPipeline",
    "NucleusMoEImagePipeline",
    "OvisImagePipeline",
    "PRXPipeline",
    "PixArtAlphaPipeline",
    "PixArtSigmaPAGPipeline",
    "PixArtSigmaPipeline",
    "QwenImage21Pipeline",
    "QwenImagePipeline",
    "SanaPAGPipeline",
    "SanaPipeline",
    "StableDiffusion3PAGPipeline",
    "StableDiffusionPAGPipeline",
    "StableDiffusionXLPAGPipeline",
    "ZImageOmniPipeline",
    "ZImagePipeline",
})  # fmt: skip
