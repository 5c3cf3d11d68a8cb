-- Payments, what was heard of them, the money that came and went back, and the books of it. Subjects,
-- sessions and customers are known by id alone: they belong to other modules.

CREATE TABLE payments (
    -- Also Xendit's `external_id`: fresh for each attempt to pay.
    id            uuid PRIMARY KEY,
    -- What is sold, a session or an extension: charged once.
    subject_id    uuid NOT NULL UNIQUE,
    purpose       text NOT NULL CHECK (purpose IN ('session', 'extension')),
    session_id    uuid NOT NULL,
    customer_id   uuid NOT NULL,
    status        text NOT NULL
                  CHECK (status IN ('creating', 'pending', 'paid', 'expired', 'failed',
                         'refund_pending', 'refunded', 'needs_review')),
    -- What was asked for, in whole rupiah.
    amount        bigint NOT NULL CHECK (amount > 0),
    description   text NOT NULL,
    created_at    timestamptz NOT NULL,
    -- Until then it can be paid.
    expires_at    timestamptz NOT NULL,
    -- How often Xendit was asked for an invoice, and when last: written before the call, so that a call
    -- whose answer nobody saw is known of.
    asks          integer NOT NULL DEFAULT 0,
    asked_at      timestamptz,
    invoice_id    text,
    invoice_url   text,
    -- When it was last compared with Xendit.
    checked_at    timestamptz,
    -- Since when nothing of it can be paid at Xendit any more, for all we know.
    closed_at     timestamptz,
    -- All that came in for it, in whole rupiah, and when the first of it did.
    paid_amount   bigint NOT NULL DEFAULT 0 CHECK (paid_amount >= 0),
    paid_at       timestamptz,
    -- Why somebody has to look at it, in words.
    review_reason text,
    updated_at    timestamptz NOT NULL,
    -- Counts changes: whoever decided by an older row changes nothing.
    version       bigint NOT NULL DEFAULT 1,
    CHECK (status <> 'needs_review' OR review_reason IS NOT NULL),
    CHECK (status NOT IN ('paid', 'refund_pending', 'refunded') OR paid_at IS NOT NULL)
);
CREATE INDEX payments_of_customer ON payments (customer_id, id DESC);
CREATE INDEX payments_of_session ON payments (session_id);
CREATE INDEX payments_created ON payments (created_at DESC);
-- Those that are compared with Xendit.
CREATE INDEX payments_unsettled ON payments (checked_at NULLS FIRST, created_at)
    WHERE status IN ('creating', 'pending')
       OR (status IN ('expired', 'failed') AND asks > 0 AND closed_at IS NULL);
CREATE INDEX payments_paid ON payments (paid_at) WHERE paid_at IS NOT NULL;

-- Money that came in, a row each time. What a payment's `paid_amount` sums up.
CREATE TABLE payment_receipts (
    id           uuid PRIMARY KEY,
    payment_id   uuid NOT NULL REFERENCES payments (id),
    invoice_id   text NOT NULL,
    -- Xendit's id of this transfer; null while only the invoice has told of it.
    transfer_id  text,
    amount       bigint NOT NULL CHECK (amount > 0),
    -- EWALLET, QR_CODE, …: whatever Xendit calls it.
    method       text,
    paid_at      timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX payment_receipts_once
    ON payment_receipts (payment_id, invoice_id, coalesce(transfer_id, ''));

-- What Xendit's webhooks said, word for word; read by a job.
CREATE TABLE payment_webhooks (
    id          uuid PRIMARY KEY,
    -- The header of the same name, where it came.
    webhook_id  text UNIQUE,
    -- What the event is about, its status, and the transfer: the same event again has the same.
    event_key   text NOT NULL UNIQUE,
    body        text NOT NULL,
    received_at timestamptz NOT NULL,
    settled_at  timestamptz,
    -- What became of it: applied, repeated, ignored, unknown …
    outcome     text,
    CHECK ((settled_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX payment_webhooks_received ON payment_webhooks (received_at);

-- Paid at Xendit, and no payment of ours: somebody has to look.
CREATE TABLE payment_strays (
    invoice_id  text PRIMARY KEY,
    external_id text NOT NULL,
    amount      bigint,
    found_at    timestamptz NOT NULL
);

-- Until when what was paid at Xendit has been compared with the payments. One row.
CREATE TABLE payment_audit (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    audited_until timestamptz NOT NULL,
    -- When somebody last began to: the others leave it to them for a while.
    begun_at      timestamptz NOT NULL
);

-- Money that goes back, a row each attempt; its id is Xendit's idempotency key and `reference_id`.
CREATE TABLE refunds (
    id           uuid PRIMARY KEY,
    payment_id   uuid NOT NULL REFERENCES payments (id),
    -- By which invoice the money came.
    invoice_id   text NOT NULL,
    amount       bigint NOT NULL CHECK (amount > 0),
    -- Who gives it back: Xendit, or a person by a transfer of their own.
    way          text NOT NULL CHECK (way IN ('xendit', 'by_hand')),
    -- Why: too_late, second_payment, requested.
    reason       text NOT NULL,
    -- What an admin wrote about it.
    note         text,
    requested_by uuid,
    status       text NOT NULL
                 CHECK (status IN ('wanted', 'pending', 'succeeded', 'failed')),
    -- Xendit's id, once it is known.
    refund_id    text UNIQUE,
    failure      text,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    CHECK ((status IN ('succeeded', 'failed')) = (ended_at IS NOT NULL)),
    CHECK (way = 'xendit' OR status = 'succeeded')
);
CREATE INDEX refunds_of_payment ON refunds (payment_id);
CREATE INDEX refunds_open ON refunds (updated_at) WHERE status IN ('wanted', 'pending');

-- The books: every movement is a set of entries that sum to zero.
CREATE TABLE ledger_movements (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('charge', 'fee', 'refund', 'credit')),
    -- The receipt, refund or session that it is about: each is booked once a kind.
    source_id   uuid NOT NULL,
    payment_id  uuid REFERENCES payments (id),
    session_id  uuid NOT NULL,
    customer_id uuid NOT NULL,
    booked_at   timestamptz NOT NULL,
    UNIQUE (kind, source_id)
);
CREATE TABLE ledger_entries (
    movement_id uuid NOT NULL REFERENCES ledger_movements (id),
    account     text NOT NULL
                CHECK (account IN ('xendit', 'bank', 'sales', 'held', 'credits', 'refunds', 'fees')),
    -- Whole rupiah: debits are positive, credits negative.
    amount      bigint NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (movement_id, account)
);
CREATE INDEX ledger_movements_of_session ON ledger_movements (session_id);
CREATE INDEX ledger_movements_of_payment ON ledger_movements (payment_id);

-- What is booked stays: a mistake is put right by another movement.
CREATE FUNCTION ledger_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the books are never changed: book another movement';
END $$;
CREATE TRIGGER ledger_movements_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_movements
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_never_changed();
CREATE TRIGGER ledger_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_never_changed();

-- No transaction commits a movement that does not balance.
CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM ledger_entries WHERE movement_id = NEW.movement_id) <> 0 THEN
        RAISE EXCEPTION 'movement % does not balance', NEW.movement_id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_entries_balance AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();
