from django.db import migrations

from billing.guards import LedgerGuards


class Migration(migrations.Migration):

    dependencies = [("billing", "0001_accounts_transfers_and_holds")]

    operations = [LedgerGuards(1, replaces=None)]
