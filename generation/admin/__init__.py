"""What of the work is shown in the admin; importing this registers it."""

from generation.admin.upstreams import UpstreamAdmin

__all__ = ["UpstreamAdmin"]
