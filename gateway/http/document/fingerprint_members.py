"""What the members of a fingerprint mean: the engine that painted a picture."""

from collections.abc import Mapping

FINGERPRINT: Mapping[str, str] = {
    "batch_class": "Batch sizes that were proven to change no bits.",
    "compute_capability": "Of the CUDA device; empty on a CPU.",
    "cublas": "Version of cuBLAS; empty on a CPU.",
    "cudnn": "Version of cuDNN; empty on a CPU.",
    "decoding": "How latents become pixels.",
    "device_name": "The processor or GPU.",
    "diffusers": "Version of diffusers.",
    "dtype": "Number format of the networks.",
    "execution": "How passes of the network are run.",
    "host_cpu": "The processor that drew the noise for a CUDA device; empty on a CPU, which is the device itself.",
    "kernels": "Which of CUDA's kernels may run; empty on a CPU.",
    "multiprocessors": "How many the CUDA device has; empty on a CPU.",
    "peft": "Version of peft; empty where no LoRA acted.",
    "pillow": "Version of Pillow, where it read a source image.",
    "pinxit": "Hash of the engine's source.",
    "placement": "How the model is held on the device.",
    "threads": "CPU threads of the engine.",
    "torch": "Version of torch.",
    "transformers": "Version of transformers.",
    "vae_sha256": "Hash of the VAE's weights; empty means the model's own.",
}
