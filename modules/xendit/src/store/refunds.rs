//! Rows of `refunds`.
