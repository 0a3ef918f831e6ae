-- The ledger's guards on PostgreSQL.

CREATE FUNCTION billing_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: %', TG_NAME, TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END
$$;

-- Both rows are locked in the order of their ids before either moves: crossing holds and releases cannot deadlock.
-- Accounts without a floor are not locked, so a seller's earnings are no bottleneck of its customers.
CREATE FUNCTION billing_transfer_moves_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT live FROM billing_account WHERE id = NEW.debit_id)
    <> (SELECT live FROM billing_account WHERE id = NEW.credit_id) THEN
        RAISE EXCEPTION '%: live and test credits never mix', TG_NAME
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM 1 FROM billing_account
    WHERE id IN (NEW.debit_id, NEW.credit_id) AND has_floor ORDER BY id FOR NO KEY UPDATE;
    UPDATE billing_account SET balance = balance - NEW.amount, last_transfer = NEW.id
    WHERE id = NEW.debit_id AND has_floor;
    UPDATE billing_account SET balance = balance + NEW.amount, last_transfer = NEW.id
    WHERE id = NEW.credit_id AND has_floor;
    RETURN NULL;
END
$$;

CREATE FUNCTION billing_account_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM billing_transfer WHERE debit_id = OLD.id)
    OR EXISTS (SELECT 1 FROM billing_transfer WHERE credit_id = OLD.id) THEN
        RAISE EXCEPTION '%: an account with transfers is kept', TG_NAME
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER billing_transfer_moves_balances AFTER INSERT ON billing_transfer
FOR EACH ROW EXECUTE FUNCTION billing_transfer_moves_balances();

CREATE TRIGGER billing_transfer_never_changes BEFORE UPDATE ON billing_transfer
FOR EACH ROW EXECUTE FUNCTION billing_refuse('correct a transfer by another one');

CREATE TRIGGER billing_transfer_never_goes BEFORE DELETE ON billing_transfer
FOR EACH ROW EXECUTE FUNCTION billing_refuse('correct a transfer by another one');

CREATE TRIGGER billing_transfer_never_emptied BEFORE TRUNCATE ON billing_transfer
FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse('correct a transfer by another one');

CREATE TRIGGER billing_account_starts_empty BEFORE INSERT ON billing_account
FOR EACH ROW WHEN (NEW.balance IS DISTINCT FROM 0 OR NEW.last_transfer IS DISTINCT FROM 0)
EXECUTE FUNCTION billing_refuse('credits come into an account by a transfer');

-- The condition is evaluated outside the trigger: depth 0 is a statement of its own, 1 the trigger of a transfer.
CREATE TRIGGER billing_account_moves_by_transfer BEFORE UPDATE ON billing_account
FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND (
    NEW.balance IS DISTINCT FROM OLD.balance OR NEW.last_transfer IS DISTINCT FROM OLD.last_transfer
)) EXECUTE FUNCTION billing_refuse('only a transfer moves a balance');

CREATE TRIGGER billing_account_keeps_identity BEFORE UPDATE ON billing_account
FOR EACH ROW WHEN (
    NEW.id IS DISTINCT FROM OLD.id OR NEW.organization_id IS DISTINCT FROM OLD.organization_id
    OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.live IS DISTINCT FROM OLD.live
    OR NEW.has_floor IS DISTINCT FROM OLD.has_floor
) EXECUTE FUNCTION billing_refuse('an account never becomes another one');

CREATE TRIGGER billing_account_stays BEFORE DELETE ON billing_account
FOR EACH ROW EXECUTE FUNCTION billing_account_stays();

CREATE TRIGGER billing_account_never_emptied BEFORE TRUNCATE ON billing_account
FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse('an account with transfers is kept');

CREATE TRIGGER billing_hold_settles_once BEFORE UPDATE ON billing_hold
FOR EACH ROW WHEN (
    NEW.id IS DISTINCT FROM OLD.id OR NEW.reference IS DISTINCT FROM OLD.reference
    OR NEW.organization_id IS DISTINCT FROM OLD.organization_id
    OR NEW.live IS DISTINCT FROM OLD.live OR NEW.amount IS DISTINCT FROM OLD.amount
    OR (OLD.settled_at IS NOT NULL AND (
        NEW.settled_at IS DISTINCT FROM OLD.settled_at OR NEW.charged IS DISTINCT FROM OLD.charged
    ))
) EXECUTE FUNCTION billing_refuse('a hold is settled once and changes in no other way');

CREATE TRIGGER billing_hold_stays BEFORE DELETE ON billing_hold
FOR EACH ROW EXECUTE FUNCTION billing_refuse('a hold is kept');

CREATE TRIGGER billing_hold_never_emptied BEFORE TRUNCATE ON billing_hold
FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse('a hold is kept');
