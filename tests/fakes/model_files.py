"""A model of llama's kind that is small, and whose weights are chance: what it says is nonsense, within its grammar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

WIDTH, LETTERS = 64, 256


def write_model(path: Path) -> Path:
    """A file of a quarter of a megabyte that llama.cpp runs."""
    chance, writer = np.random.default_rng(7), GGUFWriter(path, "llama")
    writer.add_context_length(8192)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // 2)
    _add_letters(writer)

    def add(name: str, *shape: int) -> None:
        even = "norm" in name
        tensor = np.ones(shape) if even else chance.normal(0, 0.05, shape)
        writer.add_tensor(f"{name}.weight", tensor.astype(np.float32))

    add("token_embd", LETTERS + 3, WIDTH)
    add("output", LETTERS + 3, WIDTH)
    add("output_norm", WIDTH)
    for name in ("attn_norm", "ffn_norm"):
        add(f"blk.0.{name}", WIDTH)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        add(f"blk.0.{name}", WIDTH, WIDTH)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_letters(writer: GGUFWriter) -> None:
    """Each byte is a token."""
    letters = [f"<0x{byte:02X}>".encode() for byte in range(LETTERS)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([b"<unk>", b"<s>", b"</s>", *letters])
    writer.add_token_scores([0.0] * (LETTERS + 3))
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, *[TokenType.BYTE] * LETTERS]
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}")
