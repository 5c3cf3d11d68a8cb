-- What was heard of one payment: its events by the beginning of their keys, whatever the database's collation.
-- Reads payment_webhooks once, which holds a few weeks of events, and holds up its writers for as long.
CREATE INDEX payment_webhooks_about ON payment_webhooks (event_key text_pattern_ops);
-- Payments that somebody has to look at, and those of the other rare states, among all that are paid.
CREATE INDEX payments_not_paid ON payments (status, id DESC) WHERE status NOT IN ('paid', 'expired');
