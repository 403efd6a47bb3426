"""What a model file is compressed with is undone piece by piece, and never beyond what is allowed."""

import bz2
import gzip
import io
import lzma
import struct
import tracemalloc
import zlib
from collections import deque

import joblib
import numpy as np
import pytest
from hostile import bombs

from flight_delay.errors import ModelRefused, NotAModel
from flight_delay.model.untrusted.compression import opened

COMPRESSIONS = [0, 1, 3, 9, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("xz", 9), ("lzma", 3), ("lz4", 3)]
PICKLE = b"\x80\x04" + bytes(range(256)) * 4096


def content_of(path, most=2**30):
    with opened(path, most) as stream:
        return stream.read()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.joblib"


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=str)
def test_what_joblib_writes_is_read(path, compression):
    if "lz4" in str(compression):
        pytest.importorskip("lz4")
    plain = io.BytesIO()
    something = {"random": np.random.default_rng(1).normal(size=300_000), "zeros": np.zeros(3_000_000)}
    joblib.dump(something, plain)
    joblib.dump(something, path, compress=compression)
    assert content_of(path) == plain.getvalue()


@pytest.mark.parametrize("compress", [bytes, zlib.compress, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("short", [0, 1])
def test_no_byte_more_than_allowed_comes_out(path, compress, short):
    path.write_bytes(compress(PICKLE))
    if not short:
        assert content_of(path, len(PICKLE)) == PICKLE
    else:
        with pytest.raises(ModelRefused) as refused:
            content_of(path, len(PICKLE) - short)
        assert (refused.value.key, refused.value.facts) == ("refused_size_inside", {"most": len(PICKLE) - short})


@pytest.mark.parametrize("bomb", bombs(), ids=lambda bomb: bomb.name)
def test_a_bomb_takes_no_memory(path, bomb):
    if "lz4" in bomb.name:
        pytest.importorskip("lz4")
    path.write_bytes(bomb.content)
    tracemalloc.start()
    with opened(path, 2**27) as stream, pytest.raises(ModelRefused, match="refused_size_inside"):
        deque(iter(lambda: stream.read(2**16), b""), maxlen=0)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**23


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("change", ["cut", "garbage after it", "another after it", "changed"])
def test_damage_is_found(path, compress, change):
    compressed = compress(PICKLE)
    middle = len(compressed) // 2
    path.write_bytes(
        {
            "cut": compressed[:-5],
            "garbage after it": compressed + b"x",
            "another after it": compressed * 2,
            "changed": compressed[:middle] + bytes([compressed[middle] ^ 64]) + compressed[middle + 1 :],
        }[change]
    )
    with pytest.raises(ModelRefused, match="refused_damaged"):
        content_of(path)


def test_a_dictionary_of_gigabytes_is_refused(path):
    path.write_bytes(b"]" + struct.pack("<I", 0xFFFF0000) + lzma.compress(PICKLE, lzma.FORMAT_ALONE)[5:])
    with pytest.raises(ModelRefused, match="Memory usage limit"):
        content_of(path)


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"PK\x03\x04", b"ZF0x10", b"cos\nsystem\n", b"\x1f", b"\x93NUMPY"])
def test_anything_else_is_no_model(path, content):
    path.write_bytes(content)
    with pytest.raises(NotAModel) as refused:
        opened(path, 2**20)
    assert refused.value.facts == {"filename": "model.joblib"}
