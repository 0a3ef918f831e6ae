from __future__ import annotations

from typing import Final

from django.db import connection

from accounts.models import Organization

_DEEPEST: Final = 64
"""Where a tree that bites its own tail is left."""
_SQL: Final = """
WITH RECURSIVE line(id, parent_id, distance) AS (
    SELECT id, parent_id, 0 FROM accounts_organization WHERE id = %s
    UNION ALL
    SELECT above.id, above.parent_id, line.distance + 1
    FROM accounts_organization above JOIN line ON above.id = line.parent_id
    WHERE line.distance < %s
)
SELECT id, MIN(distance) FROM line GROUP BY id ORDER BY MIN(distance)
"""


def lineage(organization: Organization) -> dict[int, int]:
    """The organization and the sellers above it, nearest first, each with its distance: one query for any depth."""
    if organization.parent_id is None:
        return {organization.pk: 0}
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [organization.pk, _DEEPEST])
        return dict(cursor.fetchall())
