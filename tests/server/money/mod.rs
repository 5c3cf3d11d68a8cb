//! Money under SIGKILL: a process of the real binary dies at each step of a payment and of a refund, another
//! one takes its place, and the money and the books are exact: one invoice, one delivery, one refund.
//!
//! Nothing in the binary knows of these tests. Where it is when it dies is chosen from outside: by an
//! answer of Xendit's that is slow or never comes, and by locks in Postgres.

mod payments;
mod refunds;
mod relay;
mod shop;
mod stall;
