from billing.models.account import FLOORED, Account, AccountKind
from billing.models.hold import Hold
from billing.models.transfer import Transfer, TransferKind

__all__ = ["FLOORED", "Account", "AccountKind", "Hold", "Transfer", "TransferKind"]
