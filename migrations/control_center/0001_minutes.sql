-- The dashboard's figures, a row a minute, for its charts. Kept for two days.
CREATE TABLE control_center_minutes (
    minute                   timestamptz PRIMARY KEY,
    online_mitras            bigint NOT NULL,
    available_mitras         bigint NOT NULL,
    active_sessions          bigint NOT NULL,
    pending_payment_sessions bigint NOT NULL,
    searching_requests       bigint NOT NULL,
    messages                 bigint NOT NULL,
    paid_count               bigint NOT NULL,
    paid_amount              bigint NOT NULL
);
