from catalog.models.circuit import Circuit, CircuitReason, CircuitState
from catalog.models.llm import Llm, LlmCatalog, LlmMapping, LlmStatus
from catalog.models.price import Price, PriceProgram, Unit
from catalog.models.upstream import Upstream

__all__ = [
    "Circuit",
    "CircuitReason",
    "CircuitState",
    "Llm",
    "LlmCatalog",
    "LlmMapping",
    "LlmStatus",
    "Price",
    "PriceProgram",
    "Unit",
    "Upstream",
]
