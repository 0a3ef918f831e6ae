from accounts.models.api_key import ApiKey
from accounts.models.membership import Membership, Role
from accounts.models.organization import Organization
from accounts.models.user import User

__all__ = ["ApiKey", "Membership", "Organization", "Role", "User"]
