-- The ledger's guards on SQLite. RAISE(ABORT) undoes the whole statement and cannot be softened by the statement that
-- fired the trigger; a CHECK could be, because INSERT OR IGNORE hands its policy down to the UPDATEs of a trigger.

CREATE TRIGGER billing_transfer_moves_balances AFTER INSERT ON billing_transfer
BEGIN
    SELECT RAISE(ABORT, 'billing_transfer_moves_balances: an amount is a whole number of micro-credits')
    WHERE typeof(NEW.amount) <> 'integer';
    SELECT RAISE(ABORT, 'billing_transfer_moves_balances: live and test credits never mix')
    WHERE (SELECT live FROM billing_account WHERE id = NEW.debit_id)
       <> (SELECT live FROM billing_account WHERE id = NEW.credit_id);
    SELECT RAISE(ABORT, 'billing_account_floor: the account has less than the transfer takes')
    WHERE EXISTS (SELECT 1 FROM billing_account WHERE id = NEW.debit_id AND has_floor AND balance < NEW.amount);
    UPDATE billing_account SET balance = balance - NEW.amount, last_transfer = NEW.id
    WHERE id = NEW.debit_id AND has_floor;
    UPDATE billing_account SET balance = balance + NEW.amount, last_transfer = NEW.id
    WHERE id = NEW.credit_id AND has_floor;
END;

CREATE TRIGGER billing_transfer_never_changes BEFORE UPDATE ON billing_transfer
BEGIN
    SELECT RAISE(ABORT, 'billing_transfer_never_changes: correct a transfer by another one');
END;

-- With recursive triggers on, INSERT OR REPLACE meets this one too.
CREATE TRIGGER billing_transfer_never_goes BEFORE DELETE ON billing_transfer
BEGIN
    SELECT RAISE(ABORT, 'billing_transfer_never_goes: correct a transfer by another one');
END;

CREATE TRIGGER billing_account_starts_empty BEFORE INSERT ON billing_account
WHEN NEW.balance IS NOT 0 OR NEW.last_transfer IS NOT 0
BEGIN
    SELECT RAISE(ABORT, 'billing_account_starts_empty: credits come into an account by a transfer');
END;

-- Every change of a balance names a transfer newer than the last one, and moves exactly what that transfer says.
CREATE TRIGGER billing_account_moves_by_transfer BEFORE UPDATE ON billing_account
WHEN (NEW.balance IS NOT OLD.balance OR NEW.last_transfer IS NOT OLD.last_transfer) AND NOT EXISTS (
    SELECT 1 FROM billing_transfer
    WHERE id = NEW.last_transfer AND id > OLD.last_transfer AND typeof(NEW.balance) = 'integer'
      AND ((debit_id = NEW.id AND amount = OLD.balance - NEW.balance)
        OR (credit_id = NEW.id AND amount = NEW.balance - OLD.balance))
)
BEGIN
    SELECT RAISE(ABORT, 'billing_account_moves_by_transfer: only a transfer moves a balance');
END;

CREATE TRIGGER billing_account_keeps_identity BEFORE UPDATE ON billing_account
WHEN NEW.id IS NOT OLD.id OR NEW.organization_id IS NOT OLD.organization_id OR NEW.kind IS NOT OLD.kind
  OR NEW.live IS NOT OLD.live OR NEW.has_floor IS NOT OLD.has_floor
BEGIN
    SELECT RAISE(ABORT, 'billing_account_keeps_identity: an account never becomes another one');
END;

CREATE TRIGGER billing_account_stays BEFORE DELETE ON billing_account
WHEN EXISTS (SELECT 1 FROM billing_transfer WHERE debit_id = OLD.id)
  OR EXISTS (SELECT 1 FROM billing_transfer WHERE credit_id = OLD.id)
BEGIN
    SELECT RAISE(ABORT, 'billing_account_stays: an account with transfers is kept');
END;

CREATE TRIGGER billing_hold_settles_once BEFORE UPDATE ON billing_hold
WHEN NEW.id IS NOT OLD.id OR NEW.reference IS NOT OLD.reference OR NEW.organization_id IS NOT OLD.organization_id
  OR NEW.live IS NOT OLD.live OR NEW.amount IS NOT OLD.amount
  OR (OLD.settled_at IS NOT NULL AND (NEW.settled_at IS NOT OLD.settled_at OR NEW.charged IS NOT OLD.charged))
BEGIN
    SELECT RAISE(ABORT, 'billing_hold_settles_once: a hold is settled once and changes in no other way');
END;

CREATE TRIGGER billing_hold_stays BEFORE DELETE ON billing_hold
BEGIN
    SELECT RAISE(ABORT, 'billing_hold_stays: a hold is kept');
END;
