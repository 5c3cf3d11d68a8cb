//! All SQL of the module: one function a statement. Transactions begin elsewhere.

pub(crate) mod books;
pub(crate) mod care;
pub(crate) mod events;
pub(crate) mod ledger;
pub(crate) mod oversight;
pub(crate) mod payments;
pub(crate) mod receipts;
pub(crate) mod refunds;
