"""Methods: how an adapter computes. One file each says what is asked for, what an adapter is, and all else of it."""

from adaptkit.methods.bottleneck import BOTTLENECK, Bottleneck, BottleneckConfig
from adaptkit.methods.bottleneck_madx import BOTTLENECK_MADX, BottleneckMadxConfig
from adaptkit.methods.dora import DORA, Dora, DoraConfig
from adaptkit.methods.fusion import FUSION, Fusion, FusionConfig
from adaptkit.methods.glossary import GLOSSARY, Glossary, GlossaryConfig, may_be_glossed
from adaptkit.methods.head_only import HEAD_ONLY, HeadOnly, HeadOnlyConfig
from adaptkit.methods.ia3 import IA3, Ia3, Ia3Config
from adaptkit.methods.invertible import INVERTIBLE, InvertibleConfig
from adaptkit.methods.lora import LORA, Lora, LoraConfig
from adaptkit.methods.method import Below, Method, MethodConfig, MethodOptions, Surroundings, TensorShapes
from adaptkit.methods.ngrams import NGRAMS, Ngrams, NgramsConfig
from adaptkit.methods.pieces import PIECES, PiecesConfig, is_piece
from adaptkit.methods.reading import Reading, by_reading
from adaptkit.methods.table import METHODS, method_of, options_named

for _row in (LORA, BOTTLENECK, BOTTLENECK_MADX, FUSION, HEAD_ONLY, DORA, IA3, NGRAMS, GLOSSARY):
    METHODS.register(_row)

__all__ = [
    "GLOSSARY",
    "INVERTIBLE",
    "METHODS",
    "NGRAMS",
    "PIECES",
    "Below",
    "Bottleneck",
    "BottleneckConfig",
    "BottleneckMadxConfig",
    "Dora",
    "DoraConfig",
    "Fusion",
    "FusionConfig",
    "Glossary",
    "GlossaryConfig",
    "HeadOnly",
    "HeadOnlyConfig",
    "Ia3",
    "Ia3Config",
    "InvertibleConfig",
    "Lora",
    "LoraConfig",
    "Method",
    "MethodConfig",
    "MethodOptions",
    "Ngrams",
    "NgramsConfig",
    "PiecesConfig",
    "Reading",
    "Surroundings",
    "TensorShapes",
    "by_reading",
    "is_piece",
    "may_be_glossed",
    "method_of",
    "options_named",
]
